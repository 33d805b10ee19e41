"""L2: the Euclidean length, exactly or by the thesis's piecewise linear square."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from advmip.errors import InputError
from advmip.mip.distances.box import Box, change_within
from advmip.mip.distances.distance import Distance
from advmip.mip.distances.l1 import sign_part
from advmip.mip.model import Expression, Matrix, ModelBuilder, Vector

_FINE = 17


class L2(Distance):
    """sqrt(sum_i d_i^2); a model minimises the square."""

    name = "l2"

    def value(self, perturbation: Vector, box: Box) -> float:
        """The Euclidean length."""
        return float(np.linalg.norm(perturbation))

    def encode(self, builder: ModelBuilder, box: Box) -> Expression:
        """Columns d, each squared at cost 1."""
        columns = builder.add_columns(len(box.lower), box.lower, box.upper, squares=1.0)
        return Expression.of(columns)

    def encode_ball(
        self, builder: ModelBuilder, box: Box, radius: float
    ) -> tuple[Expression, Expression]:
        """The box around the ball, and a cone, which linear programs leave out."""
        change = change_within(builder, box.within(radius))
        if np.isfinite(radius):
            length = builder.add_columns(1, 0.0, radius)
            builder.add_cone(change.matrix.indices.astype(np.intp), int(length[0]))
        return change, Expression.zeros(1)

    @property
    def linear(self) -> Distance:
        """The piecewise linear square, with many breakpoints."""
        return PiecewiseL2(_FINE)

    def largest(self, weights: Vector, box: Box, radius: float) -> Vector:
        """Every pixel changes by min(reach, s |w|), with s as large as the radius allows.

        Pixels come to their reach in the order of reach / |w|; s is found by going through them.
        """
        return np.array(
            [
                _largest(np.abs(row), reach, radius)
                for row, reach in zip(weights, box.reach(weights), strict=True)
            ]
        )

    def objective(self, distance: float) -> float:
        """The square."""
        return distance**2

    def distance(self, objective: float) -> float:
        """The square root."""
        return float(np.sqrt(max(objective, 0.0)))


def _largest(weights: Vector, reach: Vector, radius: float) -> float:
    if not float(np.linalg.norm(reach[weights > 0])) > radius:
        return float(weights @ reach)
    used = (weights > 0) & (reach > 0)
    weights, reach = weights[used], reach[used]
    order = np.argsort(reach / weights)
    weights, reach = weights[order], reach[order]
    # With the first k pixels at their limit, the others share what is left of the radius.
    full = np.concatenate([[0.0], np.cumsum(reach**2)])[:-1]
    rest = np.cumsum(weights[::-1] ** 2)[::-1]
    scale = np.sqrt(np.maximum(radius**2 - full, 0.0) / rest)
    first = int(np.argmax(scale * weights <= reach))
    changes = np.concatenate([reach[:first], scale[first] * weights[first:]])
    return float(weights @ changes)


class PiecewiseL2(L2):
    """The square of each change by straight lines between breakpoints, always from above.

    Zhu's lambda formulation, equations (18) to (28), with K evenly spaced breakpoints of |d_i| in
    [0, 1], or up to the width of another domain:

        |d_i| = sum_k lambda_ik x_k,   cost = sum_k lambda_ik x_k^2,   sum_k lambda_ik = 1,

    where at most two adjacent lambda_ik are not zero. The function is convex and minimised, so the
    optimum satisfies that by itself; with `sos2` it is demanded, as in the thesis.

    Args:
        breakpoints: K, at least 2.
        sos2: Demand adjacency by special ordered sets.
        width: Of the domain.
    """

    resting = True
    closed_form = False

    def __init__(self, breakpoints: int = 5, sos2: bool = False, width: float = 1.0) -> None:
        if breakpoints < 2:
            raise InputError(
                subject="breakpoints of the piecewise linear L2 distance",
                found=str(breakpoints),
                expected="2 or more",
                mend="5 is the thesis's first choice",
            )
        self.breakpoints = breakpoints
        self._sos2 = sos2
        self._grid = np.linspace(0.0, width, breakpoints)
        self.name = f"l2-{breakpoints}"

    def value(self, perturbation: Vector, box: Box) -> float:
        """The root of the sum of approximated squares, at least the Euclidean length."""
        return float(np.sqrt(np.interp(np.abs(perturbation), self._grid, self._grid**2).sum()))

    def encode(self, builder: ModelBuilder, box: Box) -> Expression:
        """The change d = p - n, with |d| = p + n as a mixture of breakpoints.

        Without special ordered sets the mixture is written by its steps: each step of |d| has a
        column of its own, whose cost is the slope of the square there.
        """
        return self._by_lambda(builder, box) if self._sos2 else self._by_steps(builder, box)

    def encode_ball(
        self, builder: ModelBuilder, box: Box, radius: float
    ) -> tuple[Expression, Expression]:
        """The steps, with their costs limited."""
        change = self._by_steps(builder, box)
        return change, builder.limit_objective(self.objective(radius))

    @property
    def linear(self) -> Distance:
        """Itself, by steps."""
        return PiecewiseL2(self.breakpoints, width=self._grid[-1]) if self._sos2 else self

    def over(self, width: float) -> Distance:
        """The same number of breakpoints, up to the width."""
        return PiecewiseL2(self.breakpoints, self._sos2, width)

    def _by_steps(self, builder: ModelBuilder, box: Box) -> Expression:
        change = Expression.zeros(len(box.lower))
        for sign, reach in ((1.0, box.upper), (-1.0, -box.lower)):
            for left, right in pairwise(self._grid):
                length = np.minimum(reach, right) - left
                change = change + sign_part(builder, sign, length, left + right)
        return change

    def _by_lambda(self, builder: ModelBuilder, box: Box) -> Expression:
        pixels = len(box.lower)
        up = Expression.of(builder.add_columns(pixels, 0.0, np.maximum(box.upper, 0.0)))
        down = Expression.of(builder.add_columns(pixels, 0.0, np.maximum(-box.lower, 0.0)))
        cost = np.tile(self._grid**2, pixels)
        shares = builder.add_columns(pixels * self.breakpoints, 0.0, 1.0, objective=cost)
        rows = np.repeat(np.arange(pixels), self.breakpoints)
        places = np.arange(pixels * self.breakpoints)
        sums = Matrix((np.ones(len(places)), (rows, places)))
        mixture = Matrix((np.tile(self._grid, pixels), (rows, places)))
        share = Expression.of(shares)
        builder.add_rows(share.mapped(sums), 1.0, 1.0)
        builder.add_rows(share.mapped(mixture) - up - down, 0.0, 0.0)
        for pixel in range(pixels):
            builder.add_sos2(shares[pixel * self.breakpoints :][: self.breakpoints])
        return up - down
