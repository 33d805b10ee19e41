"""The search for a first attack: what it finds wins, and no pattern beside its own is better."""

from __future__ import annotations

from copy import copy
from itertools import product

import numpy as np
import pytest
from brute_force import CLASSES, SHAPE, TinyNetwork, smallest
from tiny_networks import as_network, instance

from advmip.mip.bounds import interval_bounds
from advmip.mip.deadline import until
from advmip.mip.distances import Box, distance_named
from advmip.mip.goals import Conjunction, targeted
from advmip.mip.heuristics.activation_patterns import PatternSearch
from advmip.mip.heuristics.ball_attack import logits_of
from advmip.mip.heuristics.first_attack import first_attack
from advmip.mip.heuristics.incumbent import corrected, meets_goal, nearest_attack
from advmip.mip.heuristics.starts import gradient_points
from advmip.mip.problem import Problem
from advmip.networks import staged

RATIO, MARGIN = 1.2, 1e-4


def example(seed: int, distance: str) -> tuple[TinyNetwork, Problem]:
    tiny, network, image, label = instance(seed, (4, 4))
    goal = targeted((label + 1) % CLASSES, CLASSES, RATIO, MARGIN)
    box = Box.around(image, SHAPE)
    return tiny, Problem(staged(network), image, distance_named(distance), goal, box)


def patterns(tiny: TinyNetwork, image: np.ndarray) -> list[np.ndarray]:
    """Those that an image belongs to: several, where it lies on a border."""
    choices, values = [], image
    for weight, bias in zip(tiny.weights[:-1], tiny.biases[:-1], strict=True):
        entering = weight @ values + bias
        choices += [(False, True) if abs(each) < 1e-6 else (each > 0,) for each in entering]
        values = np.maximum(entering, 0)
    return [np.array(chosen) for chosen in product(*choices)]


def smallest_beside(tiny: TinyNetwork, problem: Problem, own: np.ndarray) -> float:
    """The nearest attack whose pattern differs from a given one in one neuron at most."""
    front = copy(tiny)
    front.patterns = [
        other
        for other in product((0.0, 1.0), repeat=len(own))
        if np.sum(own != np.array(other)) <= 1
    ]
    assert isinstance(problem.goal, Conjunction)
    rivals = [int(problem.goal.name.removeprefix("class "))]
    return smallest(front, problem.image, problem.distance.name, rivals, RATIO, MARGIN)


@pytest.mark.parametrize(("distance", "seed"), list(product(("l1", "linf"), range(12))))
def test_no_pattern_beside_holds_a_nearer_attack(distance: str, seed: int) -> None:
    tiny, problem = example(seed, distance)
    found = first_attack(problem, logits_of(as_network(tiny), 1.0))
    if found is None:
        assert isinstance(problem.goal, Conjunction)
        rivals = [int(problem.goal.name.removeprefix("class "))]
        assert smallest(tiny, problem.image, distance, rivals, RATIO, MARGIN) == np.inf
        return
    assert problem.goal.surplus(tiny.logits(problem.image + found.change)) > -MARGIN
    assert found.value == pytest.approx(problem.distance.value(found.change, problem.box))
    # The search moves on for what is clearly better only.
    beside = [
        smallest_beside(tiny, problem, own) for own in patterns(tiny, problem.image + found.change)
    ]
    assert found.value <= max(beside) * (1 + 1e-3) + 1e-6


@pytest.mark.parametrize("seed", range(12))
def test_going_around_is_never_worse_than_going_down(seed: int) -> None:
    _, problem = example(seed, "l1")
    program = PatternSearch(problem, interval_bounds(problem))
    for point in gradient_points(problem, 3, seed):
        down = program.descend(point - problem.image)
        around = program.descend_from_neighbours(point - problem.image)
        if meets_goal(problem, down):
            nearest = nearest_attack(problem, [around])
            assert nearest is not None
            assert nearest.value <= problem.distance.value(down, problem.box) + 1e-6


def test_a_deadline_that_has_passed_still_gives_what_is_known() -> None:
    tiny, problem = example(1, "l1")
    with until(0.0):
        found = first_attack(problem, logits_of(as_network(tiny), 1.0))
    assert found is None or meets_goal(problem, found.change)


@pytest.mark.parametrize("seed", range(12))
def test_a_point_that_misses_the_goal_by_rounding_is_moved_across(seed: int) -> None:
    tiny, problem = example(seed, "l2")
    found = first_attack(problem, logits_of(as_network(tiny), 1.0))
    if found is None:
        return
    # A little back towards the image: no longer across, as a solver's point may be.
    short = (1 - 1e-5) * found.change
    moved = corrected(problem, short)
    assert meets_goal(problem, moved) or not meets_goal(problem, found.change)
    assert np.linalg.norm(moved - short) < 1e-2
    assert (moved >= problem.box.lower).all()
    assert (moved <= problem.box.upper).all()
