"""Where a perturbation may be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from advmip.layout import Layout
from advmip.mip.model import Expression, Flags, ModelBuilder, Vector


@dataclass(frozen=True)
class Box:
    """The perturbations that are allowed: lower <= d <= upper, with lower <= 0 <= upper.

    Attributes:
        lower: Per pixel (pixels,).
        upper: Per pixel (pixels,).
        layout: Which pixels are neighbours.
    """

    lower: Vector
    upper: Vector
    layout: Layout

    @staticmethod
    def around(
        image: Vector,
        layout: Layout | tuple[int, ...],
        lower: Vector | float = 0.0,
        upper: Vector | float = 1.0,
    ) -> Box:
        """All that keeps the image (pixels,) in a domain; a shape has rows and columns last."""
        known = layout if isinstance(layout, Layout) else Layout(layout)
        return Box(lower - image, upper - image, known)

    def within(self, radius: float) -> Box:
        """The part with |d_i| <= radius for every pixel."""
        lower, upper = np.maximum(self.lower, -radius), np.minimum(self.upper, radius)
        return Box(lower, upper, self.layout)

    def on(self, pixels: Flags) -> Box:
        """The part that changes some pixels (pixels,) only."""
        return replace(self, lower=self.lower * pixels, upper=self.upper * pixels)

    def clipped(self, change: Vector) -> Vector:
        """The nearest perturbation in the box to one (pixels,)."""
        return np.asarray(np.clip(change, self.lower, self.upper))

    def reach(self, weights: Vector) -> Vector:
        """How far each pixel can go in the direction that increases weights (rows, pixels)."""
        return np.where(weights > 0, self.upper, -self.lower)


def change_within(builder: ModelBuilder, box: Box, *, objective: ArrayLike = 0.0) -> Expression:
    """One column for the change of each pixel (pixels,), at no cost if no objective is named."""
    columns = builder.add_columns(len(box.lower), box.lower, box.upper, objective=objective)
    return Expression.of(columns)
