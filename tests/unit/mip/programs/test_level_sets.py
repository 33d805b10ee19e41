"""Sets of pixels in place of differences: the same optimum, with most of an image at rest."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from violations import largest_violation

from advmip.layout import Layout
from advmip.mip.distances import Box, Distance, L1PlusTotalVariation, TotalVariation
from advmip.mip.model import Expression, Matrix, Model, ModelBuilder
from advmip.mip.programs.linear_program import LinearProgram
from advmip.mip.programs.minimum_cut import Graph

SHAPE = (2, 4, 5)
PIXELS, ROWS = 40, 5
SEEDS = range(6)
# Of the rounded costs of a minimum cut.
ROUNDED = 1e-5


@pytest.mark.parametrize("seed", SEEDS)
def test_the_cheapest_subset_is_that_of_all_subsets(seed: int) -> None:
    random = np.random.default_rng(seed)
    grid = np.arange(9).reshape(3, 3)
    first = np.concatenate([grid[:, :-1].ravel(), grid[:-1].ravel()])
    second = np.concatenate([grid[:, 1:].ravel(), grid[1:].ravel()])
    graph = Graph(9, first, second)
    for price in (0.0, 0.1, 0.7):
        costs = 3.0 * random.normal(size=9)
        best = min(
            costs[list(chosen)].sum()
            + price * sum(chosen[i] != chosen[j] for i, j in zip(first, second, strict=True))
            for chosen in map(np.array, product([False, True], repeat=9))
        )
        inside, flow = graph.cheapest(costs, price)
        leaving = (inside[first] != inside[second]).sum()
        assert costs[inside].sum() + price * leaving == pytest.approx(best, abs=ROUNDED)
        # The flow proves that there is no cheaper one.
        assert (np.abs(flow) <= price + 1e-12).all()
        spread = costs.copy()
        np.add.at(spread, first, flow)
        np.subtract.at(spread, second, flow)
        if price:
            assert np.minimum(spread, 0.0).sum() == pytest.approx(best, abs=ROUNDED)


def encoded(distance: Distance, seed: int, *, reach: float = 1.0) -> tuple[Model, Expression, Box]:
    """Rows over the change of an image that ask for some of it; at 0 none is met."""
    random = np.random.default_rng(seed)
    image = random.choice([0.0, 1.0, 0.3], PIXELS, p=[0.6, 0.2, 0.2])
    box = Box(-reach * image, reach * (1.0 - image), Layout(SHAPE))
    builder = ModelBuilder()
    change = distance.encode(builder, box)
    rows = Matrix(random.standard_normal((ROWS, PIXELS)))
    builder.add_rows(change.mapped(rows), lower=random.uniform(0.5, 3.0, ROWS))
    return builder.build(), change, box


def both(seed: int, *, reach: float = 1.0) -> tuple[LinearProgram, LinearProgram, Model, Model]:
    """All differences, and sets of pixels; each with its model."""
    whole = L1PlusTotalVariation(0.5)
    explicit, change, box = encoded(whole, seed, reach=reach)
    compact, parts, _ = encoded(whole.sifted, seed, reach=reach)
    return (
        whole.program(explicit, change, box, "dual"),
        whole.sifted.program(compact, parts, box, "dual"),
        explicit,
        compact,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_optimum_is_that_of_all_differences(seed: int) -> None:
    whole, program, explicit, compact = both(seed)
    expected, _ = whole.minimise(explicit.objective)
    value, point = program.minimise(compact.objective)
    assert value == pytest.approx(expected, rel=ROUNDED)
    assert point is not None
    assert compact.objective @ point == pytest.approx(value)
    assert largest_violation(compact, point) < 1e-6
    proved = program.lower_bound(compact.objective)
    assert proved <= expected + 1e-9
    assert proved == pytest.approx(expected, rel=ROUNDED)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_point_is_the_perturbation_and_its_distance(seed: int) -> None:
    distance = L1PlusTotalVariation(0.5)
    model, change, box = encoded(distance.sifted, seed)
    value, point = distance.sifted.program(model, change, box, "primal").minimise(model.objective)
    assert point is not None
    assert distance.value(change.values(point), box) == pytest.approx(value, rel=ROUNDED)


@pytest.mark.parametrize("seed", SEEDS)
def test_forms_are_bounded_within_a_ball_of_the_distance(seed: int) -> None:
    distance = L1PlusTotalVariation(0.5)
    random = np.random.default_rng(seed)
    programs = []
    for measure in (distance, distance.sifted):
        model, change, box = encoded(measure, seed)
        limited = model.limited(1.5 * LinearProgram(model, "dual").resolve() + 1.0)
        programs.append((measure.program(limited, change, box, "primal"), change, limited))
    (_, _, explicit), _ = programs
    # Both have the radius of the one that knows all differences.
    radius = explicit.row_upper[-1]
    compact = programs[1][2]
    compact.row_upper[-1] = radius
    program = distance.sifted.program(compact, programs[1][1], box, "primal")
    for _ in range(4):
        form = random.normal(size=(1, PIXELS))
        costs = [
            change.mapped(Matrix(form)).written_out(len(model.lower))[0]
            for _, change, model in programs
        ]
        expected, _ = programs[0][0].minimise(costs[0])
        assert program.minimise(costs[1])[0] == pytest.approx(expected, abs=1e-4)
        assert program.proved_minimum(costs[1]) <= expected + 1e-9
        assert program.proved_minimum(costs[1]) == pytest.approx(expected, abs=1e-3)


def test_too_little_reach_is_told_apart_from_too_few_sets() -> None:
    whole, program, _, _ = both(1, reach=1e-3)
    assert whole.resolve() == program.resolve() == np.inf
    assert program.infeasible
    whole, program, _, _ = both(1)
    optimum = whole.resolve()
    program.stop_above(0.9 * optimum)
    assert program.resolve() > 0.9 * optimum
    program.stop_above(1.1 * optimum)
    assert program.resolve() == pytest.approx(optimum, rel=ROUNDED)


def test_without_a_ray_nothing_is_called_impossible(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = L1PlusTotalVariation(0.5)
    compact, parts, box = encoded(whole.sifted, 3)
    program = whole.sifted.program(compact, parts, box, "primal")
    optimum, _ = program.minimise(compact.objective)
    # Pixel by pixel, the variation that sets of them have is out of reach.
    narrow = whole.sifted.program(compact.limited(1.001 * optimum), parts, box, "primal")
    monkeypatch.setattr(narrow, "_ray", lambda: None)
    value, point = narrow.minimise(np.zeros_like(compact.objective))
    assert value == -np.inf
    assert point is None


def test_rows_come_and_go_beside_those_that_limit_pixels() -> None:
    whole, program, explicit, compact = both(2)
    before = whole.resolve()
    assert program.resolve() == pytest.approx(before, rel=ROUNDED)
    # The parts are the first columns of both.
    parts = len(compact.lower) - 1
    row = np.zeros(parts)
    row[np.flatnonzero(program.point()[:parts] > 0.1)[:2]] = 1.0
    for each, model in ((whole, explicit), (program, compact)):
        wide = np.zeros((1, len(model.lower)))
        wide[0, :parts] = row
        each.add_rows(Matrix(wide), np.array([0.1]))
    dearer = whole.resolve()
    assert dearer > before
    assert program.resolve() == pytest.approx(dearer, rel=ROUNDED)
    loose = program.loose_rows()
    program.drop_rows(loose[loose >= len(compact.row_lower)])
    assert program.resolve() == pytest.approx(dearer, rel=ROUNDED)


def test_variation_of_the_attacked_image_and_cones_stay_written_out() -> None:
    assert L1PlusTotalVariation().sifted.sparse
    for variation in (TotalVariation(isotropic=True), TotalVariation(image=np.zeros(4))):
        distance = L1PlusTotalVariation(1.0, variation)
        assert distance.sifted is distance
