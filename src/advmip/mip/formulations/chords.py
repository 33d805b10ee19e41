"""Rows above the ReLUs of the first layer: chords from the image to the corners of the L1 ball.

With columns c_j >= 0 that sum to at most U (the rising and falling parts of the change), a neuron
has the input p(c) = w'c + b. The point c is a mean of the corners U e_j, with the shares c_j / U,
and of the image, with the rest. So max(p, 0), which is convex, is at most the same mean of its
values there:

    x <= max(b, 0) + sum_j c_j (max(U w_j + b, 0) - max(b, 0)) / U.

A triangle knows the range of p over the ball alone. This row is exact at the image, and on the
sphere wherever all pixels pull the same way.
"""

from __future__ import annotations

import numpy as np

from advmip.mip.model import Expression, Matrix, ModelBuilder

# Of the largest value in a row: what rounding may do to it.
_ROUNDING = 1e-12


def add_chords(
    builder: ModelBuilder, entering: Expression, leaving: Expression, radius: float
) -> None:
    """Add a row for each neuron.

    Args:
        builder: Takes the rows.
        entering: What enters the neurons, in columns >= 0 whose sum is at most the radius.
        leaving: What leaves them.
        radius: U, above 0 and finite.
    """
    weights, bias = entering.matrix, entering.constant
    at_image = np.maximum(bias, 0.0)
    row = np.repeat(np.arange(len(entering)), np.diff(weights.indptr))
    at_corner = np.maximum(radius * weights.data + bias[row], 0.0)
    slopes = (at_corner - at_image[row]) / radius
    chords = Matrix((slopes, weights.indices, weights.indptr), shape=weights.shape)
    largest = np.abs(bias)
    np.maximum.at(largest, row, np.abs(radius * weights.data))
    builder.add_rows(leaving - Expression(chords, at_image), upper=_ROUNDING * largest)
