"""The least and the largest inputs of neurons, by linear programs."""

from __future__ import annotations

import time

import numpy as np

from advmip.mip.deadline import is_up
from advmip.mip.encoding import Interval
from advmip.mip.model import Indices
from advmip.mip.problem import Encoding
from advmip.mip.programs.linear_program import LinearProgram


def extremes(
    program: LinearProgram,
    encoding: Encoding,
    place: int,
    bounded: Indices,
    known: Interval,
    deadline: float,
) -> Interval | None:
    """Bounds of what enters some neurons of a layer, over a linear program.

    Args:
        program: The program.
        encoding: What it is of.
        place: The layer.
        bounded: The neurons.
        known: Bounds of the layer that hold already.
        deadline: When to stop at the latest, by `time.perf_counter`; what is open then stays.

    Returns:
        The bounds of the layer; None if the program has no point.
    """
    program.limit_time(deadline - time.perf_counter())
    rows, columns = encoding.preactivations[place][bounded], len(encoding.model.lower)
    lower, upper = known.lower.copy(), known.upper.copy()
    for sign, side in ((1.0, lower), (-1.0, upper)):
        costs = rows.each_written_out(columns)
        for neuron, cost, constant in zip(bounded, costs, rows.constant, strict=True):
            if time.perf_counter() > deadline or is_up():
                break
            least = program.proved_minimum(sign * cost)
            if least == np.inf:
                return None
            side[neuron] = sign * least + constant
    return known.intersected(Interval(lower, upper))
