"""Upper bounds of ReLUs in what enters a layer, where that ranges over a box.

A triangle bounds a ReLU in its input p = w x + b alone. Over a box L <= x <= U any part of the sum
may stand by itself instead: with shares 0 <= v <= 1,

    max(p, 0) <= q + max(max_x (p - q), max_x (-q)),   q = sum_i v_i w_i x_i.

Where both maxima are equal and all shares but one are 0 or 1, that is an inequality of the ideal
formulation (Anderson et al. 2020), of which there are exponentially many. The lowest one at a point
has share 1 for the inputs that are nearest to where they make p least there (Tjandraatmadja et al.
2020, who find it by sorting). Here inputs within the same quarter of their ranges have the same
share: thresholds come from products of matrices, and a point stands for the cuts of a whole layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from advmip.checking.proofs.numbers import QUARTERS
from advmip.mip.bounds.operators import DenseOperator, Stage

# The least and the largest value of each input (N, inputs).
Box = tuple[Tensor, Tensor]
_TINY = 1e-30


@dataclass(frozen=True)
class InputCuts:
    """Upper bounds of some of a layer's neurons, their own for each of F forms.

    Attributes:
        kept: The neurons (kept,).
        layer: What enters the layer: 0 is the image, k the k-th ReLU.
        weights: Their positive weights, and their negative ones (kept, inputs).
        inputs: Which inputs are of which level (F, levels, inputs): 1 or 0.
        shares: Of inputs by level, counted from where the neuron is least (F, levels, kept).
        constant: What the bounds have besides (F, kept).
    """

    kept: Tensor
    layer: int
    weights: tuple[Tensor, Tensor]
    inputs: Tensor
    shares: Tensor
    constant: Tensor

    @classmethod
    def at(cls, stage: Stage, kept: Tensor, box: Box, levels: Tensor) -> InputCuts:
        """The lowest ones at points, nearly.

        Args:
            stage: What enters the neurons, of one layer before them.
            kept: The neurons (kept,).
            box: The ranges of that layer's values (F or 1, inputs).
            levels: In which part of its range each input is (F, inputs).
        """
        ((layer, term),) = stage.terms.items()
        rows = term.rows(kept)
        weights = rows.clamp(min=0.0), rows.clamp(max=0.0)
        lower, upper = (each[:, None] for each in box)
        inputs = functional.one_hot(levels.long(), QUARTERS).to(rows.dtype).transpose(1, 2)
        low = _by_level(inputs, lower, upper, weights)
        high = _by_level(inputs, upper, lower, weights)
        # How far the inputs of each level, counted from where p is least, can take p.
        reach = high - low
        most = high.sum(1, keepdim=True) + stage.bias[kept]
        total = reach.cumsum(1)
        # From the level on where the rest of p cannot come above 0 there is nothing left to share.
        shares = ((most - (total - reach)) / reach.clamp(min=_TINY)).clamp_(0.0, 1.0)
        below = (shares * low).sum(1)
        above = most[:, 0] - (shares * high).sum(1)
        return cls(kept, layer, weights, inputs, shares, torch.maximum(above, -below))

    def values(self, points: Tensor) -> Tensor:
        """The bounds (F, kept) at what enters the layer (F, inputs)."""
        at = points[:, None]
        return (self.shares * _by_level(self.inputs, at, at, self.weights)).sum(1) + self.constant

    def pulled_back(self, forms: Tensor) -> Tensor:
        """Forms (F, inputs) in what enters the layer, from forms (F, kept) in the bounds."""
        positive, negative = self.weights
        each = self.shares * forms[:, None]
        by_level = each @ positive + each.flip(1) @ negative
        return (by_level * self.inputs).sum(1)


def _by_level(
    inputs: Tensor, rising: Tensor, falling: Tensor, weights: tuple[Tensor, Tensor]
) -> Tensor:
    """What inputs of each level add to neurons (F, levels, kept).

    Levels are counted from where a neuron is least, so those of negative weights from the end.

    Args:
        inputs: Which are of which level (F, levels, inputs).
        rising: Their values, where weights are positive (F or 1, 1, inputs).
        falling: Where they are negative.
        weights: Positive and negative ones (kept, inputs).
    """
    positive, negative = weights
    return (inputs * rising) @ positive.T + ((inputs * falling) @ negative.T).flip(1)


def share_of(points: Tensor, box: Box) -> Tensor:
    """Which way inputs are from the beginning of their ranges to the end, at points (F, inputs)."""
    lower, upper = box
    return ((points - lower) / (upper - lower).clamp(min=_TINY)).clamp_(0.0, 1.0)


def can_be_cut(stage: Stage) -> bool:
    """Whether a layer has cuts here: behind a single one, all of whose values it may hang on."""
    return len(stage.terms) == 1 and isinstance(next(iter(stage.terms.values())), DenseOperator)
