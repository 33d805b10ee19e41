"""MIPVerify's model: as many columns as it says, and the same smallest attack as brute force."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from brute_force import CLASSES, SHAPE, smallest
from tiny_networks import instance

from advmip import InputError, minimal_attack
from advmip.mip.bounds import interval_bounds
from advmip.mip.distances import Box, TotalVariation, distance_named
from advmip.mip.encoding import Interval, unstable_neurons
from advmip.mip.formulations.maximum import add_maximum
from advmip.mip.goals import Goal, targeted, untargeted
from advmip.mip.mipverify import mipverify_model
from advmip.mip.model import Expression, ModelBuilder
from advmip.mip.problem import Problem
from advmip.mip.solvers import SOLVERS, Options, Status
from advmip.networks import staged

DISTANCES = ("l1", "l2", "linf", "tv", "l1+tv")
MARGIN = 1e-4
GAP = 1e-6


@pytest.mark.parametrize(("distance", "seed"), list(product(DISTANCES, (0, 1, 4, 6))))
def test_the_largest_of_all_other_classes_wins(distance: str, seed: int) -> None:
    tiny, network, image, label = instance(seed)
    rivals = [rival for rival in range(CLASSES) if rival != label]
    expected = smallest(tiny, image, distance, rivals, 1.0, MARGIN)
    found = minimal_attack(
        network,
        image.reshape(SHAPE),
        label,
        distance,
        solver="mipverify",
        bounds="interval",
        margin=MARGIN,
        gap=GAP,
    )
    assert found.distance == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert found.status == ("optimal" if np.isfinite(expected) else "infeasible")
    assert found.solver in SOLVERS


@pytest.mark.parametrize(("bounds", "seed"), list(product(("interval", "progressive"), (1, 4, 9))))
def test_a_target_and_a_ratio_are_rows(bounds: str, seed: int) -> None:
    tiny, network, image, label = instance(seed)
    target = (label + 1) % CLASSES
    expected = smallest(tiny, image, "l1", [target], 1.2, MARGIN)
    found = minimal_attack(
        network,
        image.reshape(SHAPE),
        label,
        "l1",
        target=target,
        ratio=1.2,
        solver="mipverify",
        bounds=bounds,
        margin=MARGIN,
        gap=GAP,
    )
    assert found.distance == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("seed", [0, 1, 4, 5, 6, 9])
def test_the_largest_of_all_other_classes_need_only_beat_the_true_one_at_the_ratio(
    seed: int,
) -> None:
    tiny, network, image, label = instance(seed)
    rivals = [rival for rival in range(CLASSES) if rival != label]
    expected = smallest(tiny, image, "l1", rivals, 1.5, MARGIN, beaten=label)
    found = minimal_attack(
        network,
        image.reshape(SHAPE),
        label,
        "l1",
        ratio=1.5,
        solver="mipverify",
        bounds="interval",
        margin=MARGIN,
        gap=GAP,
    )
    assert found.distance == pytest.approx(expected, rel=1e-4, abs=1e-5)


def problem_of(image: np.ndarray, distance: str, goal: Goal) -> tuple[Problem, list[Interval]]:
    _, network, _, _ = instance(5, (4, 4))
    box = Box.around(image, SHAPE)
    problem = Problem(staged(network), image, distance_named(distance), goal, box)
    return problem, interval_bounds(problem)


def test_what_has_one_sign_has_no_column() -> None:
    # The first pixel can only rise, the second only fall.
    image = np.array([0.0, 1.0, 0.4, 0.6])
    problem, bounds = problem_of(image, "l1", targeted(1, CLASSES))
    open_neurons = unstable_neurons(bounds)
    model, change = mipverify_model(problem, bounds)
    assert model.size.columns == 4 + 2 + 2 * open_neurons
    assert model.size.integers == open_neurons
    assert model.size.rows == 2 * 2 + 3 * open_neurons + (CLASSES - 1)
    assert model.objective.tolist()[:4] == [1.0, -1.0, 0.0, 0.0]
    assert len(change) == 4
    euclidean, _ = mipverify_model(*problem_of(image, "l2", targeted(1, CLASSES)))
    assert (euclidean.size.columns, euclidean.size.quadratic) == (4 + 2 * open_neurons, 4)
    # The maximum of two classes: a column and two binaries.
    several, _ = mipverify_model(*problem_of(image, "l2", untargeted(1, CLASSES)))
    assert several.size.columns == euclidean.size.columns + 3


@pytest.mark.parametrize("seed", range(8))
def test_absolute_values_cost_what_the_distance_measures(seed: int) -> None:
    random = np.random.default_rng(seed)
    image = random.choice([0.0, 1.0, 0.3, 0.8], 4)
    box = Box.around(image, SHAPE)
    wanted = random.uniform(box.lower, box.upper)
    variation = TotalVariation(image=image)
    for distance in (*map(distance_named, ("l1", "tv", "l1+tv")), variation):
        absolute = distance.absolute_values(box)
        assert absolute is not None
        builder = ModelBuilder()
        change = absolute.encode(builder, box)
        builder.add_rows(change, wanted, wanted)
        found = SOLVERS["highs"].solve(builder.build(), Options(gap=0.0))
        assert found.value == pytest.approx(distance.value(wanted, box), abs=1e-6)
    assert TotalVariation(isotropic=True).absolute_values(box) is None


@pytest.mark.parametrize("seed", range(8))
def test_the_maximum_is_the_largest_value_and_nothing_else(seed: int) -> None:
    random = np.random.default_rng(seed)
    middle = random.normal(size=4)
    room = random.choice([0.0, 0.2, 1.0], 4)
    lower, upper = middle - room, middle + room
    wanted = random.uniform(lower, upper)
    for sign in (1.0, -1.0):
        builder = ModelBuilder()
        columns = builder.add_columns(4, lower, upper)
        largest = add_maximum(builder, Expression.of(columns), lower, upper)
        builder.add_rows(Expression.of(columns), wanted, wanted)
        cost = builder.add_columns(1, -10.0, 10.0, objective=1.0)
        builder.add_rows(Expression.of(cost) - largest.times(sign), 0.0, 0.0)
        model = builder.build()
        found = SOLVERS["highs"].solve(model, Options(gap=0.0))
        assert found.status == Status.OPTIMAL
        assert sign * found.value == pytest.approx(wanted.max(), abs=1e-6)
        able = (upper > lower.max()).sum()
        assert model.size.integers <= able + 1


def test_it_brings_its_own_formulation() -> None:
    _, network, image, label = instance(1)
    with pytest.raises(InputError, match="in its own way"):
        minimal_attack(
            network, image.reshape(SHAPE), label, "l1", solver="mipverify", formulation="indicator"
        )
