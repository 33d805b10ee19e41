"""Trees over the signs of neurons: what a file keeps of their nodes, and the check of it.

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
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advmip.checking.proofs.enclosure import Enclosure, Given, Indices, Sides, Stages
from advmip.checking.proofs.files import RegionFile, RegionWriter
from advmip.checking.proofs.numbers import multipliers_of, slopes_of
from advmip.checking.proofs.questions import Asked

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
        conditions: What bounds the conditions of the cases that the node excludes, one of each.
    """

    split: tuple[int, int] | None
    neurons: Sequence[KeptForms]
    open: Sequence[NDArray[np.int32]]
    conditions: KeptForms


class SignTreeWriter:
    """Takes the nodes of a tree as they are done.

    Args:
        region: Takes what proves the region.
        cases: The cases that the tree is to exclude.
    """

    def __init__(self, region: RegionWriter, cases: Indices) -> None:
        self._region = region
        region.add(cases=cases.astype("<i4"))
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
        part = self._region.part(f"nodes-{self._parts}")
        part.add(**{name: np.concatenate(arrays) for name, arrays in self._waiting.items()})
        self._waiting = {name: [] for name in _KINDS}
        self._parts, self._bytes = self._parts + 1, 0

    def _take(self, name: str, array: NDArray[np.generic]) -> None:
        self._waiting[name].append(array.astype(_KINDS[name]))
        self._bytes += self._waiting[name][-1].nbytes


@dataclass(frozen=True, eq=False)
class _Part:
    """A part of the region: the points at which some neurons have some signs.

    Attributes:
        path: The signs: layer, neuron as in the file, and whether it is positive.
        first: The first layer that is bounded anew.
        sides: Bounds of all neurons.
        open: The neurons of each layer whose slopes are kept, as in the file.
        excluded: Which cases are excluded (cases,).
    """

    path: tuple[tuple[int, int, bool], ...]
    first: int
    sides: list[Sides]
    open: list[NDArray[np.int32]]
    excluded: NDArray[np.bool_]

    def half(self, split: tuple[int, int], place: int, positive: bool) -> _Part:
        """The points at which a neuron has a sign too.

        Args:
            split: Its layer, and the neuron as in the file.
            place: The neuron as it counts here; below 0 if it does not.
            positive: The sign.
        """
        layer, neuron = split
        sides, still = list(self.sides), list(self.open)
        if place >= 0:
            sides[layer] = sides[layer].held(place, positive)
        still[layer] = still[layer][still[layer] != neuron]
        path = (*self.path, (layer, neuron, positive))
        return _Part(path, layer + 1, sides, still, self.excluded)

    @property
    def in_words(self) -> str:
        """The signs, from the root on."""
        signs = (
            f"{layer + 1}.{neuron} {'>=' if up else '<='} 0" for layer, neuron, up in self.path
        )
        return ", ".join(signs) or "no sign"


