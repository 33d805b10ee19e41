"""Prices of products that are 0: as good as a general solver's, and never beyond the truth."""

from __future__ import annotations

import time

import clarabel
import numpy as np
import pytest
from brute_force import CLASSES, SHAPE, smallest
from scipy.sparse import csc_matrix
from tiny_networks import instance

from advmip import minimal_attack
from advmip.mip.attack_tree.relaxation import Relaxation
from advmip.mip.bounds import interval_bounds, relaxation_bounds
from advmip.mip.branch_and_bound.node import OPEN
from advmip.mip.deadline import until
from advmip.mip.distances import L2, Box
from advmip.mip.goals import targeted
from advmip.mip.problem import Problem
from advmip.mip.programs.product_prices import Products, best_prices
from advmip.mip.projection import projected
from advmip.networks import staged

COLUMNS, PAIRS = 7, 3
MARGIN = 1e-4


def example(seed: int) -> tuple[np.ndarray, np.ndarray, Products, np.ndarray, np.ndarray]:
    """Three neurons above four squared columns, whose outputs are the columns after those."""
    random = np.random.default_rng(seed)
    quadratic = np.diag(np.where(np.arange(COLUMNS) < COLUMNS - PAIRS, 1.0, 0.0))
    outputs = np.eye(COLUMNS)[-PAIRS:]
    slacks = outputs.copy()
    slacks[:, :-PAIRS] = -random.normal(size=(PAIRS, COLUMNS - PAIRS))
    products = Products(outputs, np.zeros(PAIRS), slacks, np.abs(random.normal(size=PAIRS)))
    box = np.vstack([np.eye(COLUMNS), -np.eye(COLUMNS), -products.second])
    sides = np.concatenate([np.full(2 * COLUMNS, 3.0), products.second_constant])
    # At the origin all neurons are inactive, but the sum of their outputs is to be 2.
    goal = -outputs.sum(axis=0)
    return quadratic, np.zeros(COLUMNS), products, np.vstack([box, goal]), np.append(sides, -2.0)


def optimum(
    quadratic: np.ndarray, costs: np.ndarray, constant: float, rows: np.ndarray, sides: np.ndarray
) -> float:
    """The least value of a convex quadratic program, by Clarabel."""
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    cones = [clarabel.NonnegativeConeT(len(sides))]
    solver = clarabel.DefaultSolver(
        csc_matrix(np.triu(2.0 * quadratic)), costs, csc_matrix(rows), sides, cones, settings
    )
    return float(solver.solve().obj_val) + constant


