"""Models, block by block."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from advmip.mip.deadline import checkpoint
from advmip.mip.model.arrays import Indices, Matrix, Vector
from advmip.mip.model.expression import Expression, with_width
from advmip.mip.model.model import Cone, Indicator, Model, Separator


class ModelBuilder:
    """Collects columns and rows, block by block."""

    def __init__(self) -> None:
        self._columns: list[tuple[Vector, ...]] = []
        self._width = 0
        self._height = 0
        self._rows: list[tuple[Matrix, Vector, Vector]] = []
        self._indicators: list[Indicator] = []
        self._sos2: list[Indices] = []
        self._cones: list[Cone] = []
        self._separators: list[Separator] = []
        self._constant = 0.0

    def add_columns(
        self,
        count: int,
        lower: ArrayLike = 0.0,
        upper: ArrayLike = np.inf,
        *,
        objective: ArrayLike = 0.0,
        squares: ArrayLike = 0.0,
        integer: bool = False,
    ) -> Indices:
        """Add columns; bounds and costs are numbers or vectors (count,).

        Returns:
            The columns' indices (count,).
        """
        checkpoint()
        values = (lower, upper, objective, squares, float(integer))
        full = tuple(np.broadcast_to(np.asarray(value, np.float64), count) for value in values)
        self._columns.append(full)
        self._width += count
        return np.arange(self._width - count, self._width)

    def add_binaries(self, count: int) -> Indices:
        """Add columns that are 0 or 1."""
        return self.add_columns(count, 0.0, 1.0, integer=True)

    def add_rows(
        self, expression: Expression, lower: ArrayLike = -np.inf, upper: ArrayLike = np.inf
    ) -> Indices:
        """Add rows lower <= expression <= upper; sides are numbers or vectors.

        Returns:
            The rows' indices.
        """
        checkpoint()
        left, right = (
            np.broadcast_to(np.asarray(side, np.float64), len(expression)) - expression.constant
            for side in (lower, upper)
        )
        self._rows.append((expression.matrix, left, right))
        self._height += len(expression)
        return np.arange(self._height - len(expression), self._height)

    def add_indicators(self, binaries: Indices, active: bool, expression: Expression) -> None:
        """Where a binary has the value `active`, its expression is at most 0."""
        matrix = expression.matrix
        for row, binary in enumerate(binaries):
            part = slice(matrix.indptr[row], matrix.indptr[row + 1])
            columns, coefficients = matrix.indices[part].astype(np.intp), matrix.data[part]
            upper = -float(expression.constant[row])
            self._indicators.append(Indicator(int(binary), active, columns, coefficients, upper))

    def add_sos2(self, columns: Indices) -> None:
        """At most two of these columns, adjacent in this order, are not zero."""
        self._sos2.append(columns)

    def add_cone(self, columns: Indices, bound: int) -> None:
        """The Euclidean length of some columns is at most another column."""
        self._cones.append(Cone(columns, bound))

    def add_separator(self, separator: Separator) -> None:
        """Add a family of rows, each of which is added where a point violates it."""
        self._separators.append(separator)

    def add_constant(self, constant: float) -> None:
        """Add a number to the objective."""
        self._constant += constant

    def objective(self) -> Expression:
        """The linear objective so far (1,)."""
        costs = np.concatenate([column[2] for column in self._columns])
        return Expression(Matrix(costs[None, :]), np.array([self._constant]))

    def limit_objective(self, upper: float) -> Expression:
        """Keep the linear objective so far at most `upper`, and cost nothing any more.

        Returns:
            The linear objective as it was (1,).
        """
        objective = self.objective()
        if np.isfinite(upper):
            self.add_rows(objective, upper=upper)
        self._columns = [
            (lower, upper_, np.zeros_like(cost), *rest)
            for lower, upper_, cost, *rest in self._columns
        ]
        self._constant = 0.0
        return objective

    def build(self) -> Model:
        """The model."""
        checkpoint()
        lower, upper, objective, squares, integer = (
            np.concatenate(parts) if parts else np.empty(0)
            for parts in (zip(*self._columns, strict=True) if self._columns else [[]] * 5)
        )
        blocks = [with_width(matrix, self._width) for matrix, _, _ in self._rows]
        matrix = sparse.vstack(blocks, format="csr") if blocks else Matrix((0, self._width))
        return Model(
            lower=lower,
            upper=upper,
            objective=objective,
            squares=squares,
            constant=self._constant,
            integer=integer.astype(bool),
            matrix=Matrix(matrix),
            row_lower=np.concatenate([np.empty(0), *(lower for _, lower, _ in self._rows)]),
            row_upper=np.concatenate([np.empty(0), *(upper for _, _, upper in self._rows)]),
            indicators=tuple(self._indicators),
            sos2=tuple(self._sos2),
            cones=tuple(self._cones),
            separators=tuple(self._separators),
        )
