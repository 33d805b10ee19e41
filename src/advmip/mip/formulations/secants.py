"""Rows above the ReLUs of the first layer: secants from the image to the corners of the L1 ball.

With columns c_j >= 0 that sum to at most U (the rising and falling parts of the change), a neuron
has the input p(c) = w'c + b. The point c is a mean of the corners U e_j, with the shares c_j / U,
and of the image, with the rest. So max(p, 0), which is convex, is at most the same mean of its
values there. For a neuron that is inactive at the image, b <= 0, this is

    x <= sum_j c_j max(U w_j + b, 0) / U,

and for one that is active, b > 0, by max(p, 0) = p + max(-p, 0), it is

    x - p <= sum_j c_j max(-U w_j - b, 0) / U.

Only pixels that can switch the neuron alone have a term. A triangle knows the range of p over the
ball alone. This row is exact at the image, and on the sphere wherever all pixels pull the same way.
"""

from __future__ import annotations

import numpy as np

from advmip.mip.formulations.layer import EncodedReLUs
from advmip.mip.model import Expression, Matrix, ModelBuilder

# Of the largest value in a row: what rounding may do to it.
_ROUNDING = 1e-12


def add_secants(
    builder: ModelBuilder, entering: Expression, neurons: EncodedReLUs, radius: float
) -> None:
    """Add a row for each neuron.

    Args:
        builder: Takes the rows.
        entering: p, in columns >= 0 whose sum is at most the radius.
        neurons: The neurons.
        radius: U, above 0 and finite.
    """
    weights, bias = entering.matrix, entering.constant
    active = bias > 0
    row = np.repeat(np.arange(len(entering)), np.diff(weights.indptr))
    at_corner = (radius * weights.data + bias[row]) * np.where(active, -1.0, 1.0)[row]
    slopes = np.maximum(at_corner, 0.0) / radius
    secants = Matrix((slopes, (row, weights.indices)), shape=weights.shape)
    secants.eliminate_zeros()
    largest = np.abs(bias)
    np.maximum.at(largest, row, np.abs(radius * weights.data))
    above = neurons.activation - neurons.preactivation.times(active)
    below = Expression(secants, np.zeros(len(bias)))
    builder.add_rows(above - below, upper=_ROUNDING * largest)
