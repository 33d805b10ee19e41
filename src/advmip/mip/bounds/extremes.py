"""The least and the largest inputs of neurons over a relaxation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from advmip.mip.deadline import time_is_up
from advmip.mip.encoding import Interval
from advmip.mip.model import Indices, Vector
from advmip.mip.problem import Encoding


def extremes(
    least: Callable[[Vector], float],
    encoding: Encoding,
    place: int,
    bounded: Indices,
    known: Interval,
) -> Interval | None:
    """Bounds of what enters some neurons of a layer, as far as there is time.

    Args:
        least: What a form in the columns is not below; inf if the relaxation has no point, -inf if
            nothing is known.
        encoding: The problem.
        place: The layer.
        bounded: The neurons.
        known: Bounds of the layer that hold already.

    Returns:
        The bounds of the layer; None if the relaxation has no point.
    """
    rows, columns = encoding.preactivations[place][bounded], len(encoding.model.lower)
    lower, upper = known.lower.copy(), known.upper.copy()
    for sign, side in ((1.0, lower), (-1.0, upper)):
        costs = rows.each_written_out(columns)
        for neuron, cost, constant in zip(bounded, costs, rows.constant, strict=True):
            if time_is_up():
                break
            found = least(sign * cost)
            if found == np.inf:
                return None
            side[neuron] = sign * found + constant
    return known.intersected(Interval(lower, upper))
