"""Which neuron a node is split by, and which half is done first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from advmip.mip.branch_and_bound.node import ACTIVE, INACTIVE, OPEN, Branching, Node, Signs
from advmip.mip.model import Indices, Vector

# The value (or inf: of no interest) of the node with these signs.
NodeValue = Callable[[Signs], float]


@dataclass(frozen=True, slots=True)
class NodePoint:
    """The optimum of a node's relaxation.

    Attributes:
        value: Its objective.
        change: The perturbation (pixels,).
        outputs: x of each unstable neuron (neurons,).
        slacks: s of each, where x - s is what enters it.
        largest_slacks: The largest s that the neuron's bounds allow.
    """

    value: float
    change: Vector
    outputs: Vector
    slacks: Vector
    largest_slacks: Vector

    @property
    def errors(self) -> Vector:
        """By how much x exceeds max(x - s, 0)."""
        return np.minimum(self.outputs, self.slacks)

    def distance_to(self, side: int) -> Vector:
        """By how much each neuron misses a side (neurons,): its s or its x."""
        return self.slacks if side == ACTIVE else self.outputs


@dataclass(frozen=True)
class BranchingDecision:
    """A decision.

    Attributes:
        neuron: The neuron.
        first: The side that is done first, `ACTIVE` or `INACTIVE`.
        bounds: What is known of the objective on each side.
    """

    neuron: int
    first: int
    bounds: dict[int, float]

    def children(self, node: Node, point: NodePoint, cutoff: float) -> list[Node]:
        """The children that are of interest, the one that is done first at the front.

        Args:
            node: The node.
            point: The optimum of its relaxation.
            cutoff: Objectives from here on are of no interest.
        """
        children = []
        for side in (self.first, -self.first):
            if self.bounds[side] < cutoff:
                error = float(point.distance_to(side)[self.neuron])
                branching = Branching(self.neuron, side, error, point.value)
                signs = node.child_signs(self.neuron, side)
                children.append(Node(signs, self.bounds[side], branching))
        return children


def split_blindly(node: Node) -> list[Node]:
    """The children by any open neuron, where there is no point to choose by; none without one."""
    unheld = np.flatnonzero(node.signs == OPEN)
    if not unheld.size:
        return []
    neuron = int(unheld[0])
    return [Node(node.child_signs(neuron, side), node.bound) for side in (ACTIVE, INACTIVE)]


class BranchingRule(Protocol):
    """A branching rule; it may learn from what branching brought."""

    def split(
        self, node: Node, point: NodePoint, candidates: Indices, cutoff: float, value: NodeValue
    ) -> BranchingDecision:
        """Choose a neuron.

        Args:
            node: The node.
            point: The optimum of its relaxation.
            candidates: The neurons whose relaxation is not exact at the point.
            cutoff: Objectives from here on are of no interest.
            value: Solves the relaxation of a child (strong branching).
        """

    def learn(self, branching: Branching, value: float) -> None:
        """Take note of what the relaxation of a child gave."""


@dataclass(frozen=True)
class LargestScore:
    """The neuron of the largest score at the point, and its active side first.

    Attributes:
        score: A score of each neuron (neurons,); the largest is chosen.
    """

    score: Callable[[NodePoint], Vector]

    def split(
        self, node: Node, point: NodePoint, candidates: Indices, cutoff: float, value: NodeValue
    ) -> BranchingDecision:
        """The best of the candidates."""
        chosen = int(candidates[np.argmax(self.score(point)[candidates])])
        return BranchingDecision(chosen, ACTIVE, {ACTIVE: point.value, INACTIVE: point.value})

    def learn(self, branching: Branching, value: float) -> None:
        """There is nothing to learn."""


# Gains below this share of the gap hardly tell neurons apart, as where the value stays at 0.
_FLOOR = 0.2
# So many gains make a mean reliable.
_RELIABLE = 2
# So many neurons are looked at.
_SHORTLIST = 8


class ReliabilityBranching:
    """The largest product of both sides' gains and the weighted output.

    Reliability branching (Achterberg, Koch & Martin 2005): a neuron's gain on a side is its
    pseudocost, the mean gain per unit of error so far, times its error; as long as too
    few make up the mean, the child itself is solved (strong branching). Gains count as
    shares of the gap to the cutoff, and all of them a little more than nothing. Only the best few
    neurons by weighted output are looked at.
    """

    def __init__(self) -> None:
        self._gains: dict[int, Vector] = {}
        self._counts: dict[int, Vector] = {}

    def split(
        self, node: Node, point: NodePoint, candidates: Indices, cutoff: float, value: NodeValue
    ) -> BranchingDecision:
        """Solve the children of those whose gains are not known well."""
        self._prepare(len(node.signs))
        weighted = weighted_output(point)
        order = np.argsort(-weighted[candidates])
        best, score = None, -1.0
        for neuron in candidates[order[:_SHORTLIST]]:
            bounds, gains = {ACTIVE: point.value, INACTIVE: point.value}, []
            for side in (ACTIVE, INACTIVE):
                error = float(point.distance_to(side)[neuron])
                if self._counts[side][neuron] < _RELIABLE:
                    found = value(node.child_signs(int(neuron), side))
                    bounds[side] = max(point.value, found)
                    gain = min(bounds[side], cutoff) - point.value
                    self._add(int(neuron), side, error, gain)
                else:
                    mean = self._gains[side][neuron] / self._counts[side][neuron]
                    gain = min(error * mean, cutoff - point.value)
                gains.append(gain)
            gap = cutoff - point.value
            shares = [1.0 if gain >= gap else gain / gap for gain in gains]
            product = (shares[0] + _FLOOR) * (shares[1] + _FLOOR) * float(weighted[neuron])
            if product > score:
                best, score = BranchingDecision(int(neuron), ACTIVE, bounds), product
            if min(bounds.values()) >= cutoff:
                break
        assert best is not None
        return best

    def learn(self, branching: Branching, value: float) -> None:
        """One more gain for the mean."""
        gain = value - branching.value
        self._add(branching.neuron, branching.side, branching.error, gain)

    def _prepare(self, neurons: int) -> None:
        if not self._gains:
            self._gains = {side: np.zeros(neurons) for side in (ACTIVE, INACTIVE)}
            self._counts = {side: np.zeros(neurons) for side in (ACTIVE, INACTIVE)}

    def _add(self, neuron: int, side: int, error: float, gain: float) -> None:
        # Without a cutoff, a side without any point has no gain that could be averaged.
        if np.isfinite(gain):
            self._gains[side][neuron] += gain / max(error, 1e-9)
            self._counts[side][neuron] += 1


def largest_output(point: NodePoint) -> Vector:
    """The output x itself (Ben Mhenni, Section 3.2)."""
    return point.outputs


def weighted_output(point: NodePoint) -> Vector:
    """The product x s / -l: a large output counts as far as the inactive side is missed too."""
    return point.outputs * (point.slacks / point.largest_slacks)
