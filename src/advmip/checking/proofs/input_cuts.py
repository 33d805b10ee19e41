"""Upper bounds of ReLUs in what enters a layer, as the checker finds them for given shares.

Over a box of inputs any part of a neuron's input p = w x + b may stand by itself:

    max(p, 0) <= q + max(max_x (p - q), max_x (-q)),   q = sum_i v_i w_i x_i,

whatever the shares v are. A file says of each form in which quarter of its range each input is; all
inputs of a quarter, counted from where the neuron is least, share alike, as much as keeps the rest
of p from coming above 0.

Rounding. The shares and the coefficients that v w is rounded to are taken as they are. The maxima
are sums of products whose absolute values sum to at most m = |w| x + |b|, and so is the form; they
count four times m, times the absolute coefficient, among its products (`enclosure.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advmip.checking.proofs.numbers import QUARTERS
from advmip.checking.proofs.regions import Vector

# What is counted of a neuron's products, for its constant and for its form.
PRODUCTS = 4.0
_TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Cuts:
    """Those of a layer, by what S forms choose.

    Attributes:
        weights: Their share in the upper bounds of the layer's neurons that are chosen (S, chosen).
        inputs: Values of the layer before; others are in the first quarter of their ranges.
        quarters: In which one these are (S, inputs).
    """

    weights: Vector
    inputs: NDArray[np.intp]
    quarters: NDArray[np.uint8]

    def items(self, chosen: slice | NDArray[np.bool_]) -> Cuts:
        """Those of some of the forms."""
        return Cuts(self.weights[chosen], self.inputs, self.quarters[chosen])

    def pulled_back(
        self, taken: Vector, weights: Vector, bias: Vector, lower: Vector, upper: Vector
    ) -> tuple[Vector, Vector]:
        """Lower bounds of S forms in the layer's neurons, in what enters it.

        Args:
            taken: Coefficients of some neurons (S, neurons), at most 0.
            weights: Those of these neurons' inputs (neurons, width).
            bias: What their inputs have besides (neurons,).
            lower: The least values of the layer before (width,).
            upper: The largest.

        Returns:
            Forms in that layer (S, width), and what they have besides (S,).
        """
        quarters = np.zeros((len(taken), len(lower)), np.uint8)
        quarters[:, self.inputs] = self.quarters
        rising, falling = np.maximum(weights, 0.0), np.minimum(weights, 0.0)
        least = np.zeros((QUARTERS, *taken.shape))
        most = np.zeros_like(least)
        for each in range(QUARTERS):
            own = quarters == each
            least[each] += (own * lower) @ rising.T
            most[each] += (own * upper) @ rising.T
            # From the other end, where a weight is negative.
            least[QUARTERS - 1 - each] += (own * upper) @ falling.T
            most[QUARTERS - 1 - each] += (own * lower) @ falling.T
        left = most.sum(0) + bias
        shares = np.zeros_like(least)
        for each in range(QUARTERS):
            # The largest p, were the quarters up to here at their least.
            length = np.maximum(most[each] - least[each], _TINY)
            shares[each] = np.clip(left / length, 0.0, 1.0)
            left = left - (most[each] - least[each])
        rest = ((1.0 - shares) * most).sum(0) + bias
        constant = np.maximum(rest, -(shares * least).sum(0))
        forms = np.zeros((len(taken), len(lower)))
        for each in range(QUARTERS):
            own = quarters == each
            forms += own * ((taken * shares[each]) @ rising)
            forms += own * ((taken * shares[QUARTERS - 1 - each]) @ falling)
        return forms, (taken * constant).sum(-1)
