"""Bounds over a Euclidean ball by quadratic programs: the ball itself, not the box around it.

Where the square q of the distance is at most U^2, every m > 0 bounds what enters a neuron,

    p  <=  m U^2 + max (p - m q),

the maximum being over the relaxation of the problem; for the best m it is attained where q = U^2.
So m follows U: a program's solution has some q, and the next m is the last one times sqrt(q) / U.
Only costs change between the programs, and the multipliers stay.
"""

from __future__ import annotations

import numpy as np

from advmip.mip.bounds.extremes import extremes
from advmip.mip.deadline import time_is_up
from advmip.mip.encoding import Interval
from advmip.mip.model import Indices, Vector
from advmip.mip.problem import Encoding
from advmip.mip.programs.quadratic_program import QuadraticProgram

_STEPS = 2
# A better solution of a program would hardly give another bound.
_ACCURACY = 0.1
# A length so near to the radius, as a share of it, is near enough.
_NEAR = 0.05
# What rounding may take from a bound.
_TOLERANCE = 1e-6


class EuclideanBall:
    """The relaxation of a problem within a radius.

    Args:
        encoding: The problem, whose objective is the square of the distance.
        radius: Only points nearer than this are of interest; finite.

    Attributes:
        program: Its quadratic program.
    """

    def __init__(self, encoding: Encoding, radius: float) -> None:
        self._encoding, self._model = encoding, encoding.model
        self._radius = radius
        self.program = QuadraticProgram(encoding.model, _ACCURACY)

    def extremes(self, place: int, bounded: Indices, known: Interval) -> Interval | None:
        """Bounds of what enters some neurons of a layer.

        Args:
            place: The layer.
            bounded: The neurons.
            known: Bounds of the layer that hold already.

        Returns:
            The bounds of the layer; None if the relaxation has no point within the radius.
        """
        self.program.set_costs(self._model.objective)
        if self.program.resolve() > self._radius**2 * (1.0 + _TOLERANCE):
            return None
        return extremes(self._least, self._encoding, place, bounded, known)

    def _least(self, form: Vector) -> float:
        """What a form in the columns is not below; -inf if the time is up."""
        squared = float(np.linalg.norm(form[self._model.squares > 0]))
        # Exact where the form is one of squared columns, and nothing but the ball limits it.
        price = squared / (2.0 * self._radius) if squared > 0 else 1.0
        best = -np.inf
        for _ in range(_STEPS):
            if time_is_up():
                break
            self.program.set_costs(self._model.objective + form / price)
            least = price * (self.program.resolve() - self._radius**2)
            if not np.isfinite(least):
                break
            best = max(best, least - _TOLERANCE * (1.0 + abs(least)))
            length = float(np.sqrt(max(self._model.value(self.program.point()), 0.0)))
            if abs(length - self._radius) < _NEAR * self._radius:
                break
            price *= max(length / self._radius, 0.1)
        return best
