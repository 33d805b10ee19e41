"""The relaxation of a whole problem, in one linear program, while its neurons' bounds shrink.

Every neuron is bounded over the same set: the ball, all layers and the goal. A tighter bound only
changes the neuron's triangle, so from neuron to neuron, layer to layer and round to round the
program goes on from its last basis, and with the columns that came in.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advmip.mip.bounds.extremes import extremes
from advmip.mip.encoding import Interval
from advmip.mip.formulations.triangle import Triangle
from advmip.mip.model import Indices
from advmip.mip.problem import Problem, encode


class WholeProblem:
    """The points of a problem within its radius, with a triangle for each open neuron.

    Args:
        problem: The problem.
        bounds: Bounds of the neurons that hold for every point of interest.
    """

    def __init__(self, problem: Problem, bounds: Sequence[Interval]) -> None:
        self._triangles = Triangle()
        self._encoding = encode(problem.sifted(), bounds, self._triangles, ball=True)
        self._program = self._encoding.program("primal")
        self._open = [interval.unstable for interval in bounds[:-1]]

    def tightened(self, place: int, bounded: Indices, known: Interval) -> Interval | None:
        """Bounds of what enters a layer, part of the program from now on.

        Args:
            place: The layer.
            bounded: The neurons that are bounded.
            known: Bounds of the layer that hold already.

        Returns:
            The bounds; None if the program has no point.
        """
        found = extremes(self._program.proved_minimum, self._encoding, place, bounded, known)
        if found is not None:
            self.take_over(place, found)
        return found

    def take_over(self, place: int, interval: Interval) -> None:
        """Make tighter bounds of what enters a layer part of the program."""
        neurons = self._open[place]
        lower, upper = interval.lower[neurons], interval.upper[neurons]
        first = sum(each.size for each in self._open[:place])
        these = slice(first, first + neurons.size)
        outputs, slacks = self._triangles.positive[these], self._triangles.negative[these]
        self._program.set_bounds(
            np.maximum(np.concatenate([lower, -upper]), 0.0),
            np.maximum(np.concatenate([upper, -lower]), 0.0),
            np.concatenate([outputs, slacks]),
        )
        # A neuron that is stable now is held on its side; its old triangle holds all the same.
        still = np.flatnonzero((lower < 0) & (upper > 0))
        rows = self._triangles.rows[these][still]
        self._program.change_coefficients(
            np.concatenate([rows, rows]),
            np.concatenate([outputs[still], slacks[still]]),
            np.concatenate([1.0 / upper[still], -1.0 / lower[still]]),
        )
