"""HiGHS: open, no limit of size, linear rows and integers only; and linear programs in a row."""

from __future__ import annotations

import time
from functools import cached_property
from typing import Any, Literal

import numpy as np
from scipy import sparse

from advmip.mip.model import Indices, Matrix, Model, Size
from advmip.mip.solvers.common import (
    Options,
    Solution,
    Trace,
    UnsupportedModelError,
    Vector,
    conclude,
)

# HiGHS numbers its simplex methods.
_STRATEGIES = {"dual": 1, "primal": 4}


def refusal(size: Size) -> str | None:
    """Why HiGHS does not take a model of this size; None if it does."""
    try:
        import highspy  # noqa: F401
    except ImportError:
        return "highspy is not installed"
    for construct, count in (
        ("indicator constraints", size.indicators),
        ("special ordered sets", size.sos2),
        ("second-order cones", size.cones),
        ("rows added during the search", size.separators),
        ("squares beside integers", size.quadratic and size.integers),
    ):
        if count:
            return f"HiGHS has no {construct}"
    return None


def solve(model: Model, options: Options) -> Solution:
    """Solve a model.

    Raises:
        UnsupportedModelError: The model has a construct that HiGHS lacks.
    """
    from highspy import HighsModelStatus

    reason = refusal(model.size)
    if reason is not None:
        raise UnsupportedModelError(f"HiGHS: {reason}")
    begun = time.perf_counter()
    trace = Trace()
    inner = _quiet()
    for name, value in {
        "time_limit": max(options.time_limit, 0.0),
        "threads": options.threads,
        "mip_rel_gap": options.gap,
        "random_seed": options.seed,
        "mip_feasibility_tolerance": options.integrality,
        "primal_feasibility_tolerance": options.feasibility,
        "dual_feasibility_tolerance": options.feasibility,
    }.items():
        inner.setOptionValue(name, value)
    inner.passModel(_translated(model))
    if options.start is not None and model.integer.any():
        _set_start(inner, options.start)
    if model.integer.any():
        inner.cbMipLogging += lambda event: trace.add(
            event.data_out.running_time,
            event.data_out.mip_primal_bound,
            event.data_out.mip_dual_bound,
        )
    inner.run()
    ended, info = inner.getModelStatus(), inner.getInfo()
    feasible = info.primal_solution_status == 2
    infeasible = ended in (HighsModelStatus.kInfeasible, HighsModelStatus.kUnboundedOrInfeasible)
    proved = infeasible or ended == HighsModelStatus.kOptimal
    point = np.array(inner.getSolution().col_value) if feasible and not infeasible else None
    value = np.inf if point is None else model.value(point)
    continuous_bound = value if proved else -np.inf
    bound = float(info.mip_dual_bound) if model.integer.any() else continuous_bound
    return conclude(
        options,
        proved=proved,
        point=point,
        value=value,
        bound=bound,
        nodes=max(int(info.mip_node_count), 0),
        begun=begun,
        trace=trace,
    )


