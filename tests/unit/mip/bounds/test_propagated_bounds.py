"""Linear forms bound every point of a ball, of any distance, and exclude no class that can win."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from brute_force import CLASSES, SHAPE, smallest
from tiny_networks import instance

from advmip.mip.bounds import PropagatedBounds, interval_bounds
from advmip.mip.distances import Box, distance_named
from advmip.mip.goals import NO_GOAL, Goal, targeted, untargeted
from advmip.mip.problem import Problem
from advmip.networks import staged

DISTANCES = ("l0", "l1", "l2", "linf", "tv", "l1+tv")
CASES = list(product(DISTANCES, range(4)))


def asked(seed: int, distance: str, goal: Goal) -> Problem:
    _, network, image, _ = instance(seed, (4, 4))
    box = Box.around(image, SHAPE)
    return Problem(staged(network), image, distance_named(distance), goal, box)


@pytest.mark.parametrize(("distance", "seed"), CASES)
def test_every_point_of_the_ball_is_within_them_and_they_are_within_intervals(
    distance: str, seed: int
) -> None:
    problem = asked(seed, distance, NO_GOAL)
    box, random = problem.box, np.random.default_rng(seed)
    changes = random.uniform(box.lower, box.upper, (400, len(problem.image)))
    changes *= random.uniform(size=(400, 1)) * (random.uniform(size=changes.shape) < 0.7)
    far = [problem.distance.value(change, box) for change in changes]
    near = problem.within(float(np.median(far)))
    bounds = PropagatedBounds(near).intervals
    for change, distance_to in zip(changes, far, strict=True):
        if distance_to <= near.radius:
            entering = problem.network.preactivations(problem.image + change)
            for values, interval in zip(entering, bounds, strict=True):
                assert (interval.lower <= values).all()
                assert (values <= interval.upper).all()
    for tighter, wider in zip(bounds, interval_bounds(near), strict=True):
        assert (wider.lower <= tighter.lower).all()
        assert (tighter.upper <= wider.upper).all()


@pytest.mark.parametrize(("distance", "seed"), list(product(("l1", "l2", "linf"), range(6))))
def test_a_class_is_excluded_from_small_balls_and_never_where_it_can_win(
    distance: str, seed: int
) -> None:
    tiny, _, image, label = instance(seed, (4, 4))
    target = (label + 1) % CLASSES
    nearest = smallest(tiny, image, distance, [target], 1.0, 1e-4)
    goal = targeted(target, CLASSES, 1.0, 1e-4)
    problem = asked(seed, distance, goal)
    assert PropagatedBounds(problem.within(1e-3 * min(nearest, 1.0))).excludes(goal)
    if np.isfinite(nearest):
        assert not PropagatedBounds(problem.within(1.0001 * nearest)).excludes(goal)


def test_no_goal_is_never_excluded() -> None:
    problem = asked(0, "linf", NO_GOAL).within(1e-6)
    assert not PropagatedBounds(problem).excludes(NO_GOAL)


def test_any_other_class_is_excluded_where_every_one_is_and_never_where_one_can_win() -> None:
    tiny, _, image, label = instance(0, (4, 4))
    others = [rival for rival in range(CLASSES) if rival != label]
    nearest = smallest(tiny, image, "linf", others, 1.0, 1e-6)
    goal = untargeted(label, CLASSES)
    problem = asked(0, "linf", goal)
    for radius in (1e-3 * nearest, 0.5 * nearest, 1.0001 * nearest):
        bounds = PropagatedBounds(problem.within(radius))
        excluded = bounds.excludes(goal)
        assert excluded == all(bounds.excludes(case) for case in goal.cases)
        assert not (excluded and radius > nearest)
    assert PropagatedBounds(problem.within(1e-3 * nearest)).excludes(goal)
