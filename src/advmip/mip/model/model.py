"""A mixed-integer program as data: built from whole matrices, and known to no solver.

minimise    c'x + x'Qx + constant                  (Q diagonal, non-negative)
subject to  l_r <= A x <= u_r,   l <= x <= u,      x_j integer for some j,
            z = v  implies  a'x <= b               (indicators)
            sqrt(sum of squares of some columns) <= t   (cones)
            at most two adjacent columns of a list are not zero   (SOS2)
            rows that are added where a point violates them   (cuts)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from advmip.mip.model.arrays import Flags, Indices, Matrix, Vector


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
