"""A mixed-integer program as data: built from whole matrices, and known to no solver.

minimise    c'x + x'Qx + constant                  (Q diagonal, non-negative)
subject to  l_r <= A x <= u_r,   l <= x <= u,      x_j integer for some j,
            z = v  implies  a'x <= b               (indicators)
            sqrt(sum of squares of some columns) <= t   (cones)
            at most two adjacent columns of a list are not zero   (SOS2)
            rows that are added where a point violates them   (cuts)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from advmip.mip.deadline import checkpoint

Vector = NDArray[np.float64]
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]
Matrix = sparse.csr_array

# Matrices are multiplied in portions of so many products.
_PORTION = 2**25
# Entries of a sparse matrix that are counted, multiplied and joined in a second, on a slow core.
_ENTRIES = 3e7


@dataclass(frozen=True)
class Indicator:
    """If column `binary` has the value `active`, then row @ x[columns] <= upper.

    Attributes:
        binary: A column whose value is 0 or 1.
        active: The value of it for which the row holds.
        columns: The columns of the row.
        row: Their coefficients.
        upper: The right-hand side.
    """

    binary: int
    active: bool
    columns: Indices
    row: Vector
    upper: float


@dataclass(frozen=True)
class Cone:
    """The Euclidean length of x[columns] is at most x[bound]."""

    columns: Indices
    bound: int


@dataclass(frozen=True)
class Cuts:
    """Rows that hold for every point of interest: matrix @ x <= upper.

    Attributes:
        matrix: Coefficients (rows, columns).
        upper: Right-hand sides (rows,).
    """

    matrix: Matrix
    upper: Vector

    def __len__(self) -> int:
        return len(self.upper)


# The cuts that a point (columns,) violates; none if it is a point of the model.
Separator = Callable[[Vector], Cuts]


@dataclass(frozen=True)
class Size:
    """How large a model is, by what a licence or a solver may limit.

    Attributes:
        columns: All columns.
        rows: Linear rows; a row with two different finite sides counts twice.
        integers: Integer columns.
        quadratic: Columns of the objective that stand squared.
        indicators: Indicator constraints.
        sos2: Special ordered sets.
        cones: Second-order cones.
        separators: Families of rows that are added where they are violated.
    """

    columns: int
    rows: int
    integers: int
    quadratic: int
    indicators: int
    sos2: int
    cones: int
    separators: int = 0


@dataclass(frozen=True)
class Model:
    """A mixed-integer program.

    Attributes:
        lower: Lower bounds of the columns.
        upper: Upper bounds of the columns.
        objective: Linear costs.
        squares: Costs of squared columns, the diagonal of Q.
        constant: The constant of the objective.
        integer: Which columns are integer.
        matrix: The rows.
        row_lower: Their left-hand sides; -inf for none.
        row_upper: Their right-hand sides; inf for none.
        indicators: Indicator constraints.
        sos2: Special ordered sets of type 2, each a list of columns in order.
        cones: Second-order cones.
        separators: Families of rows that are added where they are violated.
    """

    lower: Vector
    upper: Vector
    objective: Vector
    squares: Vector
    constant: float
    integer: Flags
    matrix: Matrix
    row_lower: Vector
    row_upper: Vector
    indicators: tuple[Indicator, ...] = ()
    sos2: tuple[Indices, ...] = ()
    cones: tuple[Cone, ...] = ()
    separators: tuple[Separator, ...] = ()

    @property
    def size(self) -> Size:
        """How large it is."""
        both = (self.row_lower != self.row_upper) & np.isfinite(self.row_lower)
        both &= np.isfinite(self.row_upper)
        return Size(
            columns=len(self.lower),
            rows=len(self.row_lower) + int(both.sum()),
            integers=int(self.integer.sum()),
            quadratic=int(np.count_nonzero(self.squares)),
            indicators=len(self.indicators),
            sos2=len(self.sos2),
            cones=len(self.cones),
            separators=len(self.separators),
        )

    def value(self, point: Vector) -> float:
        """The objective at a point."""
        return float(self.objective @ point + self.squares @ point**2 + self.constant)

    def with_objective(self, objective: Vector, constant: float = 0.0) -> Model:
        """The same set of points with a linear objective."""
        nothing = np.zeros_like(self.squares)
        return replace(self, objective=objective, squares=nothing, constant=constant)

    def limited(self, upper: float) -> Model:
        """The points of the model whose linear objective is at most `upper`."""
        row = Matrix(self.objective[None, :])
        return replace(
            self,
            matrix=Matrix(sparse.vstack([self.matrix, row])),
            row_lower=np.append(self.row_lower, -np.inf),
            row_upper=np.append(self.row_upper, upper - self.constant),
        )

    def relaxed(self) -> Model:
        """The same model with integer columns allowed any value between their bounds."""
        return replace(self, integer=np.zeros_like(self.integer))

    def largest_violation(self, point: Vector) -> float:
        """By how much a point leaves the bounds, rows, indicators, cones or integrality."""
        activity = self.matrix @ point
        worst = [
            np.max(self.lower - point, initial=0.0),
            np.max(point - self.upper, initial=0.0),
            np.max(self.row_lower - activity, initial=0.0),
            np.max(activity - self.row_upper, initial=0.0),
            np.max(np.abs(point - np.round(point))[self.integer], initial=0.0),
        ]
        for indicator in self.indicators:
            if round(point[indicator.binary]) == indicator.active:
                worst.append(indicator.row @ point[indicator.columns] - indicator.upper)
        worst += [np.linalg.norm(point[cone.columns]) - point[cone.bound] for cone in self.cones]
        return float(max(worst))


@dataclass(frozen=True)
class Expression:
    """A vector of affine expressions in a model's columns.

    Attributes:
        matrix: Coefficients (length, columns known when it was made).
        constant: Constants (length,).
    """

    matrix: Matrix
    constant: Vector

    @staticmethod
    def of(columns: Indices) -> Expression:
        """The columns themselves."""
        count = len(columns)
        width = int(columns.max(initial=-1)) + 1
        matrix = Matrix((np.ones(count), columns, np.arange(count + 1)), shape=(count, width))
        return Expression(matrix, np.zeros(count))

    @staticmethod
    def zeros(length: int) -> Expression:
        """Nothing but zeros."""
        return Expression(Matrix((length, 0)), np.zeros(length))

    def placed(self, places: Indices, length: int) -> Expression:
        """The expressions at these places, in rising order, of a vector of zeros."""
        counts = np.zeros(length + 1, self.matrix.indptr.dtype)
        counts[places + 1] = np.diff(self.matrix.indptr)
        values = (self.matrix.data, self.matrix.indices, np.cumsum(counts, dtype=counts.dtype))
        constant = np.zeros(length)
        constant[places] = self.constant
        return Expression(Matrix(values, shape=(length, self.matrix.shape[1])), constant)

    def repeated(self, length: int) -> Expression:
        """A single expression, several times."""
        return self[np.zeros(length, np.intp)]

    def __len__(self) -> int:
        return len(self.constant)

    def __getitem__(self, rows: Indices | Flags) -> Expression:
        return Expression(self.matrix[rows], self.constant[rows])

    def __add__(self, other: Expression | ArrayLike) -> Expression:
        if not isinstance(other, Expression):
            return Expression(self.matrix, self.constant + np.asarray(other, np.float64))
        if not other.matrix.nnz:
            return Expression(self.matrix, self.constant + other.constant)
        if not self.matrix.nnz:
            return Expression(other.matrix, self.constant + other.constant)
        first, second = self._as_wide(other)
        return Expression(first + second, self.constant + other.constant)

    def __neg__(self) -> Expression:
        return Expression(Matrix(-self.matrix), -self.constant)

    def __sub__(self, other: Expression | ArrayLike) -> Expression:
        if not isinstance(other, Expression):
            return Expression(self.matrix, self.constant - np.asarray(other, np.float64))
        if not other.matrix.nnz:
            return Expression(self.matrix, self.constant - other.constant)
        first, second = self._as_wide(other)
        return Expression(first - second, self.constant - other.constant)

    def _as_wide(self, other: Expression) -> tuple[Matrix, Matrix]:
        """Both matrices, with as many columns as the wider one."""
        width = max(self.matrix.shape[1], other.matrix.shape[1])
        return _widened(self.matrix, width), _widened(other.matrix, width)

    def times(self, factors: ArrayLike) -> Expression:
        """Each expression times a number."""
        full = np.broadcast_to(np.asarray(factors, np.float64), len(self))
        matrix, counts = self.matrix, np.diff(self.matrix.indptr)
        values = (matrix.data * np.repeat(full, counts), matrix.indices, matrix.indptr)
        return Expression(Matrix(values, shape=matrix.shape), full * self.constant)

    def mapped(self, matrix: Matrix) -> Expression:
        """The linear map matrix @ expressions."""
        return Expression(_product(matrix, self.matrix), matrix @ self.constant)

    def written_out(self, columns: int) -> Vector:
        """The coefficients (length, columns) of a model with so many columns, zeros included."""
        return np.asarray(_widened(self.matrix, columns).toarray())

    def each_written_out(self, columns: int) -> Iterator[Vector]:
        """The same coefficients (columns,), of one expression after another."""
        matrix = self.matrix
        for first, last in pairwise(matrix.indptr):
            coefficients = np.zeros(columns)
            coefficients[matrix.indices[first:last]] = matrix.data[first:last]
            yield coefficients

    def values(self, point: Vector) -> Vector:
        """The expressions' values at a point (columns,)."""
        return self.matrix @ point[: self.matrix.shape[1]] + self.constant


