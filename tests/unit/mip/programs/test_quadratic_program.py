"""Quadratic programs by multipliers give what a general solver gives, whatever changes between."""

import numpy as np
import pytest
import qpsolvers
from scipy.sparse import csc_matrix
from violations import largest_violation

from advmip.mip.deadline import until
from advmip.mip.model import Cuts, Matrix, Model
from advmip.mip.programs.quadratic_program import QuadraticProgram

SQUARED, FLAT, ROWS, EQUALITIES = 6, 8, 7, 3


def model_of(seed: int) -> Model:
    """Squares of some columns, costs of a few others, and rows through a point of the box."""
    random = np.random.default_rng(seed)
    columns = SQUARED + FLAT
    matrix = random.standard_normal((ROWS + EQUALITIES, columns))
    inside = matrix @ random.uniform(-0.5, 1.0, columns)
    squared = np.arange(columns) < SQUARED
    return Model(
        lower=np.where(squared, -2.0, 0.0),
        upper=np.full(columns, 2.0),
        objective=np.where(np.arange(columns) >= columns - 2, random.random(columns), 0.0),
        squares=np.where(squared, random.uniform(0.5, 2.0, columns), 0.0),
        constant=0.0,
        integer=np.zeros(columns, bool),
        matrix=Matrix(matrix),
        row_lower=np.where(np.arange(len(inside)) < ROWS, inside + 0.3, inside),
        row_upper=np.where(np.arange(len(inside)) < ROWS, np.inf, inside),
    )


def expected(model: Model, lower: np.ndarray, upper: np.ndarray) -> float:
    """The optimum by Clarabel; inf if there is no point."""
    equal = model.row_lower == model.row_upper
    found = qpsolvers.solve_problem(
        qpsolvers.Problem(
            csc_matrix(np.diag(2.0 * model.squares)),
            model.objective,
            csc_matrix(-model.matrix[~equal]),
            -model.row_lower[~equal],
            csc_matrix(model.matrix[equal]),
            model.row_lower[equal],
            lower,
            upper,
        ),
        solver="clarabel",
    )
    return float(found.obj) if found.found else np.inf


@pytest.mark.parametrize("seed", range(12))
def test_the_optimum_is_that_of_a_general_solver_under_other_and_other_bounds(seed: int) -> None:
    model = model_of(seed)
    program = QuadraticProgram(model)
    random = np.random.default_rng(seed)
    upper = model.upper.copy()
    for _ in range(8):
        optimum, value = expected(model, model.lower, upper), program.resolve()
        assert value == pytest.approx(optimum, rel=1e-4, abs=1e-6)
        if np.isfinite(optimum):
            assert value <= optimum + 1e-6
            assert largest_violation(model, program.point()) < 1e-6
            assert model.value(program.point()) == pytest.approx(optimum, rel=1e-4, abs=1e-6)
        some = random.integers(SQUARED, SQUARED + FLAT, 2)
        upper[some] = np.where(upper[some] > 0, 0.0, model.upper[some])
        program.set_bounds(model.lower[some], upper[some], some)


@pytest.mark.parametrize("seed", range(6))
def test_a_cutoff_ends_a_solve_that_cannot_stay_below_it(seed: int) -> None:
    model = model_of(seed)
    optimum = expected(model, model.lower, model.upper)
    if not np.isfinite(optimum):
        return
    for factor, value in ((0.9, np.inf), (1.0001, optimum)):
        program = QuadraticProgram(model)
        program.stop_above(factor * optimum)
        assert program.resolve() == pytest.approx(value, rel=1e-3)


def test_rows_come_and_go_and_are_counted_as_the_model_counts_them() -> None:
    model = model_of(0)
    program = QuadraticProgram(model)
    before = program.resolve()
    point = program.point()
    row = Matrix(np.eye(len(point))[:1] * np.sign(point[0]))
    given = len(model.row_lower)
    program.add_rows(row, np.array([0.5 * abs(point[0])]))
    assert program.resolve() > before
    assert given not in program.loose_rows()
    program.add_rows(row, np.array([5.0]))
    program.resolve()
    assert given + 1 in program.loose_rows()
    program.drop_rows(np.array([given]))
    assert program.resolve() == pytest.approx(before, rel=1e-4)
    assert given in program.loose_rows()


def test_rows_of_separators_are_added_until_none_is_violated() -> None:
    model = model_of(0)
    asked = []

    def separator(point: np.ndarray) -> Cuts:
        """The half-plane at the nearest point of the disc |x| <= 1/5 of the first two columns."""
        asked.append(point)
        length = float(np.linalg.norm(point[:2]))
        row = np.zeros((1, len(point)))
        row[0, :2] = point[:2] / max(length, 1e-9)
        wrong = length > 0.2 + 1e-6
        return Cuts(Matrix(row[:wrong]), np.full(int(wrong), 0.2))

    free = QuadraticProgram(model).resolve()
    held = QuadraticProgram(Model(**{**vars(model), "separators": (separator,)}))
    assert held.resolve() >= free
    assert np.linalg.norm(held.point()[:2]) <= 0.2 + 1e-3
    assert len(asked) > 1


def test_without_time_nothing_is_said() -> None:
    program = QuadraticProgram(model_of(0))
    with until(0.0):
        assert program.resolve() == -np.inf
