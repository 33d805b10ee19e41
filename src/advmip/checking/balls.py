"""Whether an image lies in a closed ball around another: in exact arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


def in_ball(
    image: NDArray[np.float64], other: NDArray[np.float64], radius: float, norm: str
) -> bool:
    """Whether ||other - image|| <= radius, with no rounding at all.

    Args:
        image: The centre.
        other: An image of the same shape.
        radius: The ball's radius, as the number that float64 holds.
        norm: "linf", "l1" or "l2".
    """
    moved = np.flatnonzero(other.ravel() != image.ravel())
    changes = [
        abs(Fraction(there) - Fraction(here))
        for here, there in zip(
            image.ravel()[moved].tolist(), other.ravel()[moved].tolist(), strict=True
        )
    ]
    if math.isinf(radius):
        return True
    limit = Fraction(radius)
    if norm == "linf":
        return all(change <= limit for change in changes)
    if norm == "l1":
        return sum(changes) <= limit
    return sum(change * change for change in changes) <= limit * limit
