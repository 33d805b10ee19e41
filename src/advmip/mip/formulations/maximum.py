"""The largest of several values, as MIPVerify.jl writes it."""

from __future__ import annotations

import numpy as np

from advmip.mip.model import Expression, Matrix, ModelBuilder, Vector


def add_maximum(
    builder: ModelBuilder, values: Expression, lower: Vector, upper: Vector
) -> Expression:
    """The maximum y of values x_i in [l_i, u_i], with a binary a_i for each that may be it.

        y >= x_i,   y <= x_i + (1 - a_i) (max_{j != i} u_j - l_i),   sum_i a_i = 1.

    Tjeng, Xiao & Tedrake (2019), Section 4.1. A value whose upper bound does not exceed the largest
    lower bound has no part in it; if a single one is left, it is the maximum itself.

    Args:
        builder: Takes columns and rows.
        values: x (count,), at least one.
        lower: l (count,), finite.
        upper: u (count,), finite.

    Returns:
        y (1,).
    """
    able = upper > lower.max()
    able[lower.argmax()] = True
    values, lower, upper = values[able], lower[able], upper[able]
    count = len(values)
    if count == 1:
        return values
    largest = Expression.of(builder.add_columns(1, lower.max(), upper.max()))
    chosen = Expression.of(builder.add_binaries(count))
    builder.add_rows(chosen.mapped(Matrix(np.ones((1, count)))), 1.0, 1.0)
    above = largest.repeated(count) - values
    big_m = np.array([np.delete(upper, place).max() for place in range(count)]) - lower
    builder.add_rows(above, lower=0.0)
    builder.add_rows(above + chosen.times(big_m), upper=big_m)
    return largest
