"""Trees over boxes of inputs: what a file keeps of them, and the check of it.

    cases     the cases that the tree is to exclude
    cuts      of each box, breadth first, the input by which it is halved; -1 for a leaf
    weights   of each leaf in this order, a row of whole numbers for all conditions of these cases;
              only if a case has several: all of its conditions are met only where their sum with
              these weights is

A box is halved in its middle, the lower half first. All lines are the usual ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from advmip.checking.proofs.enclosure import Enclosure, Indices, Stages
from advmip.checking.proofs.files import RegionFile, RegionWriter
from advmip.checking.proofs.questions import Asked
from advmip.checking.proofs.regions import Boxes, Vector, dot, largest

# Boxes that are bounded at a time.
_BATCH = 256


def write_input_tree(
    region: RegionWriter,
    cases: Indices,
    halves: Sequence[tuple[int, int]],
    weights: NDArray[np.uint8] | None,
) -> None:
    """Write a tree.

    Args:
        region: Takes what proves the region.
        cases: The cases that it excludes.
        halves: Of each box, the root first, the input by which it is halved and the number of its
            lower half, before that of the upper one; -1 and -1 for a leaf.
        weights: Of each box those of a leaf (boxes, conditions), as they are kept.
    """
    order = [0]
    for box in order:  # grows on the way
        if halves[box][0] >= 0:
            order += [halves[box][1], halves[box][1] + 1]
    cuts = np.array([halves[box][0] for box in order])
    region.add(cases=cases.astype("<i4"), cuts=cuts.astype("<i4"))
    if weights is not None:
        region.add(weights=weights[np.array(order)[cuts < 0]])


@dataclass
class InputTreeCheck:
    """The check of one tree.

    Args:
        stages: The network.
        asked: The region, a box, and its cases.
        excluded: Which cases are excluded already (cases,).
        file: What the file says of the region.

    Attributes:
        leaves: How many were seen.
    """

    stages: Stages
    asked: Asked
    excluded: NDArray[np.bool_]
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
        leaves = int((cuts < 0).sum())
        weights = self._weights(leaves)
        begin = 0
        while len(boxes):
            here = cuts[begin : begin + len(boxes)]
            if len(here) < len(boxes):
                return f"a leaf is missing: {len(boxes) - len(here)} boxes have no entry"
            begin += len(boxes)
            closed = boxes[here < 0]
            for start in range(0, len(closed), _BATCH):
                some = closed[start : start + _BATCH]
                lacking = self._least(some, weights[self.leaves : self.leaves + len(some)])
                for leaf, case in np.argwhere(~((lacking > 0) | self.excluded)):
                    return f"leaf {self.leaves + leaf + 1} leaves case {case} open"
                self.leaves += len(some)
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

    def _least(self, boxes: Boxes, weights: NDArray[np.uint8]) -> Vector:
        """What is lacking at least (N, cases): the weighted sum of a case's conditions."""
        asked = self.asked
        enclosure = Enclosure(self.stages, boxes)
        enclosure.by_usual_forms()
        forms, constant, products = enclosure.pulled_back(
            *enclosure.of_outputs(asked.inside, asked.outside, asked.constant)
        )
        forms = np.broadcast_to(forms, (len(boxes), *forms.shape[1:]))
        every = np.arange(asked.cases)[:, None] == asked.case_of
        shares = weights[:, None] * every.astype(np.float64)
        # Joining forms is one more sum of products.
        products = products + np.abs(constant) + dot(np.abs(forms), largest(boxes))
        return enclosure.concluded(
            shares @ forms, dot(shares, constant), 2.0 * dot(shares, products)
        )
