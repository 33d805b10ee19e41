"""Nodes of trees over the signs of neurons, as a file keeps them.

Nodes come in the order in which a depth-first search does them: a node, then what is below its
negative half, then what is below its positive half. Each has

    heads        its split's layer and neuron (-1 in a leaf), how many layers are bounded anew, for
                 each of these how many neurons are bounded and how many are open then, and how many
                 conditions are bounded
    places       these neurons and these conditions
    slopes       for each layer that is bounded anew, then for the conditions, a matrix: a row for
                 each lower bound, then one for each negative upper bound; a column for each open
                 neuron of the layers before it
    multipliers  the same with a column for each held sign before it

Layers are bounded anew from the one behind the last split on, in the root from the first one on; in
it only the open ones are said. Neurons count as in the whole network, layers from 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advmip.checking.proofs.files import RegionFile, RegionWriter
from advmip.checking.proofs.numbers import multipliers_of, slopes_of

_KINDS = {"heads": "<i4", "places": "<i4", "slopes": "|u1", "multipliers": "<u2"}
# Nodes are written together until they take so many bytes.
_TOGETHER = 2**23


@dataclass(frozen=True, eq=False)
class KeptForms:
    """Forms that are bounded in a node, and what by.

    Attributes:
        places: Neurons of a layer, or conditions.
        slopes: As they are kept (S, open neurons before); S is twice the neurons.
        multipliers: As they are kept (S, held signs before).
    """

    places: NDArray[np.int32]
    slopes: NDArray[np.uint8]
    multipliers: NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class SignNode:
    """What is kept of a node.

    Attributes:
        split: Layer and neuron; None in a leaf.
        neurons: Of each layer that is bounded anew what bounds it.
        open: Its neurons whose sign is open then.
        conditions: What bounds the conditions by which the node excludes cases.
    """

    split: tuple[int, int] | None
    neurons: Sequence[KeptForms]
    open: Sequence[NDArray[np.int32]]
    conditions: KeptForms


class SignTreeWriter:
    """Takes the nodes of a tree as they are done.

    Args:
        region: Takes what proves the region.
    """

    def __init__(self, region: RegionWriter) -> None:
        self._region = region
        self._parts = 0
        self._waiting: dict[str, list[NDArray[np.generic]]] = {name: [] for name in _KINDS}
        self._bytes = 0

    def node(self, node: SignNode) -> None:
        """Take the next node."""
        counts = [
            count
            for each, still in zip(node.neurons, node.open, strict=True)
            for count in (len(each.places), len(still))
        ]
        head = [*(node.split or (-1, -1)), len(node.neurons), *counts, len(node.conditions.places)]
        self._take("heads", np.array(head))
        for each, still in zip(node.neurons, node.open, strict=True):
            self._take("places", each.places)
            self._take("places", still)
        self._take("places", node.conditions.places)
        for each in (*node.neurons, node.conditions):
            self._take("slopes", each.slopes.ravel())
            self._take("multipliers", each.multipliers.ravel())
        if self._bytes > _TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Pass on what was taken."""
        if not self._bytes:
            return
        part = self._region.part(f"nodes-{self._parts}")
        part.add(**{name: np.concatenate(arrays) for name, arrays in self._waiting.items()})
        self._waiting = {name: [] for name in _KINDS}
        self._parts, self._bytes = self._parts + 1, 0

    def _take(self, name: str, array: NDArray[np.generic]) -> None:
        self._waiting[name].append(array.astype(_KINDS[name]))
        self._bytes += self._waiting[name][-1].nbytes


def nodes_of(file: RegionFile) -> Iterator[NodeReader]:
    """What is kept of the nodes, one after the other; each is read before the next."""
    part = 0
    while f"nodes-{part}/heads" in file:
        reader = NodeReader(file, f"nodes-{part}")
        while reader.left:
            yield reader
        part += 1


def has_nodes(file: RegionFile) -> bool:
    """Whether a region has a tree over signs."""
    return "nodes-0/heads" in file


class NodeReader:
    """Reads nodes that are kept together.

    Args:
        file: What the file says of the region.
        part: These nodes.
    """

    def __init__(self, file: RegionFile, part: str) -> None:
        self._file = file
        self._arrays = file.arrays(part, _KINDS)
        self._read = dict.fromkeys(_KINDS, 0)

    @property
    def left(self) -> bool:
        """Whether there is another node."""
        return self._read["heads"] < len(self._arrays["heads"])

    def head(self, count: int) -> list[int]:
        """The next numbers of the node's head."""
        return [int(each) for each in self._next("heads", count)]

    def chosen(self, count: int, width: int) -> NDArray[np.int32]:
        """The next places, rising and below a width."""
        found = self._next("places", count)
        if len(found) and not (found[0] >= 0 and found[-1] < width and (np.diff(found) > 0).all()):
            raise self._file.damaged("neurons or conditions that there are not")
        return found

    def slopes(self, count: int, width: int) -> NDArray[np.float64]:
        """The next slopes (count, width)."""
        with self._file.reading():
            return slopes_of(self._next("slopes", count * width)).reshape(count, width)

    def multipliers(self, count: int, width: int) -> NDArray[np.float64]:
        """The next multipliers (count, width)."""
        with self._file.reading():
            return multipliers_of(self._next("multipliers", count * width)).reshape(count, width)

    def _next(self, name: str, count: int) -> NDArray[Any]:
        begin = self._read[name]
        if count < 0 or begin + count > len(self._arrays[name]):
            raise self._file.damaged(f"too few {name}")
        self._read[name] += count
        return self._arrays[name][begin : begin + count]
