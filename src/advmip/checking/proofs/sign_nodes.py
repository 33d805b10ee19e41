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

A tree that began again with cuts (`input_cuts.py`) stands in parts of other names, and what was
written before does not count. Each head begins with whether the node has cuts, and if it has

    weights      as slopes: the share of the neurons' cuts in their upper bounds
    quarters     as slopes, with a column for each input of the layers before that have cuts; which
                 layers and inputs these are is said once

Layers are bounded anew from the one behind the last split on, in the root from the first one on; in
it only the open ones are said. Neurons count as in the whole network, layers from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advmip.checking.proofs.files import RegionFile, RegionWriter
from advmip.checking.proofs.numbers import multipliers_of, quarters_of, slopes_of

_KINDS = {"heads": "<i4", "places": "<i4", "slopes": "|u1", "multipliers": "<u2"}
_OF_CUTS = {"weights": "|u1", "quarters": "|u1"}
_READ: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "slopes": slopes_of,
    "multipliers": multipliers_of,
    "weights": slopes_of,
    "quarters": quarters_of,
}
_PLAIN, _CUT, _INPUTS = "nodes", "cut-nodes", "inputs-of"
# Nodes are written together until they take so many bytes.
_TOGETHER = 2**23


@dataclass(frozen=True, eq=False)
class KeptForms:
    """Forms that are bounded in a node, and what by.

    Attributes:
        places: Neurons of a layer, or conditions.
        slopes: As they are kept (S, open neurons before); S is twice the neurons.
        multipliers: As they are kept (S, held signs before).
        weights: As they are kept (S, open neurons before); None without cuts.
        quarters: As they are kept (S, inputs of layers with cuts before); None without.
    """

    places: NDArray[np.int32]
    slopes: NDArray[np.uint8]
    multipliers: NDArray[np.uint16]
    weights: NDArray[np.uint8] | None = None
    quarters: NDArray[np.uint8] | None = None


@dataclass(frozen=True, eq=False)
class SignNode:
    """What is kept of a node.

    Attributes:
        split: Layer and neuron; None in a leaf.
        neurons: Of each layer that is bounded anew what bounds it.
        open: Its neurons whose sign is open then.
        conditions: What bounds the conditions by which the node excludes cases.
        cut: Whether all of that has cuts.
    """

    split: tuple[int, int] | None
    neurons: Sequence[KeptForms]
    open: Sequence[NDArray[np.int32]]
    conditions: KeptForms
    cut: bool = False


