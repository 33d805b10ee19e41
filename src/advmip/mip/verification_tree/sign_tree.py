"""A tree over the signs of neurons, each node with bounds of its own.

A node holds the signs of some neurons. All neurons behind the last one are bounded anew, then what
every open case lacks; a case that is excluded is not asked again below. Nodes are done depth first,
so that few wait at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from advmip.mip.bounds.balls import Ball
from advmip.mip.bounds.lines import Multipliers, Sides
from advmip.mip.bounds.operators import Stage
from advmip.mip.deadline import OutOfTimeError, checkpoint, time_is_up
from advmip.mip.model import Vector
from advmip.mip.verification_tree.asked import Asked, Seek, TreeProof
from advmip.mip.verification_tree.branching import Split, best_split
from advmip.mip.verification_tree.neurons import Bounded, ContradictionError, NodeBounds
from advmip.mip.verification_tree.recording import SignTreeRecord

# Steps of the search for lines: of neurons at the root and below, and of what is lacking.
_ROOT_STEPS, _STEPS, _LAST_STEPS = 20, 3, 10
_TINY = 1e-12


@dataclass(frozen=True)
class _Node:
    """A part of the region.

    Attributes:
        level: How many signs it holds.
        signs: Those (1, 1, width) of each layer: 1, -1, or 0 where none is held.
        first: The stage behind the sign that was held last.
        sides: Bounds of its parent's neurons.
        bounded: What bounds them.
        open: Which cases may still be met (cases,).
        chosen: The lines that bound what its parent's conditions lack (1, rows, width).
    """

    level: int
    signs: list[Tensor]
    first: int
    sides: list[Sides]
    bounded: list[Bounded | None]
    open: Tensor
    chosen: Multipliers | None

    def child(self, split: Split, side: float, **known: Any) -> _Node:
        """The part in which a neuron has a sign, and what is known of it."""
        signs = list(self.signs)
        signs[split.layer] = signs[split.layer].clone()
        signs[split.layer][0, 0, split.neuron] = side
        return _Node(self.level + 1, signs, split.layer + 1, **known)


class SignTree:
    """The tree.

    Args:
        stages: The network in float64.
        search: The same in float32.
        ball: The region.
        sides: Bounds (1, width) of each layer of ReLUs.
        asked: The cases that are to be excluded.
        seek: Tells whether a point meets the goal.
        record: Notes nodes for a proof in a file.

    Attributes:
        asked: What it is asked.
        sides: The bounds, tightened at the root.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        search: Sequence[Stage],
        ball: Ball,
        sides: Sequence[Sides],
        asked: Asked,
        seek: Seek,
        record: SignTreeRecord | None = None,
    ) -> None:
        self._bounds = NodeBounds(stages, search, ball)
        self.asked, self._seek, self._record = asked, seek, record
        self.sides = list(sides)
        signs = [torch.zeros(1, *each.lower.shape) for each in self.sides]
        nothing: list[Bounded | None] = [None] * len(signs)
        every = torch.ones(len(asked.cases), dtype=torch.bool)
        self._waiting = [_Node(0, signs, 1, self.sides, nothing, every, None)]
        self._nodes, self._done = 0, 0.0
        self._point: Vector | None = None
        # A node of which no neuron is open has the best bound that forms give, and still is.
        self._stuck = False
        self._margins = torch.full((len(asked.cases),), torch.inf, dtype=torch.float64)

    @property
    def ended(self) -> bool:
        """Whether nothing is left to be split."""
        return self._stuck or not self._waiting

    @torch.no_grad()
    def run(self) -> TreeProof:
        """Go on until every case is excluded in each node, a point is found, or time is up."""
        self._nodes = 0
        while not self.ended and self._point is None and not time_is_up():
            node = self._waiting.pop()
            try:
                children = self._children(node)
            except ContradictionError as found:
                self._note(node, found.sides, found.bounded)
                children = []
            except OutOfTimeError:
                self._waiting.append(node)
                break
            if not children and self._point is None and not self._stuck:
                self._done += 0.5**node.level
            self._waiting += children
        closed = not self._waiting and self._point is None and not self._stuck
        margins = self._margins.numpy() if closed else np.full(len(self._margins), -np.inf)
        return TreeProof(self._point, margins, self._nodes, 1.0 if closed else self._done)

    def _children(self, node: _Node) -> list[_Node]:
        """What a node leaves open, in two parts; none if it is closed.

        Raises:
            ContradictionError: It has no point.
            OutOfTimeError: There was no time for it.
        """
        steps = _STEPS if node.level else _ROOT_STEPS
        sides, bounded = self._bounds.neurons(
            node.sides, node.signs, node.first, node.bounded, steps
        )
        if not node.level:
            self.sides = sides
        asked = self.asked
        rows = node.open[asked.case_of].nonzero()[:, 0]
        least, chosen, last = self._bounds.conditions(
            asked.rows[:, rows], sides, node.signs, node.chosen, _LAST_STEPS, -asked.sides[rows]
        )
        checkpoint()
        self._nodes += 1
        lacking = asked.sides.new_full((1, len(asked.sides)), -torch.inf)
        lacking[0, rows] = least + asked.sides[rows]
        by_case = asked.by_case(lacking)[0]
        excluded = node.open & (by_case > 0)
        self._margins[excluded] = torch.minimum(self._margins, by_case)[excluded]
        still = node.open & ~excluded
        met_nowhere = (lacking[0, rows] > 0).nonzero()[:, 0]
        if not bool(still.any()):
            self._note(node, sides, bounded, (rows, chosen, met_nowhere))
            return []
        # Of each open case the condition that comes nearest to being missed everywhere counts.
        left = still[asked.case_of[rows]].nonzero()[:, 0]
        self._point = self._seek(last.point[0, left].double().numpy())
        if self._point is not None:
            return []
        size = least.abs().clamp(min=_TINY)
        best = (lacking[0, rows] == by_case[asked.case_of[rows]]) & still[asked.case_of[rows]]
        weights = torch.where(best, 1.0 / size, 0.0).float()
        split = best_split(sides, bounded, last.above, weights)
        if split is None:
            self._stuck = True
            return []
        self._note(node, sides, bounded, (rows, chosen, met_nowhere), split)
        known = {
            "sides": sides,
            "bounded": bounded,
            "open": still,
            "chosen": chosen.items(left),
        }
        return [node.child(split, side, **known) for side in (1.0, -1.0)]

    def _note(
        self,
        node: _Node,
        sides: Sequence[Sides],
        bounded: Sequence[Bounded | None],
        excluding: tuple[Tensor, Multipliers, Tensor] | None = None,
        split: Split | None = None,
    ) -> None:
        """Note a node, if nodes are noted.

        Args:
            node: The node.
            sides: Bounds of its neurons, as far as they come.
            bounded: What bounds them.
            excluding: The conditions that were bounded, their lines, and the places there of those
                that are missed everywhere.
            split: By which it is split; None if it is closed.
        """
        if self._record is not None:
            first = node.first if node.level else 0
            rows, chosen = None, None
            if excluding is not None:
                rows, chosen = excluding[0][excluding[2]], excluding[1].items(excluding[2])
            held = node.signs, sides, bounded, node.bounded
            self._record.node(first, *held, rows, chosen, split)
