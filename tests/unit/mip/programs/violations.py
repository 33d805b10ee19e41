"""By how much a point misses a model."""

from __future__ import annotations

import numpy as np

from advmip.mip.model import Model, Vector


def largest_violation(model: Model, point: Vector) -> float:
    """By how much a point leaves the bounds or rows."""
    activity = model.matrix @ point
    beyond = (
        model.lower - point,
        point - model.upper,
        model.row_lower - activity,
        activity - model.row_upper,
    )
    return float(max(np.max(each, initial=0.0) for each in beyond))
