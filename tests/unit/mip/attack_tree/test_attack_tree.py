"""The tree of our own finds what brute force over all activation patterns does."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from brute_force import CLASSES, SHAPE, TinyNetwork, smallest
from tiny_networks import as_network, instance

from advmip import InputError, minimal_attack
from advmip.mip.attack_tree import STRATEGIES, tree_for
from advmip.mip.attack_tree.relaxation import Relaxation
from advmip.mip.bounds import interval_bounds
from advmip.mip.branch_and_bound.node import ACTIVE, INACTIVE, OPEN
from advmip.mip.distances import L1, Box, PiecewiseL2, distance_named
from advmip.mip.formulations import BigM, Indicator
from advmip.mip.goals import Conjunction, targeted
from advmip.mip.problem import Problem
from advmip.mip.solvers import Options, Status
from advmip.networks import staged

MARGIN = 1e-4
GAP = 1e-6
HIDDEN = (4, 4)
CONVEX = ("l1", "l2", "linf", "tv", "l1+tv")


def problem_of(seed: int, distance: str = "l1") -> tuple[TinyNetwork, Problem]:
    """An attack towards the next class, over the whole box."""
    tiny, network, image, label = instance(seed, HIDDEN)
    goal = targeted((label + 1) % CLASSES, CLASSES, 1.0, MARGIN)
    box = Box.around(image, SHAPE)
    return tiny, Problem(staged(network), image, distance_named(distance), goal, box)


def expected_of(tiny: TinyNetwork, problem: Problem, distance: str) -> float:
    """By brute force."""
    assert isinstance(problem.goal, Conjunction)
    return smallest(
        tiny, problem.image, distance, [int(problem.goal.name.removeprefix("class "))], 1.0, MARGIN
    )


@pytest.mark.parametrize(("distance", "seed"), list(product(CONVEX, (0, 1, 5))))
@pytest.mark.parametrize("bounds", ["progressive", "interval"])
def test_any_other_class_equals_brute_force(distance: str, seed: int, bounds: str) -> None:
    tiny, network, image, label = instance(seed, HIDDEN)
    rivals = [rival for rival in range(CLASSES) if rival != label]
    expected = smallest(tiny, image, distance, rivals, 1.0, MARGIN)
    found = minimal_attack(
        network,
        image.reshape(SHAPE),
        label,
        distance,
        bounds=bounds,
        solver="branch-and-bound",
        margin=MARGIN,
        gap=GAP,
    )
    assert found.distance == pytest.approx(expected, rel=1e-5, abs=1e-5)
    if np.isfinite(expected):
        assert found.status == "optimal"
        assert found.lower_bound == pytest.approx(expected, rel=1e-3, abs=1e-5)
    else:
        assert found.status == "infeasible"


@pytest.mark.parametrize("strategy", list(STRATEGIES))
@pytest.mark.parametrize("seed", range(12))
def test_no_bound_on_the_way_is_above_the_optimum(strategy: str, seed: int) -> None:
    tiny, problem = problem_of(seed)
    solution = tree_for(problem, interval_bounds(problem), BigM(), strategy).solve(Options(gap=GAP))
    expected = expected_of(tiny, problem, "l1")
    # Nor while a node is under way that has left the order.
    assert max(bound for _, _, bound in solution.trace) <= expected * (1.0 + 1e-6) + 1e-6


@pytest.mark.parametrize("strategy", list(STRATEGIES))
@pytest.mark.parametrize("seed", [0, 1, 5, 8])
def test_every_strategy_ends_at_the_optimum_of_the_whole_box(strategy: str, seed: int) -> None:
    tiny, problem = problem_of(seed)
    tree = tree_for(problem, interval_bounds(problem), BigM(), strategy)
    solution = tree.solve(Options(gap=GAP))
    expected = expected_of(tiny, problem, "l1")
    assert solution.value == pytest.approx(expected, rel=1e-5)
    if np.isfinite(expected):
        assert solution.status == Status.OPTIMAL
        assert solution.point is not None
        assert problem.distance.value(solution.point, problem.box) == pytest.approx(expected)
        assert solution.bound == pytest.approx(expected, rel=1e-4)
    else:
        assert solution.status == Status.INFEASIBLE


@pytest.mark.parametrize("seed", range(4))
def test_general_solvers_agree_on_the_piecewise_square(seed: int) -> None:
    _, network, image, label = instance(seed, HIDDEN)
    found = [
        minimal_attack(
            network, image.reshape(SHAPE), label, PiecewiseL2(7), solver=solver, gap=GAP
        ).distance
        for solver in ("branch-and-bound", "highs")
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-4)


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_a_cutoff_below_the_optimum_closes_the_whole_tree(strategy: str) -> None:
    tiny, problem = problem_of(5)
    expected = expected_of(tiny, problem, "l1")
    tree = tree_for(problem, interval_bounds(problem), BigM(), strategy)
    below = tree.solve(Options(cutoff=0.99 * expected))
    assert below.status == Status.INFEASIBLE
    assert below.bound == pytest.approx(0.99 * expected)
    above = tree.solve(Options(cutoff=1.01 * expected, gap=GAP))
    assert above.status == Status.OPTIMAL
    assert above.value == pytest.approx(expected, rel=1e-5)


def test_a_target_out_of_reach_is_proved_to_be() -> None:
    tiny = TinyNetwork(3)
    tiny.biases[-1] = np.array([0.0, 100.0, 0.0])
    network = as_network(tiny)
    found = minimal_attack(
        network, np.full(SHAPE, 0.5), 1, "l1", target=0, solver="branch-and-bound"
    )
    assert found.status == "infeasible"
    assert found.distance == np.inf


def test_when_time_is_up_the_bound_holds() -> None:
    tiny, problem = problem_of(5)
    expected = expected_of(tiny, problem, "l1")
    tree = tree_for(problem, interval_bounds(problem), BigM(), "branch-and-bound")
    solution = tree.solve(Options(time_limit=0.0))
    assert solution.status == Status.UNKNOWN
    assert solution.bound <= expected
    assert solution.nodes == 0


def test_holding_neurons_makes_the_relaxation_exact() -> None:
    _, problem = problem_of(5)
    relaxation = Relaxation(problem, interval_bounds(problem))
    whole = np.full(relaxation.neurons, OPEN, np.int8)
    least = relaxation.value(whole)
    values = []
    for pattern in product((ACTIVE, INACTIVE), repeat=relaxation.neurons):
        signs = np.array(pattern, np.int8)
        value = relaxation.value(signs)
        values.append(value)
        assert value >= least - 1e-9
        if np.isfinite(value):
            assert relaxation.point(value).errors.max() <= 1e-7
    # In any order, back at the root the value is the root's.
    assert relaxation.value(whole) == pytest.approx(least)
    assert least < min(values)


@pytest.mark.parametrize(
    ("distance", "reason"),
    [("l0", "integers"), ("tv-isotropic", "cones")],
)
def test_what_a_tree_cannot_do_is_refused_with_the_reason(distance: str, reason: str) -> None:
    _, network, image, label = instance(1, HIDDEN)
    with pytest.raises(InputError, match=reason):
        minimal_attack(network, image.reshape(SHAPE), label, distance, solver="branch-and-bound")


def test_another_formulation_is_refused() -> None:
    _, problem = problem_of(5)
    with pytest.raises(InputError, match="triangles"):
        tree_for(problem, interval_bounds(problem), Indicator(), "branch-and-bound")


def test_an_unknown_solver_is_named_with_those_there_are() -> None:
    _, network, image, label = instance(1, HIDDEN)
    with pytest.raises(InputError, match="branch-and-bound"):
        minimal_attack(network, image.reshape(SHAPE), label, L1(), solver="branch-and-bond")
