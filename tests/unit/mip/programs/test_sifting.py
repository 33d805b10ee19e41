"""A sifted program gives what the whole one gives, whatever changes between solves."""

import numpy as np
import pytest
from violations import largest_violation

from advmip.mip.model import Matrix, Model
from advmip.mip.programs import sifting
from advmip.mip.programs.linear_program import LinearProgram
from advmip.mip.programs.sifting import SiftedProgram

PIXELS, ROWS = 200, 6


def covering(seed: int, *, reach: float = 1.0) -> Model:
    """Rows that cheap columns must lift above a side; at 0 none is met."""
    random = np.random.default_rng(seed)
    return Model(
        lower=np.zeros(PIXELS),
        upper=np.full(PIXELS, reach),
        objective=np.ones(PIXELS),
        squares=np.zeros(PIXELS),
        constant=0.0,
        integer=np.zeros(PIXELS, bool),
        matrix=Matrix(random.standard_normal((ROWS, PIXELS))),
        row_lower=random.uniform(1.0, 5.0, ROWS),
        row_upper=np.full(ROWS, np.inf),
    )


def both(model: Model, simplex: str = "dual") -> tuple[LinearProgram, SiftedProgram]:
    return LinearProgram(model, simplex), SiftedProgram(model, simplex, np.arange(3, PIXELS))


@pytest.mark.parametrize("simplex", ["primal", "dual"])
@pytest.mark.parametrize("seed", range(5))
def test_the_optimum_is_that_of_all_columns(seed: int, simplex: str) -> None:
    model = covering(seed)
    whole, sifted = both(model, simplex)
    random = np.random.default_rng(seed)
    for _ in range(5):
        objective = random.uniform(0.1, 2.0, PIXELS) - 0.3 * (random.random(PIXELS) < 0.1)
        expected, _ = whole.minimise(objective)
        value, point = sifted.minimise(objective)
        assert value == pytest.approx(expected)
        assert point is not None
        assert objective @ point == pytest.approx(expected)
        assert largest_violation(model, point) < 1e-6
        assert sifted.lower_bound(objective) == pytest.approx(expected)


def test_most_columns_never_take_part() -> None:
    _, sifted = both(covering(0))
    point = sifted.minimise(np.ones(PIXELS))[1]
    assert point is not None
    assert np.count_nonzero(point) < sifted.taking_part < PIXELS / 2


def test_bounds_of_columns_change_whether_they_rest_or_not() -> None:
    model = covering(1)
    whole, sifted = both(model)
    upper = model.upper.copy()
    for _ in range(4):
        expected = whole.resolve()
        assert sifted.resolve() == pytest.approx(expected)
        upper[sifted.point() > 0] = 0.0
        whole.set_bounds(model.lower, upper)
        sifted.set_bounds(model.lower, upper)
    some = np.array([0, 50, 150])
    for program in (whole, sifted):
        program.set_bounds(np.zeros(3), np.ones(3), some)
    assert sifted.resolve() == pytest.approx(whole.resolve())


def test_rows_come_and_go() -> None:
    whole, sifted = both(covering(2))
    assert sifted.resolve() == pytest.approx(whole.resolve())
    random = np.random.default_rng(2)
    for side in (0.5, 0.2):
        rows = Matrix(np.stack([sifted.point(), random.random(PIXELS)]))
        for program in (whole, sifted):
            program.add_rows(rows, np.array([side, 100.0]))
        assert sifted.resolve() == pytest.approx(whole.resolve())
    for program in (whole, sifted):
        loose = program.loose_rows()
        assert {ROWS + 1, ROWS + 3} <= set(loose)
        program.drop_rows(loose[loose >= ROWS])
    assert sifted.resolve() == pytest.approx(whole.resolve())


def test_no_point_and_no_point_of_interest_are_told_apart_from_too_few_columns() -> None:
    whole, sifted = both(covering(3, reach=1e-3))
    assert whole.resolve() == sifted.resolve() == np.inf
    assert sifted.infeasible
    whole, sifted = both(covering(3))
    optimum = whole.resolve()
    for cutoff, expected in ((0.9 * optimum, np.inf), (1.1 * optimum, optimum)):
        sifted.stop_above(cutoff)
        assert sifted.resolve() == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_proved_is_proved_for_the_bounds_as_they_are(seed: int) -> None:
    for program in both(covering(seed)):
        value, point = program.minimise(np.ones(PIXELS))
        assert point is not None
        used = np.flatnonzero(point)[:3]
        program.set_bounds(np.zeros(3), np.zeros(3), used)
        dearer, _ = program.minimise(np.ones(PIXELS))
        assert dearer > value
        assert program.lower_bound(np.ones(PIXELS)) == pytest.approx(dearer)


def test_coefficients_change() -> None:
    model = covering(5)
    rows, columns = np.array([0, 3, 5]), np.array([0, 1, 2])
    values = np.array([2.5, -1.5, 0.5])
    programs = both(covering(5))
    for program in programs:
        program.resolve()
        program.change_coefficients(rows, columns, values)
    model.matrix[rows, columns] = values
    expected, _ = LinearProgram(model, "dual").minimise(model.objective)
    for program in programs:
        assert program.resolve() == pytest.approx(expected)
        assert program.lower_bound(model.objective) == pytest.approx(expected)


def test_columns_that_came_in_rest_again_and_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sifting, "_MANY", 2)
    whole, program = both(covering(6, reach=0.2), "primal")
    random = np.random.default_rng(6)
    counts = []
    for _ in range(30):
        cheap = random.random(PIXELS) < 0.3
        objective = np.where(cheap, 0.1, 2.0) * random.uniform(0.5, 1.0, PIXELS)
        expected, _ = whole.minimise(objective)
        assert program.minimise(objective)[0] == pytest.approx(expected)
        assert program.lower_bound(objective) == pytest.approx(expected)
        np.testing.assert_allclose(program.point(), whole.point(), atol=1e-6)
        counts.append(program.taking_part)
    assert min(np.diff(counts)) < 0