def relaxed_by_shor(
    quadratic: np.ndarray, products: Products, rows: np.ndarray, sides: np.ndarray
) -> float:
    """The least tr(Q V) over moments V, with the products 0, by Clarabel."""
    size = len(quadratic) + 1
    places = [(row, column) for column in range(size) for row in range(column + 1)]
    weights = np.array([1.0 if row == column else np.sqrt(2.0) for row, column in places])

    def vector(matrix: np.ndarray) -> np.ndarray:
        symmetric = 0.5 * (matrix + matrix.T)
        return np.array([symmetric[place] for place in places]) * weights

    def moment(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return vector(np.outer(left, right))

    one = np.eye(size)[-1]
    whole = np.zeros((size, size))
    whole[:-1, :-1] = quadratic
    first = np.column_stack([products.first, products.first_constant])
    second = np.column_stack([products.second, products.second_constant])
    equal = [moment(one, one), *(moment(*pair) for pair in zip(first, second, strict=True))]
    below = [moment(np.append(row, -side), one) for row, side in zip(rows, sides, strict=True)]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    dimension = len(places)
    found = clarabel.DefaultSolver(
        csc_matrix((dimension, dimension)),
        vector(whole),
        csc_matrix(np.vstack([*equal, *below, -np.eye(dimension)])),
        np.concatenate([[1.0], np.zeros(len(equal) - 1 + len(below) + dimension)]),
        [
            clarabel.ZeroConeT(len(equal)),
            clarabel.NonnegativeConeT(len(below)),
            clarabel.PSDTriangleConeT(size),
        ],
        settings,
    ).solve()
    return float(found.obj_val)


@pytest.mark.parametrize("seed", range(8))
def test_the_optimum_under_the_prices_is_shors(seed: int) -> None:
    quadratic, costs, products, rows, sides = example(seed)
    prices = best_prices(quadratic, costs, products, rows, sides, np.full(COLUMNS, 6.0))
    priced, linear, constant = products.priced(prices)
    found = optimum(quadratic + priced, costs + linear, constant, rows, sides)
    wanted = relaxed_by_shor(quadratic, products, rows, sides)
    assert optimum(quadratic, costs, 0.0, rows, sides) < wanted
    assert found == pytest.approx(wanted, rel=0.01)


@pytest.mark.parametrize("seed", range(8))
def test_the_objective_stays_convex_and_as_it_is_where_the_products_are_0(seed: int) -> None:
    quadratic, costs, products, rows, sides = example(seed)
    prices = best_prices(quadratic, costs, products, rows, sides, np.full(COLUMNS, 6.0))
    priced, linear, constant = products.priced(prices)
    assert np.linalg.eigvalsh(quadratic + priced)[0] > 0
    for point in np.random.default_rng(seed).uniform(-3.0, 3.0, (100, COLUMNS)):
        entering = point[-PAIRS:] - products.second @ point - products.second_constant
        point[-PAIRS:] = np.maximum(entering, 0.0)
        assert point @ priced @ point + linear @ point + constant == pytest.approx(0.0, abs=1e-9)


def test_columns_that_no_price_makes_convex_have_none() -> None:
    # x_1^2 + y x_1 x_2 is convex for y = 0 alone, and x_2 is never curved.
    products = Products(np.array([[1.0, 0.0]]), np.zeros(1), np.array([[0.0, 1.0]]), np.zeros(1))
    box = np.vstack([np.eye(2), -np.eye(2)])
    prices = best_prices(
        np.diag([1.0, 0.0]), np.zeros(2), products, box, np.ones(4), np.full(2, 2.0)
    )
    assert np.array_equal(prices, [0.0])


def test_without_time_nothing_has_a_price() -> None:
    quadratic, costs, products, rows, sides = example(0)
    spread = np.full(COLUMNS, 6.0)
    with until(time.perf_counter() - 1.0):
        prices = best_prices(quadratic, costs, products, rows, sides, spread)
    np.testing.assert_array_equal(prices, np.zeros(PAIRS))


def problem_of(seed: int) -> tuple[Problem, float]:
    """A problem in three coordinates, and the length of its nearest attack."""
    tiny, network, image, label = instance(seed, (3, 4))
    target = (label + 1) % CLASSES
    goal = targeted(target, CLASSES, 1.0, MARGIN)
    problem = Problem(staged(network), image, L2(), goal, Box.around(image, SHAPE))
    assert projected(problem) is not None
    return problem, smallest(tiny, image, "l2", [target], 1.0, MARGIN)


@pytest.mark.parametrize("seed", [0, 2, 3, 4, 8, 9, 11, 12])
def test_prices_lift_the_root_of_a_tree_but_not_above_the_nearest_attack(seed: int) -> None:
    problem, nearest = problem_of(seed)
    assert np.isfinite(nearest)
    relaxation = Relaxation(problem, interval_bounds(problem))
    root = np.full(relaxation.neurons, OPEN, np.int8)
    before = relaxation.value(root)
    relaxation.strengthen()
    after = relaxation.value(root)
    assert before - 1e-6 <= after <= nearest**2 * (1.0 + 1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_priced_bounds_hold_for_every_attack_within_the_ball(seed: int) -> None:
    problem, _ = problem_of(seed)
    problem = problem.within(0.9)
    known = interval_bounds(problem)
    plain = relaxation_bounds(problem, known)
    priced = relaxation_bounds(problem, known, priced=True)
    random = np.random.default_rng(seed)
    for change in random.uniform(problem.box.lower, problem.box.upper, (3000, 4)):
        entering = problem.network.preactivations(problem.image + change)
        if np.linalg.norm(change) < 0.9 and problem.goal.surplus(entering[-1]) >= 0:
            assert priced is not None
            for values, interval in zip(entering, priced, strict=True):
                assert np.all(values >= interval.lower - 1e-9)
                assert np.all(values <= interval.upper + 1e-9)
    if plain is not None and priced is not None:
        widths = [
            sum(float(np.sum(each.upper - each.lower)) for each in found[:-1])
            for found in (plain, priced)
        ]
        assert widths[1] <= widths[0] * (1.0 + 0.05)


@pytest.mark.parametrize("seed", range(12))
def test_an_attack_that_needs_priced_bounds_finds_the_nearest_attack(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "advmip.mip.exact_attack.exact_attack.patience", lambda problem, bounding: 0.0
    )
    _, network, image, label = instance(seed, (3, 4))
    _, nearest = problem_of(seed)
    found = minimal_attack(
        network,
        image.reshape(SHAPE),
        label,
        "l2",
        target=(label + 1) % CLASSES,
        margin=MARGIN,
        gap=1e-6,
    )
    assert found.distance == pytest.approx(nearest, rel=1e-4, abs=1e-5)
    assert found.status == ("optimal" if np.isfinite(nearest) else "infeasible")