class SignTreeWriter:
    """Takes the nodes of a tree as they are done.

    Args:
        region: Takes what proves the region.
        inputs: Of the layers that have cuts the values before them that are said: pixels, or
            neurons by their number in the whole network; None for a tree that has no cuts.
    """

    def __init__(
        self, region: RegionWriter, inputs: Mapping[int, NDArray[np.int32]] | None = None
    ) -> None:
        self._region, self._has_cuts = region, inputs is not None
        self._name = _CUT if self._has_cuts else _PLAIN
        region.add(**{f"{_INPUTS}-{depth}": some for depth, some in (inputs or {}).items()})
        self._parts = 0
        self._kinds = _KINDS | _OF_CUTS if self._has_cuts else _KINDS
        self._waiting = self._nothing()
        self._bytes = 0

    def node(self, node: SignNode) -> None:
        """Take the next node."""
        counts = [
            count
            for each, still in zip(node.neurons, node.open, strict=True)
            for count in (len(each.places), len(still))
        ]
        head = [*(node.split or (-1, -1)), len(node.neurons), *counts, len(node.conditions.places)]
        self._take("heads", np.array([int(node.cut), *head] if self._has_cuts else head))
        for each, still in zip(node.neurons, node.open, strict=True):
            self._take("places", each.places)
            self._take("places", still)
        self._take("places", node.conditions.places)
        for each in (*node.neurons, node.conditions):
            self._take("slopes", each.slopes.ravel())
            self._take("multipliers", each.multipliers.ravel())
            if each.weights is not None and each.quarters is not None:
                self._take("weights", each.weights.ravel())
                self._take("quarters", each.quarters.ravel())
        if self._bytes > _TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Pass on what was taken."""
        if not self._bytes:
            return
        part = self._region.part(f"{self._name}-{self._parts}")
        part.add(**{name: np.concatenate(arrays) for name, arrays in self._waiting.items()})
        self._waiting = self._nothing()
        self._parts, self._bytes = self._parts + 1, 0

    def _nothing(self) -> dict[str, list[NDArray[np.generic]]]:
        return {name: [np.zeros(0, kind)] for name, kind in self._kinds.items()}

    def _take(self, name: str, array: NDArray[np.generic]) -> None:
        self._waiting[name].append(array.astype(self._kinds[name]))
        self._bytes += self._waiting[name][-1].nbytes


def nodes_of(file: RegionFile) -> Iterator[NodeReader]:
    """What is kept of the nodes, one after the other; each is read before the next."""
    name, part = _CUT if _has(file, _CUT) else _PLAIN, 0
    while f"{name}-{part}/heads" in file:
        reader = NodeReader(file, f"{name}-{part}", has_cuts=name == _CUT)
        while reader.left:
            yield reader
        part += 1


def has_nodes(file: RegionFile) -> bool:
    """Whether a region has a tree over signs."""
    return _has(file, _PLAIN) or _has(file, _CUT)


def inputs_of_cuts(file: RegionFile, layers: int) -> dict[int, NDArray[np.int32]]:
    """Of the layers that have cuts the values before them that are said."""
    if not _has(file, _CUT):
        return {}
    names = {depth: f"{_INPUTS}-{depth}" for depth in range(layers)}
    return {depth: file.array(name, "<i4").ravel() for depth, name in names.items() if name in file}


def _has(file: RegionFile, name: str) -> bool:
    return f"{name}-0/heads" in file


class NodeReader:
    """Reads nodes that are kept together.

    Args:
        file: What the file says of the region.
        part: These nodes.
        has_cuts: Whether some may have cuts.
    """

    def __init__(self, file: RegionFile, part: str, *, has_cuts: bool) -> None:
        self._file, self._has_cuts = file, has_cuts
        kinds = _KINDS | _OF_CUTS if has_cuts else _KINDS
        self._arrays = file.arrays(part, kinds)
        self._read = dict.fromkeys(kinds, 0)

    @property
    def left(self) -> bool:
        """Whether there is another node."""
        return self._read["heads"] < len(self._arrays["heads"])

    def cut(self) -> bool:
        """Whether the next node has cuts; before its head."""
        return self._has_cuts and bool(self.head(1)[0])

    def head(self, count: int) -> list[int]:
        """The next numbers of the node's head."""
        return [int(each) for each in self._next("heads", count)]

    def chosen(self, count: int, width: int) -> NDArray[np.int32]:
        """The next places, rising and below a width."""
        found = self._next("places", count)
        if not rising_below(found, width):
            raise self._file.damaged("neurons or conditions that there are not")
        return found

    def matrix(self, name: str, count: int, width: int) -> NDArray[Any]:
        """The next slopes, multipliers, weights or quarters (count, width)."""
        with self._file.reading():
            return _READ[name](self._next(name, count * width)).reshape(count, width)

    def _next(self, name: str, count: int) -> NDArray[Any]:
        begin = self._read[name]
        if count < 0 or begin + count > len(self._arrays[name]):
            raise self._file.damaged(f"too few {name}")
        self._read[name] += count
        return self._arrays[name][begin : begin + count]


def rising_below(places: NDArray[np.int32], width: int) -> bool:
    """Whether places are rising, from 0 on and below a width."""
    return not len(places) or bool(
        places[0] >= 0 and places[-1] < width and (np.diff(places) > 0).all()
    )
