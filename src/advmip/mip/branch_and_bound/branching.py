"""Which neuron a node is split by, and which half is done first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from advmip.mip.branch_and_bound.node import ACTIVE, INACTIVE, Branching, Node, NodePoint, Signs
from advmip.mip.model import Indices, Vector

# The value (or inf: of no interest) of the node with these signs.
Probe = Callable[[Signs], float]


@dataclass(frozen=True)
class Split:
    """A decision.

    Attributes:
        neuron: The neuron.
        first: The side that is done first, `ACTIVE` or `INACTIVE`.
        bounds: What is known of the objective on each side.
    """

    neuron: int
    first: int
    bounds: dict[int, float]


class Rule(Protocol):
    """A branching rule; it may learn from what branching brought."""

    def split(
        self, node: Node, point: NodePoint, candidates: Indices, cutoff: float, probe: Probe
    ) -> Split:
        """Choose a neuron.

        Args:
            node: The node.
            point: The optimum of its relaxation.
            candidates: The neurons whose relaxation is not exact at the point.
            cutoff: Objectives from here on are of no interest.
            probe: Solves a child's relaxation.
        """

    def learn(self, branching: Branching, value: float) -> None:
        """Take note of what the relaxation of a child gave."""


@dataclass(frozen=True)
class Look:
    """A rule that looks at the point alone, and does the active side first.

    Attributes:
        score: A score of each neuron (neurons,); the largest is chosen.
    """

    score: Callable[[NodePoint], Vector]

    def split(
        self, node: Node, point: NodePoint, candidates: Indices, cutoff: float, probe: Probe
    ) -> Split:
        """The best of the candidates."""
        chosen = int(candidates[np.argmax(self.score(point)[candidates])])
        return Split(chosen, ACTIVE, {ACTIVE: point.value, INACTIVE: point.value})

    def learn(self, branching: Branching, value: float) -> None:
        """There is nothing to learn."""


# Gains below this share of the gap hardly tell neurons apart, as where the value stays at 0.
_FLOOR = 0.2


class Reliability:
    """The largest product of both sides' gains and the weighted output.

    Reliability branching (Achterberg, Koch & Martin 2005): a neuron's gain on a side is the mean
    gain per unit of error so far times its error; as long as fewer than `trials` make up the mean,
    the child itself is solved. Gains count as shares of the gap to the cutoff, and all of them a
    little more than nothing. Only the best few neurons by weighted output are looked at.

    Args:
        trials: How many make a mean reliable.
        shortlist: How many neurons are looked at.
    """

    def __init__(self, trials: int = 2, shortlist: int = 8) -> None:
        self._trials = trials
        self._shortlist = shortlist
        self._gains: dict[int, Vector] = {}
        self._counts: dict[int, Vector] = {}

    def split(
        self, node: Node, point: NodePoint, candidates: Indices, cutoff: float, probe: Probe
    ) -> Split:
        """Solve the children of those whose gains are not known well."""
        self._prepare(len(node.signs))
        weighted = weighted_output(point)
        order = np.argsort(-weighted[candidates])
        best, score = None, -1.0
        for neuron in candidates[order[: self._shortlist]]:
            bounds, gains = {ACTIVE: point.value, INACTIVE: point.value}, []
            for side, errors in ((ACTIVE, point.slacks), (INACTIVE, point.outputs)):
                error = float(errors[neuron])
                if self._counts[side][neuron] < self._trials:
                    signs = node.signs.copy()
                    signs[neuron] = side
                    found = probe(signs)
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
                best, score = Split(int(neuron), ACTIVE, bounds), product
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
    return point.outputs * (point.slacks / point.range_down)
