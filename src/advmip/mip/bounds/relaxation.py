"""Bounds by programs: over the layers before a neuron, or over the whole problem."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from advmip.mip.bounds.euclidean_ball import EuclideanBall
from advmip.mip.bounds.interval import stage_bounds
from advmip.mip.encoding import Interval
from advmip.mip.formulations import Formulation
from advmip.mip.formulations.triangle import Triangle
from advmip.mip.model import Indices
from advmip.mip.problem import Encoding, Problem, encode
from advmip.mip.projection import projected
from advmip.mip.targets import Anything


def relaxation_bounds(
    problem: Problem,
    bounds: Sequence[Interval],
    deadline: float = np.inf,
    *,
    formulation: Formulation | None = None,
    every: bool = False,
    substitute: bool = False,
    priced: bool = False,
) -> list[Interval] | None:
    """Tighter bounds of every unstable neuron, layer by layer.

    Each bound is the least or largest input of the neuron over the linear relaxation of the
    problem. With a goal to meet, that is the whole problem (the ball, all layers, the goal), and
    the bounds hold for every point that meets the goal within the problem's radius:
    optimality-based bound tightening. Without one, it is the layers before the neuron.

    Args:
        problem: The problem, with the radius of the best point that is known.
        bounds: Bounds that hold already.
        deadline: When to stop at the latest, by `time.perf_counter`; what is open then stays.
        formulation: Of the unstable neurons before; the triangle if left out.
        every: Bound stable neurons as well.
        substitute: Give stable neurons no columns.
        priced: With squares, let the relaxation know that a neuron's output or its slack is 0.

    Returns:
        The bounds, or None if the relaxation has no point: nothing nearer than the radius exists.
    """
    projection = projected(problem) if np.isfinite(problem.radius) else None
    tightened = list(bounds)
    for place, stage in enumerate(problem.network.hidden):
        tightened[place] = tightened[place].intersected(stage_bounds(problem, stage, tightened))
        bounded = np.arange(stage.width) if every else tightened[place].unstable
        if not bounded.size or time.perf_counter() > deadline:
            continue
        depth = place if isinstance(problem.goal, Anything) else None
        if projection is not None and depth == 0:
            # Over the ball alone, bounds in closed form are exact.
            continue
        shape = formulation or Triangle()
        if projection is None:
            encoding = encode(
                problem.sifted(), tightened, shape, ball=True, depth=depth, substitute=substitute
            )
            found = _extremes(encoding, place, bounded, tightened[place], deadline)
        else:
            encoding = encode(
                projection.problem, tightened, shape, depth=depth, substitute=substitute
            )
            ball = EuclideanBall(encoding, problem.radius, deadline)
            if priced and isinstance(shape, Triangle):
                ball.price_products(shape.positive, shape.negative)
            found = ball.extremes(place, bounded, tightened[place])
        if found is None:
            return None
        tightened[place] = found
    logits = stage_bounds(problem, problem.network.output, tightened)
    tightened[-1] = tightened[-1].intersected(logits)
    return tightened


def _extremes(
    encoding: Encoding, place: int, bounded: Indices, known: Interval, deadline: float
) -> Interval | None:
    program = encoding.program("primal")
    program.limit_time(deadline - time.perf_counter())
    rows = encoding.preactivations[place][bounded]
    costs = rows.written_out(len(encoding.model.lower))
    lower, upper = known.lower.copy(), known.upper.copy()
    for sign, side in ((1.0, lower), (-1.0, upper)):
        for neuron, cost, constant in zip(bounded, costs, rows.constant, strict=True):
            if time.perf_counter() > deadline:
                break
            least = program.proved_minimum(sign * cost)
            if least == np.inf:
                return None
            side[neuron] = sign * least + constant
    return known.intersected(Interval(lower, upper))
