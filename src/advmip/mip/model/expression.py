"""Affine expressions in the columns of a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from advmip.mip.deadline import checkpoint
from advmip.mip.model.arrays import Flags, Indices, Matrix, Vector

# Matrices are multiplied in portions of so many products.
_PORTION = 2**25
# Entries of a sparse matrix that are counted, multiplied and joined in a second, on a slow core.
_ENTRIES = 3e7


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
        return with_width(self.matrix, width), with_width(other.matrix, width)

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
        return np.asarray(with_width(self.matrix, columns).toarray())

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


def with_width(matrix: Matrix, width: int) -> Matrix:
    """The matrix with empty columns added up to a width."""
    if matrix.shape[1] == width:
        return matrix
    return Matrix((matrix.data, matrix.indices, matrix.indptr), shape=(matrix.shape[0], width))
