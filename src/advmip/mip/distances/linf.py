"""L-infinity: the largest change."""

from __future__ import annotations

import numpy as np

from advmip.mip.distances.box import Box, change_within
from advmip.mip.distances.distance import Distance, interval_largest
from advmip.mip.model import Expression, ModelBuilder, Vector


class LInfinity(Distance):
    """max_i |d_i|, one column w with -w <= d_i <= w (Zhu, equation (29))."""

    name = "linf"

    def value(self, perturbation: Vector, box: Box) -> float:
        """The largest absolute change."""
        return float(np.abs(perturbation).max(initial=0.0))

    def encode(self, builder: ModelBuilder, box: Box) -> Expression:
        """Columns d and w; the rows of one sign only where a pixel can move both ways."""
        most = max(float(box.upper.max(initial=0.0)), float(-box.lower.min(initial=0.0)))
        largest = Expression.of(builder.add_columns(1, 0.0, most, objective=1.0))
        change = change_within(builder, box)
        rising, falling = np.flatnonzero(box.upper > 0), np.flatnonzero(box.lower < 0)
        builder.add_rows(change[rising] - largest.repeated(len(rising)), upper=0.0)
        builder.add_rows(-change[falling] - largest.repeated(len(falling)), upper=0.0)
        return change

    def encode_ball(
        self, builder: ModelBuilder, box: Box, radius: float
    ) -> tuple[Expression, Expression]:
        """The ball is a box itself."""
        return change_within(builder, box.within(radius)), Expression.zeros(1)

    def largest(self, weights: Vector, box: Box, radius: float) -> Vector:
        """The ball is a box itself."""
        return interval_largest(weights, box.within(radius))
