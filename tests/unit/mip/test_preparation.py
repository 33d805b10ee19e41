"""Which solver takes a problem, where none is asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from brute_force import CLASSES, SHAPE
from tiny_networks import instance

from advmip.mip.bounds import interval_bounds
from advmip.mip.distances import Box, distance_named
from advmip.mip.formulations import BigM, Formulation, Indicator
from advmip.mip.goals import targeted
from advmip.mip.preparation import Prepared, prepare
from advmip.mip.problem import Problem
from advmip.mip.solvers import SOLVERS, Options, Status
from advmip.networks import staged

COORDINATES = "exact L2 in coordinates, where general solvers are slower"


def prepared(
    distance: str, formulation: Formulation | None = None, solver: str = "auto"
) -> tuple[Problem, Prepared]:
    _, network, image, label = instance(4, (3, 4))
    goal = targeted((label + 1) % CLASSES, CLASSES, 1.0, 1e-4)
    box = Box.around(image, SHAPE)
    problem = Problem(staged(network), image, distance_named(distance), goal, box)
    return problem, prepare(problem, interval_bounds(problem), formulation or BigM(), solver)


@pytest.fixture
def without_gurobi(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = replace(SOLVERS["gurobi"], refusal=lambda size: "no licence for it")
    monkeypatch.setitem(SOLVERS, "gurobi", refusing)


@pytest.mark.parametrize("distance", ["l1", "l2", "linf", "l2-5", "l1+tv"])
@pytest.mark.usefixtures("without_gurobi")
def test_without_gurobi_the_tree_takes_what_it_can(distance: str) -> None:
    problem, chosen = prepared(distance)
    assert chosen.solver == "branch-and-bound"
    assert chosen.reason == ("no licence for it" if distance != "l2" else COORDINATES)
    solution = chosen.solve(Options(gap=1e-6))
    assert solution.status == Status.OPTIMAL
    assert solution.point is not None
    general = "scip" if distance == "l2" else "highs"
    other = prepare(problem, interval_bounds(problem), BigM(), general).solve(Options(gap=1e-6))
    assert solution.value == pytest.approx(other.value, rel=1e-4)
    change = chosen.lifted(solution.point)
    assert np.all(change >= problem.box.lower - 1e-9)
    assert np.all(change <= problem.box.upper + 1e-9)


@pytest.mark.parametrize(
    ("distance", "formulation"), [("l0", BigM()), ("l2", Indicator()), ("l1", Indicator())]
)
@pytest.mark.usefixtures("without_gurobi")
def test_an_open_solver_takes_the_rest(distance: str, formulation: Formulation) -> None:
    _, chosen = prepared(distance, formulation)
    assert (chosen.solver, chosen.reason) == ("scip", "no licence for it")


@pytest.mark.parametrize("distance", ["l1", "l2"])
@pytest.mark.usefixtures("without_gurobi")
def test_without_gurobi_the_model_of_mipverify_goes_to_an_open_solver(distance: str) -> None:
    _, chosen = prepared(distance, solver="mipverify")
    assert (chosen.solver, chosen.reason) == ("scip", "no licence for it")


def test_a_model_that_its_licence_admits_goes_to_gurobi() -> None:
    assert prepared("l1")[1].solver == "gurobi"
    assert prepared("l2", solver="gurobi")[1].reason.endswith("in coordinates")
    # MIPVerify has no coordinates.
    assert prepared("l2", solver="mipverify")[1].reason == "its licence admits the model"


def test_exact_l2_is_our_trees_in_few_coordinates() -> None:
    _, chosen = prepared("l2")
    assert (chosen.solver, chosen.reason) == ("branch-and-bound", COORDINATES)
    # A tree has no indicators.
    assert prepared("l2", Indicator())[1].solver == "gurobi"
