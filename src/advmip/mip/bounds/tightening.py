"""Bounds over the ball, round after round, as long as enough neurons become stable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from advmip.mip.bounds.distance_cuts import distance_cuts_pay, with_distance_cuts
from advmip.mip.bounds.relaxation import relaxation_bounds
from advmip.mip.bounds.whole_problem import WholeProblem
from advmip.mip.deadline import as_far_as, checkpoint
from advmip.mip.encoding import Interval, unstable_neurons
from advmip.mip.goals import NO_GOAL
from advmip.mip.problem import Problem
from advmip.mip.projection import has_coordinates

# Another round follows if this share of the unstable neurons became stable.
_WORTH_ANOTHER = 0.1
_ROUNDS = 4
# A solver works for so many seconds, or for this share of what the bounds took, before they are
# tightened further: prices take more than distance cuts.
_PATIENCE = 1.0
_SHARE, _SHARE_PRICED = 0.5, 5.0


def tightened_bounds(problem: Problem, bounds: list[Interval]) -> list[Interval] | None:
    """Bounds of the neurons by programs over the problem's relaxation.

    They are those of the layers before a neuron alone: on hard problems the goal adds little, and
    programs of the whole problem take two or three times as long. Products are priced where there
    are squares. Only for a distance that counts pixels, the whole problem pays at once.

    Args:
        problem: The problem.
        bounds: Bounds that hold already.

    Returns:
        The bounds, or None if nothing nearer than the radius exists.
    """
    if problem.distance.counting:
        found = _in_rounds(problem, bounds)
        return None if found is None else found[1]
    return relaxation_bounds(replace(problem, goal=NO_GOAL), bounds, priced=True)


def patience(problem: Problem, bounding: float) -> float:
    """How many seconds a solver works before the bounds are tightened further.

    That takes as long as the bounds did, or longer: where a tree is small, more than it saves.

    Args:
        problem: The problem.
        bounding: Seconds that the bounds took.
    """
    return max(_PATIENCE, (_SHARE_PRICED if _prices_pay(problem) else _SHARE) * bounding)


def tightened_further(
    problem: Problem, bounds: list[Interval]
) -> tuple[Problem, list[Interval]] | None:
    """The problem with distance cuts, or with priced products, and the tighter bounds that follow.

    Args:
        problem: The problem.
        bounds: Bounds that hold already.

    Returns:
        Both, as they came where neither pays; None if nothing nearer than the radius exists.
    """
    if not distance_cuts_pay(problem) and not _prices_pay(problem):
        return problem, bounds
    return _in_rounds(problem, bounds, further=True)


def _prices_pay(problem: Problem) -> bool:
    """Whether a problem's relaxations are quadratic programs in a few coordinates."""
    return bool(np.isfinite(problem.radius)) and has_coordinates(problem)


def _in_rounds(
    problem: Problem,
    bounds: list[Interval],
    *,
    further: bool = False,
) -> tuple[Problem, list[Interval]] | None:
    """The problem, with new distance cuts in each round if asked for, and its last bounds."""
    with as_far_as():
        # New distance cuts make another problem of it.
        whole = None if further else WholeProblem(problem, bounds)
        for _ in range(_ROUNDS):
            checkpoint()
            before = unstable_neurons(bounds)
            if not before:
                break
            if further:
                problem = with_distance_cuts(problem, bounds)
            found = relaxation_bounds(problem, bounds, priced=further, whole=whole)
            if found is None:
                return None
            bounds = found
            if unstable_neurons(bounds) > (1 - _WORTH_ANOTHER) * before:
                break
    return problem, bounds
