"""Distance cuts hold for every point of interest, lift the relaxation, leave the optimum alone."""

from dataclasses import replace

import numpy as np
import pytest
from brute_force import CLASSES, SHAPE, smallest
from tiny_networks import instance

from advmip import minimal_attack
from advmip.mip.bounds import interval_bounds, relaxation_bounds
from advmip.mip.bounds.distance_cuts import with_distance_cuts
from advmip.mip.deadline import until
from advmip.mip.distances import Box, distance_named
from advmip.mip.formulations.triangle import Triangle
from advmip.mip.goals import targeted
from advmip.mip.problem import Problem, encode
from advmip.mip.solvers import SOLVERS, Options, Status
from advmip.networks import staged

HIDDEN = (4, 4)
MARGIN = 1e-4


def problem_of(seed: int, distance: str = "l1") -> tuple[Problem, float]:
    """An attack towards the nearest class, within more than the least radius, and that radius."""
    tiny, network, image, label = instance(seed, HIDDEN)
    nearest, target = min(
        (smallest(tiny, image, distance, [other], 1.0, MARGIN), other)
        for other in range(CLASSES)
        if other != label
    )
    goal = targeted(target, CLASSES, 1.0, MARGIN)
    box = Box.around(image, SHAPE)
    whole = Problem(staged(network), image, distance_named(distance), goal, box)
    return whole.within(1.5 * nearest), nearest


@pytest.mark.parametrize("seed", range(12))
def test_no_point_of_interest_is_cut_off(seed: int) -> None:
    problem, _ = problem_of(seed)
    distance_cuts = with_distance_cuts(problem, interval_bounds(problem)).distance_cuts
    random = np.random.default_rng(seed)
    changes = random.uniform(problem.box.lower[:, None], problem.box.upper[:, None], (4, 40000))
    spent = np.abs(changes).sum(axis=0)
    entering = problem.network.preactivations(problem.image[:, None] + changes)
    inside = (spent < problem.radius) & (problem.goal.surplus(entering[-1]) >= MARGIN)
    for cut, layer in zip(distance_cuts, entering[:-1], strict=True):
        values = layer[cut.neurons][:, inside]
        most = (
            cut.slope[:, None] * values + cut.rate[:, None] * spent[inside] + cut.constant[:, None]
        )
        assert np.all(np.maximum(values, 0.0) <= most + 1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_near_the_image_a_neuron_has_little_room(seed: int) -> None:
    problem, _ = problem_of(seed)
    bounds = interval_bounds(problem)
    at_image = problem.network.preactivations(problem.image)
    distance_cuts = with_distance_cuts(problem, bounds).distance_cuts
    for cut, layer, interval in zip(distance_cuts, at_image, bounds, strict=False):
        entering = layer[cut.neurons]
        height = cut.slope * entering + cut.constant - np.maximum(entering, 0.0)
        range_of = interval.upper[cut.neurons] - interval.lower[cut.neurons]
        assert np.all(height <= 0.01 * range_of)


@pytest.mark.parametrize("seed", range(12))
def test_they_lift_the_relaxation_but_not_the_optimum(seed: int) -> None:
    problem, nearest = problem_of(seed)
    bounds = interval_bounds(problem)
    under = with_distance_cuts(problem, bounds)
    relaxed = []
    for each in (problem, under):
        encoding = encode(each, bounds, Triangle())
        relaxed.append(encoding.program("dual").minimise(encoding.model.objective)[0])
    assert relaxed[0] <= relaxed[1] + 1e-6
    tightened = relaxation_bounds(under, bounds)
    assert tightened is not None
    solution = SOLVERS["highs"].solve(encode(under, tightened).model, Options(gap=1e-6))
    assert solution.status is Status.OPTIMAL
    assert solution.value == pytest.approx(nearest, rel=1e-5)


def test_without_time_there_are_none() -> None:
    problem, _ = problem_of(1)
    with until(0.0):
        distance_cuts = with_distance_cuts(problem, interval_bounds(problem)).distance_cuts
    assert sum(len(each.neurons) for each in distance_cuts) == 0


def test_other_distances_do_without() -> None:
    problem, _ = problem_of(1, "linf")
    assert with_distance_cuts(problem, interval_bounds(problem)).distance_cuts == ()


def test_a_class_that_is_out_of_reach_is_proved_to_be() -> None:
    problem, nearest = problem_of(2)
    near = replace(problem, radius=0.9 * nearest)
    bounds = interval_bounds(near)
    under = with_distance_cuts(near, bounds)
    solution = SOLVERS["highs"].solve(encode(under, bounds).model, Options())
    assert solution.status is Status.INFEASIBLE or solution.value > near.radius


@pytest.mark.parametrize("solver", ["highs", "branch-and-bound"])
@pytest.mark.parametrize("seed", range(6))
def test_an_attack_that_needs_them_finds_the_nearest_attack(
    seed: int, solver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "advmip.mip.exact_attack.exact_attack.patience", lambda problem, bounding: 0.0
    )
    tiny, network, image, label = instance(seed, HIDDEN)
    target = (label + 1) % CLASSES
    expected = smallest(tiny, image, "l1", [target], 1.0, 1e-6)
    attack = minimal_attack(
        network, image.reshape(SHAPE), label, "l1", target=target, solver=solver, gap=1e-6
    )
    assert attack.distance == pytest.approx(expected, rel=1e-4)
    assert attack.status == ("optimal" if np.isfinite(expected) else "infeasible")
