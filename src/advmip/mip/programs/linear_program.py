"""Linear programs in a row: objectives, bounds or rows change, and the basis stays."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Literal

import numpy as np
from scipy import sparse

from advmip.mip.deadline import checkpoint, seconds_left
from advmip.mip.model import Indices, Matrix, Model, Vector
from advmip.mip.solvers.highs import quiet_solver, translated

# The coefficients of a program are rounded themselves.
_TOLERANCE = 1e-6
# HiGHS numbers its simplex methods. 0 is the primal one where the last point is still one, and the
# dual one elsewhere: in search of a first point, the primal method may flip bounds without end.
_STRATEGIES = {"dual": 1, "primal": 0}


class LinearProgram:
    """The linear relaxation of a model, solved for one objective after another.

    Each solve starts from the basis of the last one, which stays feasible for the primal simplex
    method where the objective changes, and for the dual one where bounds do.

    Args:
        model: A model; integrality is relaxed, indicators, sets and cones are left out.
        simplex: The simplex method.
    """

    def __init__(self, model: Model, simplex: Literal["primal", "dual"]) -> None:
        checkpoint()
        self._inner = quiet_solver()
        self._inner.setOptionValue("threads", 1)
        self._inner.setOptionValue("presolve", "off")
        self._inner.setOptionValue("simplex_strategy", _STRATEGIES[simplex])
        if simplex == "dual":
            # Scaling saves no steps and costs a sixth of a solve. The primal method gives no ray
            # without it.
            self._inner.setOptionValue("simplex_scale_strategy", 0)
        # Perturbed, a program that starts near its optimum would have to be cleaned up after it.
        self._inner.setOptionValue("primal_simplex_bound_perturbation_multiplier", 0.0)
        self._inner.passModel(translated(model.with_objective(model.objective).relaxed()))
        self._model = model
        self._limits = np.stack([model.lower, model.upper])

    def minimise(self, objective: Vector) -> tuple[float, Vector | None]:
        """The smallest value of objective @ x, and where; (inf, None) if there is no point."""
        self.set_costs(objective)
        value = self.resolve()
        return value, self.point() if np.isfinite(value) else None

    def set_costs(self, objective: Vector) -> None:
        """Another objective (columns,)."""
        every = np.arange(len(objective), dtype=np.int32)
        self._inner.changeColsCost(len(every), every, objective)

    def resolve(self) -> float:
        """The smallest value of the objective as it is.

        Returns:
            inf if there is no point, or none below what `stop_above` was told; -inf if the solver
            cannot say.
        """
        from highspy import HighsModelStatus

        self._inner.setOptionValue("time_limit", self._inner.getRunTime() + seconds_left())
        self._inner.run()
        ended = self._inner.getModelStatus()
        if ended in (HighsModelStatus.kInfeasible, HighsModelStatus.kObjectiveBound):
            return np.inf
        if ended != HighsModelStatus.kOptimal:
            return -np.inf
        return float(self._inner.getObjectiveValue())

    @property
    def infeasible(self) -> bool:
        """Whether the last solve's program has no point at all, whatever its objective."""
        from highspy import HighsModelStatus

        return bool(self._inner.getModelStatus() == HighsModelStatus.kInfeasible)

    def proved_minimum(self, objective: Vector) -> float:
        """What objective @ x is certainly not below, the coefficients' own rounding included.

        Returns:
            inf if there is no point; -inf if the solver cannot say.
        """
        value, _ = self.minimise(objective)
        if not np.isfinite(value):
            return value
        least = self.lower_bound(objective)
        return least - _TOLERANCE * (1.0 + abs(least))

    def lower_bound(self, objective: Vector) -> float:
        """What the last solve proves: no point has a smaller value of objective @ x.

        Any multipliers y of the rows bound it, whatever the solver's tolerances were: over the
        columns' bounds, (c - A'y) x is at least its value at the nearer corner, and y A x at least
        that of the rows' sides (Neumaier & Shcherbina 2004). Rounding is subtracted.

        Returns:
            The bound; -inf if the multipliers prove nothing.
        """
        model = self._model
        # Without the rows that came later, what is proved holds all the same.
        multipliers = self.multipliers()[: len(model.row_lower)]
        sides = np.where(multipliers > 0, model.row_lower, model.row_upper)
        used = (multipliers != 0) & np.isfinite(sides)
        multipliers, sides = np.where(used, multipliers, 0.0), np.where(used, sides, 0.0)
        coefficients, absolute = self._by_column
        lower, upper = self._limits
        reduced = self._least_costs(objective - coefficients @ multipliers)
        corner = np.where(reduced > 0, lower, upper)
        terms = np.where(reduced != 0, reduced * corner, 0.0)
        bound = float(terms.sum() + multipliers @ sides)
        farthest = np.maximum(np.abs(lower), np.abs(upper))
        involved = np.abs(objective) + absolute @ np.abs(multipliers)
        products = float(involved @ farthest + np.abs(multipliers) @ np.abs(sides))
        count = len(lower) + len(model.row_lower)
        proved = bound - 4.0 * count * np.finfo(np.float64).eps * products
        return proved if np.isfinite(proved) else -np.inf

    @cached_property
    def _by_column(self) -> tuple[sparse.csc_array, sparse.csc_array]:
        """A' and its absolute values (columns, rows)."""
        return self._model.matrix.T, abs(self._model.matrix).T

    def multipliers(self) -> Vector:
        """The multiplier of each row of the model in the last solve (rows,)."""
        return np.array(self._inner.getSolution().row_dual)

    def point(self) -> Vector:
        """Where the last solve ended (columns,)."""
        return np.array(self._inner.getSolution().col_value)

    def set_bounds(self, lower: Vector, upper: Vector, columns: Indices | None = None) -> None:
        """Other bounds of all columns, or of some."""
        chosen = np.arange(len(lower)) if columns is None else columns
        self._limits[:, chosen] = lower, upper
        self._change_bounds(chosen)

    def change_coefficients(self, rows: Indices, columns: Indices, values: Vector) -> None:
        """Other coefficients of columns in rows, none of which is 0 before or after."""
        matrix = self._model.matrix.copy()
        matrix.data[places_of(matrix, rows, columns)] = values
        self._model = replace(self._model, matrix=matrix)
        vars(self).pop("_by_column", None)
        self._change_coefficients(rows, columns, values)

    def add_rows(self, matrix: Matrix, upper: Vector) -> None:
        """More rows: matrix @ x <= upper."""
        none = np.full(len(upper), -np.inf)
        starts, columns = matrix.indptr[:-1].astype(np.int32), matrix.indices.astype(np.int32)
        self._inner.addRows(len(upper), none, upper, matrix.nnz, starts, columns, matrix.data)

    def loose_rows(self) -> Indices:
        """The rows that do not bind in the last solve."""
        from highspy import HighsBasisStatus

        statuses = self._inner.getBasis().row_status
        return np.flatnonzero([status == HighsBasisStatus.kBasic for status in statuses])

    def drop_rows(self, rows: Indices) -> None:
        """Remove rows."""
        self._inner.deleteRows(len(rows), rows.astype(np.int32))

    def stop_above(self, value: float) -> None:
        """Let the dual simplex method stop as soon as the optimum is known to exceed a value."""
        self._inner.setOptionValue("objective_bound", value)

    def forget_basis(self) -> None:
        """Let the next solve start from nothing."""
        self._inner.clearSolver()

    def reduced_costs(self) -> Vector:
        """The reduced cost of each column in the last solve."""
        return np.array(self._inner.getSolution().col_dual)

    def _change_bounds(self, columns: Indices) -> None:
        lower, upper = self._limits[:, columns]
        self._inner.changeColsBounds(len(columns), columns.astype(np.int32), lower, upper)

    def _change_coefficients(self, rows: Indices, columns: Indices, values: Vector) -> None:
        for row, column, value in zip(
            rows.tolist(), columns.tolist(), values.tolist(), strict=True
        ):
            self._inner.changeCoeff(row, column, value)

    def _add_columns(
        self, matrix: sparse.csr_array, objective: Vector, lower: Vector, upper: Vector
    ) -> None:
        """More columns, with their coefficients as rows (columns, rows)."""
        starts, rows = matrix.indptr[:-1].astype(np.int32), matrix.indices.astype(np.int32)
        self._inner.addCols(
            len(upper), objective, lower, upper, matrix.nnz, starts, rows, matrix.data
        )

    def _least_costs(self, reduced: Vector) -> Vector:
        """Costs (columns,) whose sum over a point never exceeds that of the reduced costs."""
        return reduced

    def _ray(self) -> Vector | None:
        """Multipliers that prove that the last solve's program has no point; None if unknown."""
        _, known, ray = self._inner.getDualRay()
        return np.array(ray) if known else None


def places_of(matrix: Matrix, rows: Indices, columns: Indices) -> Indices:
    """Where the entries of a matrix are among its data; each must be there."""
    starts, ends = matrix.indptr[rows], matrix.indptr[rows + 1]
    found = [
        start + int(np.flatnonzero(matrix.indices[start:end] == column)[0])
        for start, end, column in zip(starts, ends, columns, strict=True)
    ]
    return np.array(found, np.intp)
