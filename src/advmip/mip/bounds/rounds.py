"""Bounds over the ball, round after round, as long as enough neurons become stable."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from advmip.mip.bounds.ceilings import ceilings_pay, with_ceilings
from advmip.mip.bounds.interval import interval_bounds
from advmip.mip.bounds.relaxation import relaxation_bounds
from advmip.mip.encoding import Interval, unstable_neurons
from advmip.mip.problem import Problem

# Another round follows if this share of the unstable neurons became stable.
_WORTH_ANOTHER = 0.1
_ROUNDS = 4
# A solver works for so many seconds, or for this share of what the bounds took, without ceilings.
_PATIENCE = 1.0
_SHARE = 0.5


def _as_it_is(problem: Problem, bounds: Sequence[Interval], deadline: float) -> Problem:
    return problem


def tightened_bounds(problem: Problem, deadline: float) -> list[Interval] | None:
    """Bounds of the neurons by linear programs over the problem's relaxation.

    Args:
        problem: The problem.
        deadline: When to stop at the latest, by `time.perf_counter`; bounds hold all the same.

    Returns:
        The bounds, or None if nothing nearer than the radius exists.
    """
    found = _in_rounds(problem, interval_bounds(problem), deadline)
    return None if found is None else found[1]


def patience(bounding: float) -> float:
    """How many seconds a solver works before it starts again with ceilings.

    They take about as long as the bounds did: where a tree is small, more than they save.

    Args:
        bounding: Seconds that the bounds took.
    """
    return max(_PATIENCE, _SHARE * bounding)


def under_ceilings(
    problem: Problem, bounds: list[Interval], deadline: float
) -> tuple[Problem, list[Interval]] | None:
    """The problem with ceilings, and tighter bounds under them.

    Args:
        problem: The problem.
        bounds: Bounds that hold already.
        deadline: When to stop at the latest, by `time.perf_counter`.

    Returns:
        Both, as they came where ceilings do not pay; None if nothing nearer than the radius
        exists.
    """
    if not ceilings_pay(problem):
        return problem, bounds
    return _in_rounds(problem, bounds, deadline, with_ceilings)


def _in_rounds(
    problem: Problem,
    bounds: list[Interval],
    deadline: float,
    prepared: Callable[[Problem, Sequence[Interval], float], Problem] = _as_it_is,
) -> tuple[Problem, list[Interval]] | None:
    """The problem, prepared anew before each round, and the bounds after the last one."""
    for _ in range(_ROUNDS):
        before = unstable_neurons(bounds)
        if time.perf_counter() > deadline or not before:
            break
        problem = prepared(problem, bounds, deadline)
        found = relaxation_bounds(problem, bounds, deadline)
        if found is None:
            return None
        bounds = found
        if unstable_neurons(bounds) > (1 - _WORTH_ANOTHER) * before:
            break
    return problem, bounds
