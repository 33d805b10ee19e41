"""One program for all neurons and rounds bounds them as a new one for each layer does."""

import numpy as np
import pytest
from brute_force import CLASSES, SHAPE
from tiny_networks import instance

from advmip.mip.bounds import interval_bounds, relaxation_bounds
from advmip.mip.bounds.whole_problem import WholeProblem
from advmip.mip.distances import Box, distance_named
from advmip.mip.formulations.triangle import Triangle
from advmip.mip.goals import targeted
from advmip.mip.heuristics.ball_attack import logits_of
from advmip.mip.heuristics.first_attack import first_attack
from advmip.mip.problem import Problem
from advmip.networks import staged

HIDDEN = (5, 4, 4)
MARGIN = 1e-4
DISTANCES = ("l1", "linf", "l0", "l2-3", "tv", "l1+tv")


def problem_of(seed: int, distance: str) -> Problem:
    """An attack towards the likeliest other class, within more than a known attack's radius."""
    _, network, image, label = instance(seed, HIDDEN)
    form = staged(network)
    logits = form.logits(image)
    target = max(set(range(CLASSES)) - {label}, key=lambda other: logits[other])
    goal = targeted(target, CLASSES, 1.0, MARGIN)
    box = Box.around(image, SHAPE)
    whole = Problem(form, image, distance_named(distance), goal, box)
    found = first_attack(whole, logits_of(network, 1.0))
    return whole.within(1.0 if found is None else 1.2 * found.value)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("seed", range(4))
def test_bounds_are_those_of_programs_written_anew(seed: int, distance: str) -> None:
    problem = problem_of(seed, distance)
    kept = anew = interval_bounds(problem)
    whole = WholeProblem(problem, kept)
    for _ in range(3):
        # A formulation that is named is written layer by layer.
        anew = relaxation_bounds(problem, anew, formulation=Triangle())
        kept = relaxation_bounds(problem, kept, whole=whole)
        if anew is None or kept is None:
            assert kept is None
            assert anew is None
            return
        for one, other in zip(kept, anew, strict=True):
            np.testing.assert_allclose(one.lower, other.lower, rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose(one.upper, other.upper, rtol=1e-4, atol=1e-4)


# Those with an attack.
@pytest.mark.parametrize("seed", [0, 1, 3, 8, 12, 14])
def test_no_point_of_interest_leaves_the_bounds(seed: int) -> None:
    problem = problem_of(seed, "l1")
    bounds = relaxation_bounds(problem, interval_bounds(problem))
    attack = first_attack(problem, logits_of(instance(seed, HIDDEN)[1], 1.0))
    assert attack is not None
    near = attack.change[:, None] + 0.03 * np.random.default_rng(seed).standard_normal((4, 4000))
    changes = np.clip(near, problem.box.lower[:, None], problem.box.upper[:, None])
    entering = problem.network.preactivations(problem.image[:, None] + changes)
    inside = np.abs(changes).sum(axis=0) < problem.radius
    inside &= problem.goal.surplus(entering[-1]) >= MARGIN
    assert inside.any()
    assert bounds is not None
    for layer, interval in zip(entering, bounds, strict=True):
        values = layer[:, inside]
        assert np.all(values >= interval.lower[:, None])
        assert np.all(values <= interval.upper[:, None])
