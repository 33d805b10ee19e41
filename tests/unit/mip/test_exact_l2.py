"""L2 attacks in coordinates: the shortest change, and cuts that hold everywhere."""

from __future__ import annotations

import numpy as np
import pytest
import qpsolvers
from brute_force import CLASSES, SHAPE, TinyNetwork, smallest
from scipy.optimize import linprog
from scipy.sparse import csc_matrix
from tiny_networks import as_network, instance

from advmip import InputError, minimal_attack
from advmip.layout import Layout
from advmip.mip.attack_tree import tree_for
from advmip.mip.bounds import interval_bounds, relaxation_bounds
from advmip.mip.distances import L1, L2, Box
from advmip.mip.formulations import BigM
from advmip.mip.goals import targeted
from advmip.mip.model import Cuts, ModelBuilder
from advmip.mip.problem import Problem
from advmip.mip.projection import CoordinateSpace, ProjectedL2, projected
from advmip.mip.solvers import Options
from advmip.networks import staged

PIXELS, COORDINATES = 30, 5
MARGIN = 1e-4


def space(seed: int) -> CoordinateSpace:
    random = np.random.default_rng(seed)
    basis = np.linalg.qr(random.normal(size=(PIXELS, COORDINATES)))[0].T
    image = np.where(random.random(PIXELS) < 0.5, 0.0, random.random(PIXELS))
    return CoordinateSpace(basis, Box.around(image, (1, 5, 6)), np.inf)


def shortest_by_clarabel(chosen: CoordinateSpace, coordinates: np.ndarray) -> np.ndarray | None:
    return qpsolvers.solve_qp(
        csc_matrix(2 * np.eye(PIXELS)),
        np.zeros(PIXELS),
        A=csc_matrix(chosen.basis),
        b=coordinates,
        lb=chosen.box.lower,
        ub=chosen.box.upper,
        solver="clarabel",
    )


@pytest.mark.parametrize("seed", range(8))
def test_the_shortest_change_is_that_of_a_general_solver(seed: int) -> None:
    chosen = space(seed)
    random = np.random.default_rng(seed + 50)
    change = random.uniform(chosen.box.lower, chosen.box.upper)
    coordinates = chosen.basis @ change
    ours, _ = chosen.shortest(coordinates)
    theirs = shortest_by_clarabel(chosen, coordinates)
    assert theirs is not None
    assert chosen.basis @ ours == pytest.approx(coordinates, abs=1e-7)
    assert np.linalg.norm(ours) == pytest.approx(np.linalg.norm(theirs), rel=1e-6)


def cuts_at(chosen: CoordinateSpace, coordinates: np.ndarray, rest: float = 0.0) -> Cuts:
    """The cuts that a point with so much added to its squares violates."""
    builder = ModelBuilder()
    whole = Box(np.full(COORDINATES, -9.0), np.full(COORDINATES, 9.0), Layout((COORDINATES,)))
    ProjectedL2(chosen).encode(builder, whole)
    (separator,) = builder.build().separators
    return separator(np.append(coordinates, rest))