def range_over(matrix: Matrix, lower: Vector, upper: Vector) -> tuple[Vector, Vector]:
    """The least and the largest values (rows,) of matrix @ x over lower <= x <= upper."""
    rising, falling = matrix.maximum(0.0), matrix.minimum(0.0)
    return rising @ lower + falling @ upper, rising @ upper + falling @ lower


def _product(first: Matrix, second: Matrix) -> Matrix:
    """The product of two matrices, in portions of its rows if it is a large one."""
    checkpoint(first.nnz / _ENTRIES)
    work = np.concatenate([[0], np.cumsum(np.diff(second.indptr)[first.indices])])[first.indptr]
    portions = np.arange(_PORTION, work[-1], _PORTION)
    starts = np.unique([0, *np.searchsorted(work, portions), first.shape[0]])
    parts = []
    for start, end in pairwise(starts):
        checkpoint()
        parts.append(first[start:end] @ second)
    return Matrix(sparse.vstack(parts)) if len(parts) > 1 else Matrix(first @ second)


def _widened(matrix: Matrix, width: int) -> Matrix:
    """The matrix with empty columns added up to a width."""
    if matrix.shape[1] == width:
        return matrix
    return Matrix((matrix.data, matrix.indices, matrix.indptr), shape=(matrix.shape[0], width))


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
        blocks = [_widened(matrix, self._width) for matrix, _, _ in self._rows]
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
