"""Bounds by programs: over the layers before a neuron, or over the whole problem."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advmip.mip.bounds.euclidean_ball import EuclideanBall
from advmip.mip.bounds.extremes import extremes
from advmip.mip.bounds.interval import stage_bounds
from advmip.mip.bounds.whole_problem import WholeProblem
from advmip.mip.deadline import as_far_as, checkpoint
from advmip.mip.encoding import Interval
from advmip.mip.formulations import Formulation
from advmip.mip.formulations.triangle import Triangle
from advmip.mip.goals import NO_GOAL
from advmip.mip.problem import Problem, encode
from advmip.mip.projection import projected


def relaxation_bounds(
    problem: Problem,
    bounds: Sequence[Interval],
    *,
    formulation: Formulation | None = None,
    every: bool = False,
    substitute: bool = False,
    priced: bool = False,
    whole: WholeProblem | None = None,
) -> list[Interval] | None:
    """Tighter bounds of every unstable neuron, layer by layer.

    Each bound is the least or largest input of the neuron over the linear relaxation of the
    problem. With a goal to meet, that is the whole problem (the ball, all layers, the goal), and
    the bounds hold for every point that meets the goal within the problem's radius:
    optimality-based bound tightening. Without one, it is the layers before the neuron.

    Args:
        problem: The problem, with the radius of the best point that is known.
        bounds: Bounds that hold already.
        formulation: Of the unstable neurons before; the triangle if left out.
        every: Bound stable neurons as well.
        substitute: Give stable neurons no columns.
        priced: With squares, let the relaxation know that a neuron's output or its slack is 0.
        whole: The relaxation of the whole problem from an earlier round, of the same problem.

    Returns:
        The bounds, or None if the relaxation has no point: nothing nearer than the radius exists.
    """
    tightened = list(bounds)
    with as_far_as():
        projection = projected(problem) if np.isfinite(problem.radius) else None
        alone = problem.goal is NO_GOAL
        if whole is None and projection is None and not (alone or formulation or substitute):
            whole = WholeProblem(problem, bounds)
        for place, stage in enumerate(problem.network.hidden):
            tightened[place] = tightened[place].intersected(stage_bounds(problem, stage, tightened))
            if whole is not None:
                whole.take_over(place, tightened[place])
            bounded = np.arange(stage.width) if every else tightened[place].unstable
            checkpoint()
            if not bounded.size:
                continue
            depth = place if alone else None
            if depth == 0 and problem.distance.closed_form:
                # Over the ball alone, the bounds are exact already.
                continue
            shape = formulation or Triangle()
            if whole is not None:
                found = whole.tightened(place, bounded, tightened[place])
            elif projection is None:
                encoding = encode(
                    problem.sifted(),
                    tightened,
                    shape,
                    ball=True,
                    depth=depth,
                    substitute=substitute,
                )
                least = encoding.program("primal").proved_minimum
                found = extremes(least, encoding, place, bounded, tightened[place])
            else:
                encoding = encode(
                    projection.problem, tightened, shape, depth=depth, substitute=substitute
                )
                ball = EuclideanBall(encoding, problem.radius)
                if priced and isinstance(shape, Triangle):
                    ball.program.price_products(shape.positive, shape.negative)
                found = ball.extremes(place, bounded, tightened[place])
            if found is None:
                return None
            tightened[place] = found
    logits = stage_bounds(problem, problem.network.output, tightened)
    tightened[-1] = tightened[-1].intersected(logits)
    return tightened