@pytest.mark.parametrize("seed", range(8))
def test_cuts_at_a_point_rise_to_its_rest_and_hold_for_every_change(seed: int) -> None:
    chosen = space(seed)
    random = np.random.default_rng(seed + 70)
    changes = random.uniform(chosen.box.lower, chosen.box.upper, (200, PIXELS))
    coordinates = chosen.basis @ changes[0]
    said = 0.0
    while len(cut := cuts_at(chosen, coordinates, said)):
        higher = (cut.matrix @ np.append(coordinates, 0.0) - cut.upper).item()
        assert higher > said
        said = higher
        for change in changes:
            values = chosen.basis @ change
            enough = change @ change - values @ values
            assert cut.matrix @ np.append(values, enough) <= cut.upper + 1e-9
    shortest, _ = chosen.shortest(coordinates)
    rest = shortest @ shortest - coordinates @ coordinates
    assert said == pytest.approx(rest, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_coordinates_of_no_change_are_cut_off(seed: int) -> None:
    chosen = space(seed)
    far = 20.0 * chosen.basis @ np.sign(chosen.basis[0])
    box = list(zip(chosen.box.lower, chosen.box.upper, strict=True))
    found = linprog(np.zeros(PIXELS), A_eq=chosen.basis, b_eq=far, bounds=box)
    assert found.status == 2, "infeasible"
    cut = cuts_at(chosen, far)
    # Not even a rest of all pixels from black to white is enough.
    assert cut.matrix @ np.append(far, PIXELS) > cut.upper


def test_the_network_sees_the_same_in_coordinates() -> None:
    tiny = TinyNetwork(1, (3, 3))
    form = staged(as_network(tiny))
    image = np.random.default_rng(0).random(4)
    box = Box.around(image, SHAPE)
    problem = Problem(form, image, L2(), targeted(0, CLASSES), box)
    found = projected(problem)
    assert found is not None
    change = np.random.default_rng(1).uniform(box.lower, box.upper)
    basis = np.linalg.svd(tiny.weights[0], full_matrices=False)[2]
    coordinates = basis @ change
    small = found.problem.network.logits(coordinates)
    assert small == pytest.approx(form.logits(image + change))
    lifted = found.lifted(coordinates)
    assert form.logits(image + lifted) == pytest.approx(form.logits(image + change))
    assert np.linalg.norm(lifted) <= np.linalg.norm(change) + 1e-9
    assert projected(Problem(form, image, L1(), problem.goal, box)) is None


@pytest.mark.parametrize("seed", range(10))
def test_the_tree_in_coordinates_equals_brute_force(seed: int) -> None:
    tiny, network, image, label = instance(seed, (3, 4))
    target = (label + 1) % CLASSES
    expected = smallest(tiny, image, "l2", [target], 1.0, MARGIN)
    goal = targeted(target, CLASSES, 1.0, MARGIN)
    problem = Problem(staged(network), image, L2(), goal, Box.around(image, SHAPE))
    assert projected(problem) is not None
    tree = tree_for(problem, interval_bounds(problem), BigM(), "branch-and-bound")
    solution = tree.solve(Options(gap=1e-5))
    assert np.sqrt(solution.value) == pytest.approx(expected, rel=1e-4)
    assert np.sqrt(solution.bound) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_tree_and_gurobi_agree(seed: int) -> None:
    _, network, image, label = instance(seed, (3, 8, 8))
    found = [
        minimal_attack(network, image.reshape(SHAPE), label, "l2", solver=solver, gap=1e-6)
        for solver in ("branch-and-bound", "gurobi")
    ]
    assert found[0].status == found[1].status
    assert found[0].distance == pytest.approx(found[1].distance, rel=1e-4)


def test_more_squares_than_a_dense_program_can_bear_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("advmip.mip.attack_tree.tree._MOST_SQUARES", 2)
    _, network, image, label = instance(1)
    with pytest.raises(InputError, match="2 squares"):
        minimal_attack(network, image.reshape(SHAPE), label, "l2", solver="branch-and-bound")


@pytest.mark.parametrize("seed", range(6))
def test_no_attack_within_the_ball_leaves_the_bounds_of_its_neurons(seed: int) -> None:
    _, network, image, label = instance(seed)
    form, target = staged(network), (label + 1) % CLASSES
    goal = targeted(target, CLASSES, 1.0, MARGIN)
    problem = Problem(form, image, L2(), goal, Box.around(image, SHAPE)).within(0.9)
    bounds = relaxation_bounds(problem, interval_bounds(problem))
    random = np.random.default_rng(seed)
    for change in random.uniform(problem.box.lower, problem.box.upper, (3000, 4)):
        entering = form.preactivations(image + change)
        if np.linalg.norm(change) < 0.9 and goal.surplus(entering[-1]) >= 0:
            assert bounds is not None
            for values, interval in zip(entering, bounds, strict=True):
                assert np.all(values >= interval.lower - 1e-9)
                assert np.all(values <= interval.upper + 1e-9)
