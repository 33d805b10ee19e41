"""Rows above a ReLU that are tighter than its triangle: its concave envelope over a box.

A neuron has the input p = sum_j w_j v_j + b with v_j in [l_j, u_j]. Let v_j be least at a_j and
most at b_j in the direction of w_j, so that w_j (b_j - a_j) >= 0. The least concave function above
max(p, 0) over the box is the minimum, over sets I and one more input h, of

    sum_{j in I} w_j (v_j - a_j) + r(I) (v_h - a_h) / (b_h - a_h),
    r(I) = sum_{j in I} w_j a_j + sum_{j not in I} w_j b_j + b,   r(I) >= 0 > r(I + h)

(Tjandraatmadja et al. 2020, Theorem 1; with binaries Anderson et al. 2020). At a given point the
least of these takes the inputs into I in the order of (v_j - a_j) / (b_j - a_j): a sort.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from advmip.mip.model import Expression, Indices, Matrix, Model, Vector


@dataclass(frozen=True)
class Envelopes:
    """The envelopes of some neurons, in the columns of a model.

    Attributes:
        columns: The columns that any of them reads (inputs,).
        weights: w (neurons, inputs).
        bias: b (neurons,).
        lowest: w_j a_j (neurons, inputs).
        span: w_j (b_j - a_j), at least 0 (neurons, inputs).
        outputs: The columns of what leaves the neurons (neurons,).
    """

    columns: Indices
    weights: Vector
    bias: Vector
    lowest: Vector
    span: Vector
    outputs: Indices

    @staticmethod
    def of(model: Model, inputs: Expression, outputs: Indices) -> Envelopes:
        """Those of neurons with these inputs and outputs, over the model's bounds of columns."""
        columns = np.unique(inputs.matrix.indices[inputs.matrix.data != 0])
        weights = inputs.matrix[:, columns].toarray()
        lower, upper = model.lower[columns], model.upper[columns]
        lowest = np.minimum(weights * lower, weights * upper)
        span = np.abs(weights) * (upper - lower)
        return Envelopes(columns, weights, inputs.constant, lowest, span, outputs)

    def above(self, point: Vector, violation: float) -> tuple[Matrix, Vector]:
        """Rows that hold for every point of the ReLUs, but not for this one.

        Args:
            point: A point of the model (columns,).
            violation: By how much an output must exceed its envelope, relative to the least that
                the box allows.

        Returns:
            A matrix (rows, columns) and right-hand sides (rows,): matrix @ x <= sides.
        """
        gain = self.weights * point[self.columns] - self.lowest
        used = self.span > 0
        share = np.divide(gain, self.span, out=np.full_like(gain, np.inf), where=used)
        order = np.argsort(share, axis=1)
        sorted_span = np.take_along_axis(self.span, order, axis=1)
        most = self.lowest.sum(axis=1) + self.span.sum(axis=1) + self.bias
        left = most[:, None] - np.cumsum(sorted_span, axis=1)
        last = np.argmax(left < 0, axis=1)
        every = np.arange(len(self.bias))
        remainder = left[every, last] + sorted_span[every, last]
        inside = np.zeros_like(used)
        np.put_along_axis(inside, order, np.arange(used.shape[1]) < last[:, None], axis=1)
        final = order[every, last]
        value = (gain * inside).sum(axis=1) + remainder * share[every, final]
        chosen = np.flatnonzero(
            (left < 0).any(axis=1)
            & (most > 0)
            & (point[self.outputs] > value + violation * np.maximum(most, 0.0))
        )
        slope = np.where(inside, self.weights, 0.0)
        steep = remainder / self.span[every, final]
        slope[every, final] = steep * self.weights[every, final]
        sides = -(self.lowest * inside).sum(axis=1) - steep * self.lowest[every, final]
        rows = np.zeros((len(chosen), len(point)))
        rows[:, self.columns] = -slope[chosen]
        rows[np.arange(len(chosen)), self.outputs[chosen]] += 1.0
        return Matrix(rows), sides[chosen]
