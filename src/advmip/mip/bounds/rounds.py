"""Bounds over the ball, round after round, as long as enough neurons become stable."""

from __future__ import annotations

import time
from collections.abc import Sequence

from advmip.mip.bounds.ceilings import with_ceilings
from advmip.mip.bounds.interval import interval_bounds
from advmip.mip.bounds.relaxation import relaxation_bounds
from advmip.mip.encoding import Interval, unstable_neurons
from advmip.mip.problem import Problem

# Another round follows if this share of the unstable neurons became stable.
_WORTH_ANOTHER = 0.1
_ROUNDS = 4


def tightened_bounds(problem: Problem, deadline: float) -> list[Interval] | None:
    """Bounds of the neurons by linear programs over the problem's relaxation.

    Args:
        problem: The problem.
        deadline: When to stop at the latest, by `time.perf_counter`; bounds hold all the same.

    Returns:
        The bounds, or None if nothing nearer than the radius exists.
    """
    bounds = interval_bounds(problem)
    for _ in range(_ROUNDS):
        if time.perf_counter() > deadline or not unstable_neurons(bounds):
            break
        found = relaxation_bounds(problem, bounds, deadline)
        if found is None:
            return None
        before, bounds = bounds, found
        if not _worth_another(before, bounds):
            break
    return bounds


def under_ceilings(
    problem: Problem, bounds: list[Interval], deadline: float
) -> tuple[Problem, list[Interval]] | None:
    """The problem with ceilings, and tighter bounds under them.

    Args:
        problem: The problem.
        bounds: Bounds that hold already.
        deadline: When to stop at the latest, by `time.perf_counter`.

    Returns:
        Both, as they came if the problem has no ceilings; None if nothing nearer than the radius
        exists.
    """
    for _ in range(_ROUNDS):
        problem = with_ceilings(problem, bounds, deadline)
        if not problem.ceilings:
            break
        found = relaxation_bounds(problem, bounds, deadline)
        if found is None:
            return None
        before, bounds = bounds, found
        if not _worth_another(before, bounds):
            break
    return problem, bounds


def _worth_another(before: Sequence[Interval], after: Sequence[Interval]) -> bool:
    return unstable_neurons(after) <= (1 - _WORTH_ANOTHER) * unstable_neurons(before)
