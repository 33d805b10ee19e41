"""Rows above ReLUs that fall towards the image, found by linear programs.

A triangle takes what enters a neuron to be anywhere in the range [l, u] that it has over the whole
ball. The optimum of a linear relaxation lies far inside the ball, at a small distance s from the
image, where the range is much smaller: at s = 0 it is p_0 alone. So, for a neuron that is inactive
at the image (p_0 < 0), take the row

    x <= a (p - p_0 + r s)

which is exact there. It holds for every point of interest if

    r >= (p_0 - p) / s            wherever the neuron is inactive (x = 0),
    a >= p / (p - p_0 + r s)      wherever it is active (x = p),

and the least such r and a are two fractional programs over the relaxation, with the neuron held on
one side. Each is solved by a few linear programs (Dinkelbach 1967). For a neuron that is active at
the image, the same is said of x - p and -p in place of x and p. Layer by layer, each with the rows
of those before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from advmip.mip.deadline import as_far_as, time_is_up
from advmip.mip.encoding import Interval
from advmip.mip.formulations.distance_cut import DistanceCut
from advmip.mip.formulations.triangle import Triangle
from advmip.mip.model import Vector
from advmip.mip.problem import Encoding, Problem, encode

# Slope, rate and constant of x <= slope p + rate s + constant.
Row = tuple[float, float, float]

# Linear programs for each fractional one, at most.
_STEPS = 6
# A ratio that no point exceeds by more than this share is the largest.
_ENOUGH = 1e-3
# The rows are exact at this share of the largest objective before s = 0: without room, a
# tolerance divided by s = 0 would be the largest ratio.
_OFFSET = 1e-3


def distance_cuts_pay(problem: Problem) -> bool:
    """Whether a problem may have distance cuts: it needs a finite radius and a sparse distance.

    For another distance the programs are so dear that distance cuts cost more than they save
    (`docs/distance-aware-cuts.md`).
    """
    return problem.distance.sifted.sparse and bool(np.isfinite(problem.radius))


def with_distance_cuts(problem: Problem, bounds: Sequence[Interval]) -> Problem:
    """The problem with rows above its layers of ReLUs.

    Args:
        problem: The problem; distance cuts that it has are replaced.
        bounds: Bounds of the neurons that hold for every point of interest.

    Returns:
        The problem; without distance cuts where they do not pay.
    """
    problem = replace(problem, distance_cuts=())
    if not distance_cuts_pay(problem):
        return problem
    at_image = problem.network.preactivations(problem.image)
    first = 0
    with as_far_as():
        for place, interval in enumerate(bounds[:-1]):
            open_neurons = interval.unstable
            triangles = Triangle()
            encoding = encode(problem.sifted(), bounds, triangles)
            these = slice(first, first + open_neurons.size)
            first += open_neurons.size
            relaxed = _Relaxed(problem, encoding)
            rows = [
                None
                if time_is_up()
                else relaxed.row(float(at_image[place][neuron]), int(output), int(slack))
                for neuron, output, slack in zip(
                    open_neurons, triangles.positive[these], triangles.negative[these], strict=True
                )
            ]
            found = [number for number, row in enumerate(rows) if row is not None]
            values = np.array([rows[number] for number in found]).reshape(-1, 3)
            cut = DistanceCut(open_neurons[found], *values.T)
            problem = replace(problem, distance_cuts=(*problem.distance_cuts, cut))
    return problem


class _Relaxed:
    """The relaxation, in which one neuron after another is held on either side.

    Args:
        problem: The problem.
        encoding: Its relaxation.
    """

    def __init__(self, problem: Problem, encoding: Encoding) -> None:
        model = encoding.model
        self._costs, self._upper = model.objective, model.upper
        self._offset = _OFFSET * problem.radius
        self._program = replace(encoding, model=model.limited(problem.radius)).program("primal")

    def row(self, at_image: float, output: int, slack: int) -> Row | None:
        """Slope, rate and constant for a neuron; None if there is no time left, or no point.

        Args:
            at_image: What enters the neuron at the image.
            output: The column of what leaves it.
            slack: The column of what leaves it less what enters it.
        """
        mirrored = at_image > 0
        if mirrored:
            output, slack = slack, output
        entering = np.zeros(len(self._costs))
        entering[[output, slack]] = 1.0, -1.0
        spent = _Affine(self._costs, self._offset)
        fall = _Affine(-entering, -abs(at_image))
        rate, inactive = self._largest_ratio(fall, spent, held=output)
        above = _Affine(entering + rate * self._costs, abs(at_image) + rate * self._offset)
        slope, active = self._largest_ratio(_Affine(entering, 0.0), above, held=slack)
        # The row must hold on both sides, whatever ratios were found.
        least = min(slope * inactive if inactive < np.inf else np.inf, active)
        if not np.isfinite([least, slope * rate]).all() or inactive == -np.inf:
            return None
        return (1.0 - slope if mirrored else slope), slope * rate, -least

    def _largest_ratio(
        self, numerator: _Affine, denominator: _Affine, *, held: int
    ) -> tuple[float, float]:
        """The largest ratio that is found, with a column held at 0; at least 0.

        Returns:
            The ratio, and the proved minimum of ratio * denominator - numerator, both without
            their constants; inf if there is no point.
        """
        nothing, column = np.zeros(1), np.array([held])
        self._program.set_bounds(nothing, nothing, column)
        ratio = 0.0
        for step in range(1, _STEPS + 1):
            least = self._program.proved_minimum(ratio * denominator.row - numerator.row)
            if step == _STEPS or not np.isfinite(least):
                break
            point = self._program.point()
            below = denominator.at(point)
            higher = numerator.at(point) / below if below > 0 else ratio
            if higher <= ratio + _ENOUGH * abs(ratio) + _ENOUGH**2:
                break
            ratio = higher
        self._program.set_bounds(nothing, self._upper[column], column)
        return ratio, least


@dataclass(frozen=True)
class _Affine:
    """row @ x + constant."""

    row: Vector
    constant: float

    def at(self, point: Vector) -> float:
        """Its value at a point (columns,)."""
        return float(self.row @ point) + self.constant
