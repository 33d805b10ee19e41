"""Trees over boxes of inputs: what a file keeps of them, and the check of it.

    cases     the cases that the tree is to exclude
    cuts      of each box, breadth first, the input by which it is halved; -1 for a leaf that forms
              exclude, -2 for one that a tree over signs does (`sign_nodes.py`)
    signs     of each of the latter in this order, the number of its tree: its nodes stand in
              the part signs-<number>
    weights   of each leaf in this order, a row of whole numbers for all conditions of these cases;
              only if a case has several: all of its conditions are met only where their sum with
              these weights is; a tree over signs has that sum as one more condition of the case,
              all conditions of the question being counted before

A box is halved in its middle, the lower half first. Without signs, all lines are the usual ones.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from advmip.checking.proofs.enclosure import Enclosure, Indices, Stages
from advmip.checking.proofs.files import RegionFile, RegionWriter
from advmip.checking.proofs.questions import Asked
from advmip.checking.proofs.regions import Boxes, Vector, dot, largest
from advmip.checking.proofs.sign_trees import SignTreeCheck

# Boxes that are bounded at a time.
_BATCH = 256
# A leaf with a tree over signs, among the inputs by which boxes are halved.
_SIGNS = -2


def signs_in(number: int) -> str:
    """The part of a region with the tree over signs of a leaf."""
    return f"signs-{number}"


def write_input_tree(
    region: RegionWriter,
    cases: Indices,
    halves: Sequence[tuple[int, int]],
    weights: NDArray[np.uint8] | None,
    signs: Collection[int],
) -> None:
    """Write a tree.

    Args:
        region: Takes what proves the region.
        cases: The cases that it excludes.
        halves: Of each box, the root first, the input by which it is halved and the number of its
            lower half, before that of the upper one; -1 and -1 for a leaf.
        weights: Of each box those of a leaf (boxes, conditions), as they are kept.
        signs: The leaves that have a tree over signs, which are its numbers.
    """
    order = [0]
    for box in order:  # grows on the way
        if halves[box][0] >= 0:
            order += [halves[box][1], halves[box][1] + 1]
    cuts = np.array([_SIGNS if box in signs else halves[box][0] for box in order])
    region.add(cases=cases.astype("<i4"), cuts=cuts.astype("<i4"))
    if len(signs):
        region.add(signs=np.array([box for box in order if box in signs], "<i4"))
    if weights is not None:
        region.add(weights=weights[np.array(order)[cuts < 0]])


@dataclass
class InputTreeCheck:
    """The check of one tree.

    Args:
        stages: The network.
        asked: The region, a box, and its cases.
        excluded: Which cases are excluded already (cases,).
        places: As for `SignTreeCheck`.
        file: What the file says of the region.

    Attributes:
        leaves: How many were seen.
    """

    stages: Stages
    asked: Asked
    excluded: NDArray[np.bool_]
    places: Sequence[Indices]
    file: RegionFile
    leaves: int = field(default=0, init=False)

    def unproved(self) -> str:
        """The first leaf that excludes too little, in words; empty if there is none."""
        boxes = self.asked.region
        if not isinstance(boxes, Boxes):
            raise self.file.damaged("halves of what is no box")
        cuts = self.file.array("cuts", "<i4").astype(np.intp)
        if (cuts >= boxes.lower.shape[1]).any():
            raise self.file.damaged("a cut through an input that there is not")
        weights = self._weights(int((cuts < 0).sum()))
        trees = iter(self._trees(int((cuts == _SIGNS).sum())))
        begin = 0
        while len(boxes):
            here = cuts[begin : begin + len(boxes)]
            if len(here) < len(boxes):
                return f"a leaf is missing: {len(boxes) - len(here)} boxes have no entry"
            begin += len(boxes)
            closed, by_signs = boxes[here < 0], here[here < 0] == _SIGNS
            for start in range(0, len(closed), _BATCH):
                some = slice(start, start + _BATCH)
                kept, signs = weights[self.leaves :][: len(closed[some])], by_signs[some]
                lacking = self._least(closed[some], kept)
                open_ = ~((lacking > 0) | self.excluded | signs[:, None])
                for leaf, case in np.argwhere(open_):
                    return f"leaf {self.leaves + leaf + 1} leaves case {case} open"
                for leaf in np.flatnonzero(signs):
                    box = closed[start + leaf : start + leaf + 1]
                    missing = self._unproved_by_signs(box, kept[leaf], next(trees))
                    if missing:
                        return f"{missing} in leaf {self.leaves + leaf + 1}"
                self.leaves += len(signs)
            boxes = boxes[here >= 0].halved(here[here >= 0])
        if begin < len(cuts):
            raise self.file.damaged("more boxes than the tree has")
        return ""

    def _weights(self, leaves: int) -> NDArray[np.uint8]:
        """The weights of all conditions in each leaf (leaves, rows)."""
        asked = self.asked
        whole = np.zeros((leaves, len(asked.constant)), np.uint8)
        cases = self.file.array("cases", "<i4")
        if not ((cases >= 0) & (cases < asked.cases)).all():
            raise self.file.damaged("a case that there is not")
        rows = np.flatnonzero(np.isin(asked.case_of, cases))
        if "weights" not in self.file:
            whole[:, rows] = 1
            if len(rows) > len(cases):
                raise self.file.damaged("no weights of several conditions")
            return whole
        weights = self.file.array("weights", "|u1")
        if weights.shape != (leaves, len(rows)):
            raise self.file.damaged("weights of another number of leaves or conditions")
        whole[:, rows] = weights
        return whole

    def _trees(self, leaves: int) -> list[int]:
        """The numbers of the trees over signs of as many leaves."""
        if not leaves:
            return []
        numbers = self.file.array("signs", "<i4")
        if numbers.shape != (leaves,):
            raise self.file.damaged("trees over signs of another number of leaves")
        return [int(number) for number in numbers]

    def _unproved_by_signs(self, box: Boxes, weights: NDArray[np.uint8], number: int) -> str:
        """What a tree over signs does not prove of a box, in words; empty if it proves it."""
        base = Enclosure(self.stages, box)
        base.by_usual_forms()
        asked = replace(self.asked, region=box)
        if len(asked.constant) > asked.cases:
            asked = asked.with_sums(self._shares(weights), base.interval(len(base.sides)))
        tree = SignTreeCheck(
            self.stages, asked, base, self.excluded, self.places, self.file.part(signs_in(number))
        )
        return tree.unproved()

    def _shares(self, weights: NDArray[np.uint8]) -> Vector:
        """The weights (..., rows) of each case's own conditions (..., cases, rows)."""
        every = np.arange(self.asked.cases)[:, None] == self.asked.case_of
        shares: Vector = weights[..., None, :] * every.astype(np.float64)
        return shares

    def _least(self, boxes: Boxes, weights: NDArray[np.uint8]) -> Vector:
        """What is lacking at least (N, cases): the weighted sum of a case's conditions."""
        asked = self.asked
        enclosure = Enclosure(self.stages, boxes)
        enclosure.by_usual_forms()
        forms, constant, products = enclosure.pulled_back(
            *enclosure.of_outputs(asked.inside, asked.outside, asked.constant)
        )
        forms = np.broadcast_to(forms, (len(boxes), *forms.shape[1:]))
        shares = self._shares(weights)
        # Joining forms is one more sum of products.
        products = products + np.abs(constant) + dot(np.abs(forms), largest(boxes))
        return enclosure.concluded(
            shares @ forms, dot(shares, constant), 2.0 * dot(shares, products)
        )
