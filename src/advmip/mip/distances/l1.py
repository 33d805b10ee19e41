"""L1: the sum of all changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from advmip.mip.distances.absolute_values import AbsoluteValues
from advmip.mip.distances.box import Box
from advmip.mip.distances.distance import Distance
from advmip.mip.model import Expression, Matrix, ModelBuilder, Vector


class L1(Distance):
    """sum_i |d_i|, with d = p - n and p, n >= 0 (Zhu, equation (16), without its rows)."""

    name = "l1"
    sparse = True
    resting = True

    def value(self, perturbation: Vector, box: Box) -> float:
        """The sum of absolute changes."""
        return float(np.abs(perturbation).sum())

    def encode(self, builder: ModelBuilder, box: Box) -> Expression:
        """Columns p and n, each at cost 1."""
        return signed_parts(builder, box, 1.0, 1.0)

    def absolute_values(self, box: Box) -> AbsoluteValues:
        """Those of all changes."""
        pixels = len(box.lower)
        identity = Matrix(sparse.eye_array(pixels))
        return AbsoluteValues(identity, np.zeros(pixels), np.ones(pixels))

    def largest(self, weights: Vector, box: Box, radius: float) -> Vector:
        """A continuous knapsack: the pixels of largest weight are changed first."""
        order = np.argsort(-np.abs(weights), axis=1)
        gain = np.take_along_axis(np.abs(weights), order, axis=1)
        reach = np.take_along_axis(box.reach(weights), order, axis=1)
        spent = np.cumsum(reach, axis=1)
        taken = np.clip(radius - (spent - reach), 0.0, reach)
        return np.asarray((gain * taken).sum(axis=1))


def signed_parts(
    builder: ModelBuilder, box: Box, rising_cost: ArrayLike, falling_cost: ArrayLike
) -> Expression:
    """The change p - n of each pixel, with columns p and n where there is reach.

    Args:
        builder: Takes the columns.
        box: Where the change may be; p and n go from 0 to its sides.
        rising_cost: Of p, one number or one for each pixel.
        falling_cost: Of n.
    """
    rising = sign_part(builder, 1.0, box.upper, rising_cost)
    return rising + sign_part(builder, -1.0, -box.lower, falling_cost)


def sign_part(builder: ModelBuilder, sign: float, reach: Vector, cost: ArrayLike) -> Expression:
    """A change (pixels,) of one sign, with a column for each pixel that has reach (pixels,)."""
    moved = np.flatnonzero(reach > 0)
    costs = np.broadcast_to(np.asarray(cost, np.float64), len(reach))[moved]
    columns = builder.add_columns(len(moved), 0.0, reach[moved], objective=costs)
    return Expression.of(columns).placed(moved, len(reach)).times(sign)
