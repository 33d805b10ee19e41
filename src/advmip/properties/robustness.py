"""Robustness of an image as a property: no image around it has another class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from advmip.properties.expressions import Inequality, logit
from advmip.properties.property import Case, Property


def robustness(
    image: NDArray[np.floating],
    label: int,
    classes: int,
    epsilon: float,
    lower: NDArray[np.floating] | float = 0.0,
    upper: NDArray[np.floating] | float = 1.0,
) -> Property:
    """That every image within L-infinity distance `epsilon` keeps its class; a tie does not.

    Args:
        image: The image, of the network's input shape.
        label: Its class.
        classes: How many classes there are.
        epsilon: The radius.
        lower: The least value of every pixel, or of each.
        upper: The largest.
    """
    low = np.ravel(np.maximum(image - epsilon, lower)).astype(np.float64)
    high = np.ravel(np.minimum(image + epsilon, upper)).astype(np.float64)
    cases = (
        Case(low, high, (Inequality(logit(rival) - logit(label)),))
        for rival in range(classes)
        if rival != label
    )
    return Property(tuple(cases), f"robustness of class {label}")
