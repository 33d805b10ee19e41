"""Bounds by two mixed-integer programs for each neuron."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advmip.mip.bounds.interval import stage_bounds
from advmip.mip.deadline import as_far_as, checkpoint
from advmip.mip.encoding import Interval
from advmip.mip.model import Model, Vector
from advmip.mip.problem import Problem, encode
from advmip.mip.solvers import Options, choose
from advmip.progress import track

_TOLERANCE = 1e-6


def mixed_integer_bounds(
    problem: Problem,
    bounds: Sequence[Interval],
    *,
    time_limit: float,
    solver: str,
    progress: bool = False,
) -> list[Interval]:
    """The thesis's bounds: each neuron's least and largest input over the layers before it.

    Zhu, Section 3.1, after Fischetti & Jo (2018). A program that runs out of time gives its dual
    bound, which holds as well ("weaker bounds"). When there is no time left for all programs, the
    other neurons keep the bounds that they have.

    Args:
        problem: A problem without goal, such as the whole box.
        bounds: Bounds that hold already.
        time_limit: Seconds for each program.
        solver: A solver's name, or "auto".
        progress: Whether to show a progress bar.
    """
    tightened = list(bounds)
    stages = (*problem.network.hidden, problem.network.output)
    for place, stage in enumerate(stages):
        known = tightened[place].intersected(stage_bounds(problem, stage, tightened))
        lower, upper = known.lower.copy(), known.upper.copy()
        with as_far_as(np.inf):
            encoding = encode(problem, tightened, depth=place)
            open_neurons = known.unstable if place < len(stages) - 1 else np.arange(stage.width)
            rows = encoding.preactivations[place][open_neurons]
            costs = rows.each_written_out(len(encoding.model.lower))
            shown = track(open_neurons, f"bounds of layer {place + 1}", enabled=progress)
            for number, neuron in enumerate(shown):
                checkpoint()
                cost, constant = next(costs), float(rows.constant[number])
                lower[neuron] = _least(encoding.model, cost, constant, time_limit, solver)
                upper[neuron] = -_least(encoding.model, -cost, -constant, time_limit, solver)
        tightened[place] = known.intersected(Interval(lower, upper))
    return tightened


def _least(
    model: Model, objective: Vector, constant: float, time_limit: float, solver: str
) -> float:
    asked = model.with_objective(objective, constant)
    options = Options(time_limit=time_limit, gap=1e-6)
    bound = choose(solver, asked).solver.solve(asked, options).bound
    return bound - _TOLERANCE * (1.0 + abs(bound))
