"""Which node is next."""

from __future__ import annotations

import heapq
from abc import ABC, abstractmethod
from itertools import count

import numpy as np

from advmip.mip.branch_and_bound.node import Node


class Order(ABC):
    """The nodes that are still to be done."""

    @abstractmethod
    def push(self, children: list[Node]) -> None:
        """Add the children of a node, if it has any, the one to be done first at the front."""

    @abstractmethod
    def pop(self) -> Node:
        """Take the next node out."""

    @property
    @abstractmethod
    def bound(self) -> float:
        """The smallest bound of a node that is to be done; inf without nodes."""

    @abstractmethod
    def __len__(self) -> int:
        """How many nodes are to be done."""


class DepthFirst(Order):
    """The node that came last (Ben Mhenni, Section 3.2): each is solved from its parent's basis."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []

    def push(self, children: list[Node]) -> None:
        """On top of the stack."""
        self._nodes += reversed(children)

    def pop(self) -> Node:
        """From the top of the stack."""
        return self._nodes.pop()

    @property
    def bound(self) -> float:
        """The smallest of all."""
        return min((node.bound for node in self._nodes), default=np.inf)

    def __len__(self) -> int:
        return len(self._nodes)


class BestFirst(Order):
    """The node of the smallest bound: no node is done that the optimum would prune."""

    def __init__(self) -> None:
        self._nodes: list[tuple[float, int, Node]] = []
        self._ticket = count()

    def push(self, children: list[Node]) -> None:
        """Among equal bounds, the first child stays ahead."""
        for node in children:
            heapq.heappush(self._nodes, (node.bound, next(self._ticket), node))

    def pop(self) -> Node:
        """From the top of the heap."""
        return heapq.heappop(self._nodes)[2]

    @property
    def bound(self) -> float:
        """That of the next node."""
        return self._nodes[0][0] if self._nodes else np.inf

    def __len__(self) -> int:
        return len(self._nodes)


class Plunging(BestFirst):
    """Down from the node of the smallest bound, first child by first child, until one is pruned."""

    def __init__(self) -> None:
        super().__init__()
        self._next: Node | None = None

    def push(self, children: list[Node]) -> None:
        """The first child is next, the others wait."""
        self._next = children[0] if children else None
        super().push(children[1:])

    def pop(self) -> Node:
        """The first child of the last node, if it had children."""
        if self._next is None:
            return super().pop()
        node, self._next = self._next, None
        return node

    @property
    def bound(self) -> float:
        """The smallest of all."""
        return min(super().bound, np.inf if self._next is None else self._next.bound)

    def __len__(self) -> int:
        return super().__len__() + (self._next is not None)
