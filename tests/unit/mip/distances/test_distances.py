"""Each distance: its bounds over a ball, and what its model minimises, beside general solvers."""

from __future__ import annotations

from itertools import combinations
from typing import Literal

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from advmip.mip.distances import (
    L0,
    L1,
    L2,
    Box,
    Distance,
    L1PlusTotalVariation,
    LInfinity,
    PiecewiseL2,
    TotalVariation,
)
from advmip.mip.model import Matrix, ModelBuilder
from advmip.mip.programs.linear_program import LinearProgram
from advmip.mip.solvers import Options, choose

SHAPE = (1, 2, 3)
PIXELS = 6
SEEDS = range(6)


def instance(seed: int) -> tuple[Box, np.ndarray, float]:
    """A box around an image with pixels at 0 and 1, a linear form, and a radius."""
    random = np.random.default_rng(seed)
    image = random.choice([0.0, 1.0, 0.3, 0.8], PIXELS)
    return Box.around(image, SHAPE), random.normal(size=PIXELS), float(random.uniform(0.2, 1.5))


def by_linear_program(box: Box, form: np.ndarray, radius: float) -> float:
    """The largest form @ (p - n) with sum(p + n) <= radius."""
    sides = [(0, each) for each in box.upper] + [(0, -each) for each in box.lower]
    found = linprog(
        -np.concatenate([form, -form]), np.ones((1, 2 * PIXELS)), [radius], bounds=sides
    )
    return float(-found.fun)


@pytest.mark.parametrize("seed", SEEDS)
def test_over_an_l1_ball_a_form_is_bounded_as_by_a_linear_program(seed: int) -> None:
    box, form, radius = instance(seed)
    assert L1().largest(form[None], box, radius) == pytest.approx(
        by_linear_program(box, form, radius)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_over_an_l0_ball_the_best_pixels_are_those_of_all_choices(seed: int) -> None:
    box, form, _ = instance(seed)
    effect = np.maximum(form * box.upper, form * box.lower)
    for count in range(PIXELS + 1):
        best = max(sum(effect[list(kept)]) for kept in combinations(range(PIXELS), count))
        assert L0().largest(form[None], box, count) == pytest.approx(best)


@pytest.mark.parametrize("seed", SEEDS)
def test_over_a_euclidean_ball_a_form_is_bounded_as_by_a_general_solver(seed: int) -> None:
    box, form, radius = instance(seed)
    found = minimize(
        lambda change: -form @ change,
        np.zeros(PIXELS),
        jac=lambda change: -form,
        method="SLSQP",
        bounds=list(zip(box.lower, box.upper, strict=True)),
        constraints={"type": "ineq", "fun": lambda change: radius**2 - change @ change},
        options={"maxiter": 500, "ftol": 1e-12},
    )
    assert L2().largest(form[None], box, radius) == pytest.approx(-found.fun, rel=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "distance",
    [L0(), L1(), L2(), LInfinity(), PiecewiseL2(5), TotalVariation(), L1PlusTotalVariation()],
)
def test_no_point_of_the_ball_exceeds_the_bound(distance: Distance, seed: int) -> None:
    box, form, _ = instance(seed)
    random = np.random.default_rng(seed + 10)
    for _ in range(50):
        change = random.uniform(box.lower, box.upper) * random.choice([0.0, 0.2, 1.0], PIXELS)
        radius = distance.value(change, box)
        assert form @ change <= distance.largest(form[None], box, radius)[0] + 1e-9
        # The box that the ball is cut to holds it.
        cut = distance.shrunken(box, radius)
        assert (change >= cut.lower - 1e-12).all()
        assert (change <= cut.upper + 1e-12).all()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "distance",
    [
        L0(),
        L1(),
        L2(),
        LInfinity(),
        PiecewiseL2(5),
        PiecewiseL2(5, sos2=True),
        TotalVariation(),
        TotalVariation(isotropic=True),
        L1PlusTotalVariation(),
    ],
)
def test_the_model_minimises_the_distance(distance: Distance, seed: int) -> None:
    box, _form, _ = instance(seed)
    random = np.random.default_rng(seed + 20)
    builder = ModelBuilder()
    change = distance.encode(builder, box)
    wished = random.uniform(box.lower, box.upper)
    builder.add_rows(change, wished, wished)
    model = builder.build()
    solution = choose("auto", model).solver.solve(model, Options(gap=1e-9))
    assert solution.point is not None
    assert change.values(solution.point) == pytest.approx(wished, abs=1e-6)
    assert distance.distance(solution.value) == pytest.approx(
        distance.value(wished, box), rel=1e-4, abs=1e-6
    )
    # Objective and distance are each other's inverse.
    assert distance.distance(distance.objective(3.0)) == pytest.approx(3.0)


@pytest.mark.parametrize("simplex", ["primal", "dual"])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("distance", [L1(), PiecewiseL2(5), PiecewiseL2(17)], ids=lambda d: d.name)
def test_its_own_program_gives_what_the_whole_one_gives(
    distance: Distance, seed: int, simplex: Literal["primal", "dual"]
) -> None:
    box, form, _ = instance(seed)
    builder = ModelBuilder()
    change = distance.encode(builder, box)
    asked = 0.7 * float((np.abs(form) * box.reach(form[None])[0]).sum())
    builder.add_rows(change.mapped(Matrix(form[None])), lower=asked)
    model = builder.build()
    value, point = distance.program(model, change, box, simplex).minimise(model.objective)
    expected, _ = LinearProgram(model, simplex).minimise(model.objective)
    assert value == pytest.approx(expected)
    assert point is not None
    assert distance.value(change.values(point), box) == pytest.approx(distance.distance(value))
