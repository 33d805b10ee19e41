"""Bounds inside the tree hold for every point of their node, and help to close it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from brute_force import CLASSES, SHAPE, smallest
from tiny_networks import instance

from advmip.mip.bounds import interval_bounds
from advmip.mip.branch_and_bound import STRATEGIES
from advmip.mip.branch_and_bound.node import ACTIVE, INACTIVE, OPEN
from advmip.mip.branch_and_bound.search import Search
from advmip.mip.branch_and_bound.tightening import tightened
from advmip.mip.distances import Box, distance_named
from advmip.mip.problem import Problem
from advmip.mip.solvers import Options, Status
from advmip.mip.targets import Targeted
from advmip.networks import staged

HIDDEN = (4, 4)


def problem_of(seed: int, distance: str = "l1") -> Problem:
    """An attack towards the next class, over the whole box."""
    _, network, image, label = instance(seed, HIDDEN)
    goal = Targeted((label + 1) % CLASSES, CLASSES, 1.0, 1e-4)
    box = Box.around(image, SHAPE)
    return Problem(staged(network), image, distance_named(distance), goal, box)


@pytest.mark.parametrize("seed", range(6))
def test_no_point_of_the_node_that_meets_the_goal_leaves_the_bounds(seed: int) -> None:
    problem = problem_of(seed)
    bounds = interval_bounds(problem)
    unstable = [each.unstable for each in bounds[:-1]]
    signs = np.full(sum(map(len, unstable)), OPEN, np.int8)
    signs[0] = ACTIVE if seed % 2 else INACTIVE
    neurons = np.arange(1, len(signs))
    images = np.random.default_rng(seed).random((4, 20000))
    entering = problem.network.preactivations(images)
    values = np.concatenate(
        [layer[kept] for layer, kept in zip(entering[:-1], unstable, strict=True)]
    )
    inside = (np.sign(values[0]) == signs[0]) & (problem.goal.surplus(entering[-1]) >= 1e-4)
    found = tightened(problem, bounds, signs, neurons, deadline=np.inf)
    if found is None:
        assert not inside.any()
        return
    tighter, held = found
    assert held[0] == signs[0]
    lower = np.concatenate([b.lower[k] for b, k in zip(tighter, unstable, strict=False)])
    upper = np.concatenate([b.upper[k] for b, k in zip(tighter, unstable, strict=False)])
    known = np.concatenate([b.upper[k] for b, k in zip(bounds, unstable, strict=False)])
    for neuron in neurons:
        there = values[neuron, inside]
        assert np.all(there <= upper[neuron])
        assert np.all(there >= lower[neuron])
        assert np.all(there * held[neuron] >= 0)
    assert np.all(upper <= known)
    assert np.all((lower < 0) & (upper > 0))


def test_when_time_is_up_bounds_stay() -> None:
    problem = problem_of(5)
    bounds = interval_bounds(problem)
    signs = np.full(sum(each.unstable.size for each in bounds[:-1]), OPEN, np.int8)
    found = tightened(problem, bounds, signs, np.arange(len(signs)), deadline=0.0)
    assert found is not None
    for before, after in zip(bounds, found[0], strict=True):
        assert np.array_equal(before.lower, after.lower)
        assert np.array_equal(before.upper, after.upper)


@pytest.mark.parametrize("distance", ["l1", "linf"])
@pytest.mark.parametrize("seed", range(6))
def test_a_tree_that_tightens_at_every_second_child_finds_the_optimum(
    seed: int, distance: str
) -> None:
    problem = problem_of(seed, distance)
    tiny, _, image, _ = instance(seed, HIDDEN)
    assert isinstance(problem.goal, Targeted)
    expected = smallest(tiny, image, distance, [problem.goal.target], 1.0, 1e-4)
    strategy = replace(STRATEGIES["branch-and-bound"], tightening=0, envelopes=2)
    solution = Search(problem, interval_bounds(problem), strategy, Options(gap=1e-6)).run()
    assert solution.value == pytest.approx(expected, rel=1e-5)
    assert solution.status == (Status.OPTIMAL if np.isfinite(expected) else Status.INFEASIBLE)