class LinearProgram:
    """The linear relaxation of a model, solved for one objective after another.

    Each solve starts from the basis of the last one, which stays feasible for the primal simplex
    method where the objective changes, and for the dual one where bounds do.

    Args:
        model: A model; integrality is relaxed, indicators, sets and cones are left out.
        simplex: The simplex method.
    """

    def __init__(self, model: Model, simplex: Literal["primal", "dual"]) -> None:
        self._inner = _quiet()
        self._inner.setOptionValue("threads", 1)
        self._inner.setOptionValue("presolve", "off")
        self._inner.setOptionValue("simplex_strategy", _STRATEGIES[simplex])
        self._inner.passModel(_translated(model.with_objective(model.objective).relaxed()))
        self._model = model
        self._every = np.arange(len(model.lower), dtype=np.int32)

    def minimise(self, objective: Vector) -> tuple[float, Vector | None]:
        """The smallest value of objective @ x, and where; (inf, None) if there is no point."""
        self._inner.changeColsCost(len(self._every), self._every, objective)
        value = self.resolve()
        return value, self.point() if np.isfinite(value) else None

    def resolve(self) -> float:
        """The smallest value of the objective as it is.

        Returns:
            inf if there is no point, or none below what `stop_above` was told; -inf if the solver
            cannot say.
        """
        from highspy import HighsModelStatus

        self._inner.run()
        ended = self._inner.getModelStatus()
        if ended in (HighsModelStatus.kInfeasible, HighsModelStatus.kObjectiveBound):
            return np.inf
        if ended != HighsModelStatus.kOptimal:
            return -np.inf
        return float(self._inner.getObjectiveValue())

    def lower_bound(self, objective: Vector) -> float:
        """What the last solve proves: no point has a smaller value of objective @ x.

        Any multipliers y of the rows bound it, whatever the solver's tolerances were: over the
        columns' bounds, (c - A'y) x is at least its value at the nearer corner, and y A x at least
        that of the rows' sides (Neumaier & Shcherbina 2004). Rounding is subtracted.

        Returns:
            The bound, for the bounds of the columns that the program was made with; -inf if the
            multipliers prove nothing.
        """
        model = self._model
        multipliers = np.array(self._inner.getSolution().row_dual)
        sides = np.where(multipliers > 0, model.row_lower, model.row_upper)
        used = (multipliers != 0) & np.isfinite(sides)
        multipliers, sides = np.where(used, multipliers, 0.0), np.where(used, sides, 0.0)
        coefficients, absolute, farthest = self._by_column
        reduced = objective - coefficients @ multipliers
        corner = np.where(reduced > 0, model.lower, model.upper)
        terms = np.where(reduced != 0, reduced * corner, 0.0)
        bound = float(terms.sum() + multipliers @ sides)
        involved = np.abs(objective) + absolute @ np.abs(multipliers)
        products = float(involved @ farthest + np.abs(multipliers) @ np.abs(sides))
        count = len(model.lower) + len(model.row_lower)
        proved = bound - 4.0 * count * np.finfo(np.float64).eps * products
        return proved if np.isfinite(proved) else -np.inf

    @cached_property
    def _by_column(self) -> tuple[sparse.csc_array, sparse.csc_array, Vector]:
        """A', its absolute values (columns, rows), and how far from 0 each column may be."""
        model = self._model
        farthest = np.maximum(np.abs(model.lower), np.abs(model.upper))
        return model.matrix.T, abs(model.matrix).T, farthest

    def point(self) -> Vector:
        """Where the last solve ended (columns,)."""
        return np.array(self._inner.getSolution().col_value)

    def set_bounds(self, lower: Vector, upper: Vector, columns: Indices | None = None) -> None:
        """Other bounds of all columns, or of some."""
        chosen = self._every if columns is None else columns.astype(np.int32)
        self._inner.changeColsBounds(len(chosen), chosen, lower, upper)

    def add_rows(self, matrix: Matrix, upper: Vector) -> None:
        """More rows: matrix @ x <= upper."""
        count = len(upper)
        none = np.full(count, -np.inf)
        starts, columns = matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32)
        self._inner.addRows(count, none, upper, matrix.nnz, starts[:-1], columns, matrix.data)

    def drop_loose_rows(self, kept: int) -> None:
        """Remove those rows behind the first `kept` ones that do not bind in the last solve."""
        from highspy import HighsBasisStatus

        statuses = self._inner.getBasis().row_status
        loose = [
            row for row in range(kept, len(statuses)) if statuses[row] == HighsBasisStatus.kBasic
        ]
        self._inner.deleteRows(len(loose), np.array(loose, np.int32))

    def stop_above(self, value: float) -> None:
        """Let the dual simplex method stop as soon as the optimum is known to exceed a value."""
        self._inner.setOptionValue("objective_bound", value)

    def limit_time(self, seconds: float) -> None:
        """Let the solves from now on take so many seconds, all of them together."""
        self._inner.setOptionValue("time_limit", self._inner.getRunTime() + max(seconds, 0.0))

    def forget_basis(self) -> None:
        """Let the next solve start from nothing."""
        self._inner.clearSolver()

    def reduced_costs(self) -> Vector:
        """The reduced cost of each column in the last solve."""
        return np.array(self._inner.getSolution().col_dual)


def _quiet() -> Any:
    import highspy

    inner = highspy.Highs()  # type: ignore[no-untyped-call]
    inner.setOptionValue("output_flag", False)
    return inner


def _translated(model: Model) -> Any:
    import highspy

    columns, rows = len(model.lower), len(model.row_lower)
    linear = highspy.HighsLp()
    linear.num_col_, linear.num_row_ = columns, rows
    linear.col_lower_, linear.col_upper_ = model.lower, model.upper
    linear.col_cost_, linear.offset_ = model.objective, model.constant
    linear.row_lower_, linear.row_upper_ = model.row_lower, model.row_upper
    linear.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    linear.a_matrix_.start_ = model.matrix.indptr.astype(np.int32)
    linear.a_matrix_.index_ = model.matrix.indices.astype(np.int32)
    linear.a_matrix_.value_ = model.matrix.data
    if model.integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        linear.integrality_ = [kinds[int(integer)] for integer in model.integer]
    translated = highspy.HighsModel()
    translated.lp_ = linear
    if model.squares.any():
        squared = np.flatnonzero(model.squares)
        translated.hessian_.dim_ = columns
        translated.hessian_.format_ = highspy.HessianFormat.kTriangular
        starts = np.searchsorted(squared, np.arange(columns + 1))
        translated.hessian_.start_ = starts.astype(np.int32)
        translated.hessian_.index_ = squared.astype(np.int32)
        # HiGHS minimises c'x + x'Hx / 2.
        translated.hessian_.value_ = 2.0 * model.squares[squared]
    return translated


def _set_start(inner: Any, start: Vector) -> None:
    given = np.flatnonzero(np.isfinite(start)).astype(np.int32)
    inner.setSolution(len(given), given, start[given])