@dataclass
class SignTreeCheck:
    """The check of one tree.

    Args:
        stages: The network.
        asked: The region and its cases.
        base: Bounds of all neurons over the region.
        excluded: Which cases are excluded already (cases,).
        places: Of each layer the neurons, by their number in the file; below 0 where one is dead.
        file: What the file says of the region.

    Attributes:
        leaves: How many were seen.
    """

    stages: Stages
    asked: Asked
    base: Enclosure
    excluded: NDArray[np.bool_]
    places: Sequence[Indices]
    file: RegionFile
    leaves: int = field(default=0, init=False)

    def unproved(self) -> str:
        """The first leaf that excludes too little, in words; empty if there is none."""
        nothing = [np.empty(0, np.int32) for _ in self.base.sides]
        parts = [_Part((), 0, self.base.sides, nothing, self.excluded)]
        nodes = self._nodes()
        while parts:
            part = parts.pop()
            cursor = next(nodes, None)
            if cursor is None:
                return f"a leaf is missing ({part.in_words})"
            halves, excluded = self._checked(part, cursor)
            parts += halves
            if not halves:
                self.leaves += 1
                if not excluded.all():
                    case = int(np.flatnonzero(~excluded)[0])
                    return f"leaf {self.leaves} leaves case {case} open ({part.in_words})"
        if next(nodes, None) is not None:
            raise self.file.damaged("more nodes than the tree has")
        return ""

    def _nodes(self) -> Iterator[_Cursor]:
        """What is kept of the nodes, one after the other."""
        part = 0
        while f"nodes-{part}/heads" in self.file:
            cursor = _Cursor(self.file, f"nodes-{part}")
            while cursor.left:
                yield cursor
            part += 1

    def _checked(self, part: _Part, cursor: _Cursor) -> tuple[list[_Part], NDArray[np.bool_]]:
        """The two halves of a node, none of a leaf; and the cases that it excludes."""
        widths = [len(each) for each in self.places]
        layer, neuron, count = cursor.head(3)
        if not 0 <= count <= len(widths) - part.first:
            raise self.file.damaged("more layers than the network has")
        counts = cursor.head(2 * count + 1)
        bounded, still = [], list(part.open)
        for depth in range(count):
            bounded.append(cursor.chosen(counts[2 * depth], widths[part.first + depth]))
            still[part.first + depth] = cursor.chosen(
                counts[2 * depth + 1], widths[part.first + depth]
            )
        rows = cursor.chosen(counts[-1], len(self.asked.constant))
        sides, excluded = list(part.sides), part.excluded.copy()
        empty = False
        for depth, kept in enumerate(bounded, part.first):
            given = self._given(cursor, part, still[:depth], 2 * len(kept))
            here = self.places[depth][kept]
            alive = np.tile(here >= 0, 2)
            chosen = [
                Given(each.sloped, each.slopes[alive], each.held, each.prices[alive])
                for each in given
            ]
            if empty or not (here >= 0).any():
                continue
            enclosure = Enclosure(
                self.stages, self.asked.region, sides[:depth], self.base.magnitudes
            )
            sides[depth] = enclosure.tightened(sides[depth], here[here >= 0], chosen)
            empty = bool((sides[depth].lower > sides[depth].upper).any())
        given = self._given(cursor, part, still, len(rows))
        if empty:
            excluded[:] = True
        elif len(rows):
            asked = self.asked
            enclosure = Enclosure(self.stages, asked.region, sides, self.base.magnitudes)
            least = enclosure.conditions(
                asked.inside[rows], asked.outside[rows], asked.constant[rows], given
            )
            excluded[asked.case_of[rows[least[0] > 0]]] = True
        if layer < 0:
            return [], excluded
        if not (layer < len(widths) and 0 <= neuron < widths[layer]):
            raise self.file.damaged("a split by a neuron that there is not")
        whole = _Part(part.path, part.first, sides, still, excluded)
        place = int(self.places[layer][neuron])
        split = (layer, neuron)
        return [whole.half(split, place, positive) for positive in (True, False)], excluded

    def _given(
        self, cursor: _Cursor, part: _Part, still: Sequence[NDArray[np.int32]], count: int
    ) -> list[Given]:
        """The numbers of the layers before some forms."""
        depth = len(still)
        held = sorted(sign for sign in part.path if sign[0] < depth)
        slopes = cursor.slopes(count, sum(map(len, still)))
        multipliers = cursor.multipliers(count, len(held))
        signs = np.array([1.0 if positive else -1.0 for _, _, positive in held])
        layers = np.array([layer for layer, _, _ in held], np.intp)
        neurons = np.array([neuron for _, neuron, _ in held], np.intp)
        found, begin = [], 0
        for layer, each in enumerate(still):
            own = self.places[layer]
            sloped, mine = own[each], layers == layer
            taken = own[neurons[mine]]
            prices = -signs[mine] * multipliers[:, mine]
            some = slopes[:, begin : begin + len(each)]
            begin += len(each)
            # What is dead here has no part in any bound.
            found.append(
                Given(
                    sloped[sloped >= 0],
                    some[:, sloped >= 0],
                    taken[taken >= 0],
                    prices[:, taken >= 0],
                )
            )
        return found


class _Cursor:
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
