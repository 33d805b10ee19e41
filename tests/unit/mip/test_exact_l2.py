"""L2 attacks in coordinates: the shortest change, and cuts that hold everywhere."""

from __future__ import annotations

import numpy as np
import pytest
import qpsolvers
from brute_force import CLASSES, SHAPE, TinyNetwork
from scipy.optimize import linprog
from scipy.sparse import csc_matrix
from tiny_networks import as_network

from advmip.mip.distances import L1, L2, Box
from advmip.mip.model import Cut, ModelBuilder
from advmip.mip.problem import Problem
from advmip.mip.projection import ProjectedL2, Space, projected
from advmip.mip.targets import Targeted
from advmip.networks import staged

PIXELS, COORDINATES = 30, 5


def space(seed: int) -> Space:
    random = np.random.default_rng(seed)
    basis = np.linalg.qr(random.normal(size=(PIXELS, COORDINATES)))[0].T
    image = np.where(random.random(PIXELS) < 0.5, 0.0, random.random(PIXELS))
    return Space(basis, Box.around(image, (1, 5, 6)), np.inf)


def shortest_by_clarabel(chosen: Space, coordinates: np.ndarray) -> np.ndarray | None:
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


def cuts_at(chosen: Space, coordinates: np.ndarray) -> list[Cut]:
    """The cuts that a point with nothing added to the squares violates."""
    builder = ModelBuilder()
    whole = Box(np.full(COORDINATES, -9.0), np.full(COORDINATES, 9.0), (COORDINATES,))
    ProjectedL2(chosen).encode(builder, whole)
    (separator,) = builder.build().separators
    return list(separator(np.append(coordinates, 0.0)))


@pytest.mark.parametrize("seed", range(8))
def test_a_cut_is_tight_where_it_was_made_and_holds_for_every_change(seed: int) -> None:
    chosen = space(seed)
    random = np.random.default_rng(seed + 70)
    changes = random.uniform(chosen.box.lower, chosen.box.upper, (200, PIXELS))
    coordinates = chosen.basis @ changes[0]
    (cut,) = cuts_at(chosen, coordinates)
    shortest, _ = chosen.shortest(coordinates)
    rest = shortest @ shortest - coordinates @ coordinates
    assert cut.row @ np.append(coordinates, rest) == pytest.approx(cut.upper, abs=1e-6)
    for change in changes:
        values = chosen.basis @ change
        enough = change @ change - values @ values
        assert cut.row @ np.append(values, enough) <= cut.upper + 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_coordinates_of_no_change_are_cut_off(seed: int) -> None:
    chosen = space(seed)
    far = 20.0 * chosen.basis @ np.sign(chosen.basis[0])
    box = list(zip(chosen.box.lower, chosen.box.upper, strict=True))
    found = linprog(np.zeros(PIXELS), A_eq=chosen.basis, b_eq=far, bounds=box)
    assert found.status == 2, "infeasible"
    (cut,) = cuts_at(chosen, far)
    # Not even a rest of all pixels from black to white is enough.
    assert cut.row @ np.append(far, PIXELS) > cut.upper


def test_the_network_sees_the_same_in_coordinates() -> None:
    tiny = TinyNetwork(1)
    form = staged(as_network(tiny))
    image = np.random.default_rng(0).random(4)
    box = Box.around(image, SHAPE)
    problem = Problem(form, image, L2(), Targeted(0, CLASSES), box)
    found = projected(problem)
    assert found is not None
    change = np.random.default_rng(1).uniform(box.lower, box.upper)
    coordinates = found.space.basis @ change
    small = found.problem.network.logits(coordinates)
    assert small == pytest.approx(form.logits(image + change))
    lifted = found.lifted(coordinates)
    assert form.logits(image + lifted) == pytest.approx(form.logits(image + change))
    assert np.linalg.norm(lifted) <= np.linalg.norm(change) + 1e-9
    assert projected(Problem(form, image, L1(), problem.goal, box)) is None
