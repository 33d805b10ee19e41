"""No distance at all: the box alone."""

from __future__ import annotations

from advmip.mip.distances.box import Box, change_within
from advmip.mip.distances.distance import Distance, interval_largest
from advmip.mip.model import Expression, ModelBuilder, Vector


class NoDistance(Distance):
    """Every point of the box is as good as any other: to bound neurons over the whole box."""

    name = "none"

    def value(self, perturbation: Vector, box: Box) -> float:
        """Zero."""
        return 0.0

    def encode(self, builder: ModelBuilder, box: Box) -> Expression:
        """Columns d without cost."""
        return change_within(builder, box)

    def largest(self, weights: Vector, box: Box, radius: float) -> Vector:
        """The largest value over the box."""
        return interval_largest(weights, box)
