"""Attacks that are known, and what makes a perturbation one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from advmip.mip.model import Vector
from advmip.mip.problem import Problem

# A point may miss the goal's margin by so much, but by no more than half of it.
_MISSED = 1e-6
# A point that misses the goal by a solver's tolerances is across it after a step or two.
_CORRECTIONS = 4


@dataclass(frozen=True)
class Incumbent:
    """An attack that is known.

    Attributes:
        change: The perturbation (pixels,).
        value: Its distance.
    """

    change: Vector
    value: float


def nearest_attack(problem: Problem, changes: list[Vector]) -> Incumbent | None:
    """The nearest of those perturbations (pixels,) that meet the goal, or None."""
    met = [change for change in changes if meets_goal(problem, change)]
    if not met:
        return None
    best = min(met, key=problem.length)
    return Incumbent(best, problem.length(best))


def meets_goal(problem: Problem, change: Vector) -> bool:
    """Whether a perturbation meets the goal, up to a small part of the goal's margin."""
    return shortfall(problem, change) == 0.0


def shortfall(problem: Problem, change: Vector) -> float:
    """By how much a perturbation misses the goal, less what solvers' tolerances may miss."""
    logits = problem.network.logits(problem.image + change)
    allowed = min(0.5 * problem.goal.margin, _MISSED)
    return max(0.0, -allowed - float(problem.goal.surplus(logits)))


def corrected(problem: Problem, change: Vector) -> Vector:
    """A perturbation that misses the goal by a solver's tolerances, moved across the border.

    It goes along the gradient of the goal's surplus, as far as the surplus lacks, within the box.
    """
    box = problem.box
    for _ in range(_CORRECTIONS):
        if meets_goal(problem, change):
            break
        logits, gradient = surplus_gradient(problem, (problem.image + change)[:, None])
        slope = gradient[:, 0]
        free = np.where(slope > 0, change < box.upper, change > box.lower)
        slope = np.where(free, slope, 0.0)
        if not slope.any():
            break
        missing = -float(problem.goal.surplus(logits[:, 0]))
        step = change + missing * slope / (slope @ slope)
        change = box.clipped(step)
    return change


def surplus_gradient(problem: Problem, points: Vector) -> tuple[Vector, Vector]:
    """The logits (classes, N) of points (pixels, N), and the gradient of the goal's surplus."""
    entering = problem.network.preactivations(points)
    weights = problem.goal.gradient(entering[-1])
    return entering[-1], problem.network.pulled_back(entering, weights)
