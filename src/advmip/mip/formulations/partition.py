"""The partition-based formulation, between big-M and the convex hull."""

from __future__ import annotations

import numpy as np

from advmip.errors import InputError
from advmip.mip.formulations.layer import EncodedReLUs, Layer, UnstableReLUs
from advmip.mip.model import Expression, Matrix, ModelBuilder, Vector, range_over
from advmip.networks.staged import AffineMap


class Partition:
    """Parts: a neuron has input p = sum_n w_n'x_n + b, output y and binary z (1 if active).

        y = sum_n v_n + b z,   sum_n v_n + b z >= 0,   sum_n (w_n'x_n - v_n) + b (1 - z) <= 0,
        z L_n <= v_n <= z U_n,   (1 - z) L_n <= w_n'x_n - v_n <= (1 - z) U_n,

    where [L_n, U_n] holds w_n'x_n. One part is big-M, as many as inputs the convex hull.
    Tsay, Kronqvist, Thebelt & Misener (2021), equations (12) to (17); parts of equal size, by the
    order of the weights, as they recommend.

    Args:
        parts: N, at least 1.
    """

    needs_bounds = True

    def __init__(self, parts: int = 2) -> None:
        if parts < 1:
            raise InputError(
                subject="parts of the partition-based formulation",
                found=str(parts),
                expected="1 or more",
                mend="2 is a good first choice",
            )
        self._parts = parts
        self.name = f"partition-{parts}"

    def encode(self, builder: ModelBuilder, neurons: UnstableReLUs) -> EncodedReLUs:
        """N + 2 columns and 4 N + 3 rows for each neuron."""
        outputs = Expression.of(builder.add_columns(neurons.count, 0.0, neurons.upper))
        binary = Expression.of(builder.add_binaries(neurons.count))
        active_sum = binary.times(neurons.inputs.bias)
        inactive_sum = (-binary + 1.0).times(neurons.inputs.bias)
        for part in _partition(neurons.inputs, self._parts):
            sums, lower, upper = _bounded(part, neurons.layers)
            columns = builder.add_columns(
                neurons.count, np.minimum(lower, 0.0), np.maximum(upper, 0.0)
            )
            active = Expression.of(columns)
            inactive = sums - active
            active_sum, inactive_sum = active_sum + active, inactive_sum + inactive
            builder.add_rows(active - binary.times(lower), lower=0.0)
            builder.add_rows(active - binary.times(upper), upper=0.0)
            builder.add_rows(inactive + binary.times(lower), lower=lower)
            builder.add_rows(inactive + binary.times(upper), upper=upper)
        builder.add_rows(outputs - active_sum, 0.0, 0.0)
        builder.add_rows(inactive_sum, upper=0.0)
        return EncodedReLUs(neurons.preactivation, outputs)


def _partition(inputs: AffineMap, parts: int) -> list[AffineMap]:
    """The map without its bias, as a sum of maps that each read a part of every row's inputs."""
    layers = sorted(inputs.terms)
    weights = np.hstack([inputs.terms[layer].toarray() for layer in layers])
    widths = [inputs.terms[layer].shape[1] for layer in layers]
    order = np.argsort(weights, axis=1)
    pieces = []
    for chosen in np.array_split(order, min(parts, weights.shape[1]), axis=1):
        kept = np.zeros_like(weights)
        np.put_along_axis(kept, chosen, np.take_along_axis(weights, chosen, axis=1), axis=1)
        blocks = np.split(kept, np.cumsum(widths)[:-1], axis=1)
        terms = {layer: Matrix(block) for layer, block in zip(layers, blocks, strict=True)}
        pieces.append(AffineMap(terms, np.zeros(inputs.width)))
    return pieces


def _bounded(part: AffineMap, layers: list[Layer]) -> tuple[Expression, Vector, Vector]:
    """A part of the inputs, in the model's columns, with its bounds by interval arithmetic."""
    expression = Expression.zeros(part.width)
    lower, upper = np.zeros(part.width), np.zeros(part.width)
    for index, matrix in part.terms.items():
        layer = layers[index]
        expression = expression + layer.values.mapped(matrix)
        least, most = range_over(matrix, layer.lower, layer.upper)
        lower += least
        upper += most
    return expression, lower, upper
