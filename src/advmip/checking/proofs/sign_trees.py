"""The check of trees over the signs of neurons, node by node in the order of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from advmip.checking.proofs.enclosure import Enclosure, Given, Indices, Sides, Stages
from advmip.checking.proofs.files import RegionFile
from advmip.checking.proofs.input_cuts import Cuts
from advmip.checking.proofs.questions import Asked
from advmip.checking.proofs.sign_nodes import NodeReader, inputs_of_cuts, nodes_of, rising_below


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
    # Of the layers that have cuts the inputs that the file speaks of, as they count here.
    _inputs: dict[int, Indices] = field(init=False)

    def __post_init__(self) -> None:
        self._inputs = {
            depth: self._inputs_here(depth, found)
            for depth, found in inputs_of_cuts(self.file, len(self.places)).items()
        }

    def unproved(self) -> str:
        """The first leaf that excludes too little, in words; empty if there is none."""
        nothing = [np.empty(0, np.int32) for _ in self.base.sides]
        parts = [_Part((), 0, self.base.sides, nothing, self.excluded)]
        nodes = nodes_of(self.file)
        while parts:
            part = parts.pop()
            reader = next(nodes, None)
            if reader is None:
                return f"a leaf is missing ({part.in_words})"
            halves, excluded = self._checked(part, reader)
            parts += halves
            if not halves:
                self.leaves += 1
                if not excluded.all():
                    case = int(np.flatnonzero(~excluded)[0])
                    return f"leaf {self.leaves} leaves case {case} open ({part.in_words})"
        if next(nodes, None) is not None:
            raise self.file.damaged("more nodes than the tree has")
        return ""

    def _checked(self, part: _Part, reader: NodeReader) -> tuple[list[_Part], NDArray[np.bool_]]:
        """The two halves of a node, none of a leaf; and the cases that it excludes."""
        widths = [len(each) for each in self.places]
        cut = reader.cut()
        layer, neuron, count = reader.head(3)
        if not 0 <= count <= len(widths) - part.first:
            raise self.file.damaged("more layers than the network has")
        counts = reader.head(2 * count + 1)
        bounded, still = [], list(part.open)
        for depth in range(count):
            bounded.append(reader.chosen(counts[2 * depth], widths[part.first + depth]))
            still[part.first + depth] = reader.chosen(
                counts[2 * depth + 1], widths[part.first + depth]
            )
        rows = reader.chosen(counts[-1], len(self.asked.constant))
        sides, excluded = list(part.sides), part.excluded.copy()
        for depth, kept in enumerate(bounded, part.first):
            given = self._given(reader, part, still[:depth], 2 * len(kept), cut=cut)
            here = self.places[depth][kept]
            alive = [each.items(np.tile(here >= 0, 2)) for each in given]
            enclosure = self._enclosure(sides[:depth])
            sides[depth] = enclosure.tightened(sides[depth], here[here >= 0], alive)
        given = self._given(reader, part, still, len(rows), cut=cut)
        if any((each.lower > each.upper).any() for each in sides):
            excluded[:] = True  # the signs exclude each other: there is no point
        elif len(rows):
            asked = self.asked
            least = self._enclosure(sides).conditions(
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

    def _enclosure(self, sides: Sequence[Sides]) -> Enclosure:
        return Enclosure(self.stages, self.asked.region, sides, self.base.magnitudes)

    def _given(
        self,
        reader: NodeReader,
        part: _Part,
        still: Sequence[NDArray[np.int32]],
        count: int,
        *,
        cut: bool,
    ) -> list[Given]:
        """The numbers of the layers before some forms."""
        depth = len(still)
        held = sorted(sign for sign in part.path if sign[0] < depth)
        slopes = reader.matrix("slopes", count, sum(map(len, still)))
        multipliers = reader.matrix("multipliers", count, len(held))
        cuts = self._cuts(reader, still, count) if cut else [None] * depth
        signs = np.array([1.0 if positive else -1.0 for _, _, positive in held])
        layers = np.array([layer for layer, _, _ in held], np.intp)
        neurons = np.array([neuron for _, neuron, _ in held], np.intp)
        found, begin = [], 0
        for layer, each in enumerate(still):
            own = self.places[layer]
            sloped, mine = own[each], layers == layer
            taken = own[neurons[mine]]
            prices = -signs[mine] * multipliers[:, mine]
            columns = slice(begin, begin + len(each))
            begin += len(each)
            # What is dead here has no part in any bound.
            found.append(
                Given(
                    sloped[sloped >= 0],
                    slopes[:, columns][:, sloped >= 0],
                    taken[taken >= 0],
                    prices[:, taken >= 0],
                    cuts[layer],
                )
            )
        return found

    def _cuts(
        self, reader: NodeReader, still: Sequence[NDArray[np.int32]], count: int
    ) -> list[Cuts | None]:
        """The cuts in the layers before some forms."""
        weights = reader.matrix("weights", count, sum(map(len, still)))
        inputs_before = sum(len(each) for k, each in self._inputs.items() if k < len(still))
        quarters = reader.matrix("quarters", count, inputs_before)
        found: list[Cuts | None] = []
        for layer, each in enumerate(still):
            alive = self.places[layer][each] >= 0
            own, weights = weights[:, : len(each)][:, alive], weights[:, len(each) :]
            inputs = self._inputs.get(layer)
            if inputs is None:
                found.append(None)
                continue
            some, quarters = quarters[:, : len(inputs)], quarters[:, len(inputs) :]
            found.append(Cuts(own, inputs[inputs >= 0], some[:, inputs >= 0]))
        return found

    def _inputs_here(self, depth: int, found: NDArray[np.int32]) -> Indices:
        """Where what enters a layer with cuts counts here; below 0 if it does not."""
        terms = list(self.stages.every[depth].terms)
        if len(terms) != 1:
            raise self.file.damaged("cuts of a layer behind several ones")
        (layer,) = terms
        places = self.places[layer - 1] if layer else np.arange(self.asked.region.lower.shape[1])
        if not rising_below(found, len(places)):
            raise self.file.damaged("inputs that there are not")
        return places[found]
