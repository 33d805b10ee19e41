"""Which neuron a node is split by: the one whose triangle costs the bound most.

A bound by forms loses, at each open neuron whose coefficient is c < 0, the offset -u l / (u - l) of
the upper line times |c|. This holds for what is lacking and for the bounds l and u of every neuron
behind, on which the lines there hang in turn; offsets grow with u by l^2 / (u - l)^2, with -l by
u^2 / (u - l)^2. So to first order what is lost in the end flows from the last layer to the first.

The same coefficients tell what a sign moves in the bounds behind it: in a dense layer all of them
by a few per cent, behind a convolution few by next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from advmip.mip.bounds.lines import Sides
from advmip.mip.verification_tree.neurons import Bounded

# A sign in the last layer changes one line and no bound behind it: what flows is worth more.
_LAST_LAYER = 0.6
_TINY = 1e-12


@dataclass(frozen=True)
class Split:
    """A neuron.

    Attributes:
        layer: Its layer of ReLUs, from 0.
        neuron: Its place there.
    """

    layer: int
    neuron: int


def best_split(
    sides: Sequence[Sides],
    bounded: Sequence[Bounded | None],
    above: Mapping[int, Tensor],
    weights: Tensor,
) -> Split | None:
    """The neuron to split a node by; None if none is open.

    Args:
        sides: Bounds (1, width) of each layer.
        bounded: What bounds them.
        above: The conditions' coefficients of each layer, from 1 on (rows, width).
        weights: How much each condition counts (rows,).
    """
    falling = [
        weights @ (-above[k]).clamp(min=0.0) if k in above else torch.zeros(each.lower.shape[1])
        for k, each in enumerate(sides, 1)
    ]
    best, most = None, -torch.inf
    for layer in range(len(sides) - 1, -1, -1):
        lower, upper = sides[layer].lower[0].float(), sides[layer].upper[0].float()
        unstable = (lower < 0) & (upper > 0)
        if not bool(unstable.any()):
            continue
        width = torch.where(unstable, upper - lower, 1.0)
        lost = falling[layer] * -upper * lower / width
        lost *= _LAST_LAYER if layer == len(sides) - 1 else 1.0
        neuron = int(torch.where(unstable, lost, -torch.inf).argmax())
        if float(lost[neuron]) > most:
            best, most = Split(layer, neuron), float(lost[neuron])
        behind = bounded[layer]
        if behind is not None:
            moved = torch.where(unstable, falling[layer] / width**2, 0.0)
            by_bounds = torch.cat(
                [(moved * upper**2)[behind.kept], (moved * lower**2)[behind.kept]]
            )
            for earlier, slack in behind.slack.items():
                falling[earlier - 1] = falling[earlier - 1] + by_bounds @ slack
    return best


def moved_behind(split: Split, sides: Sequence[Sides], bounded: Sequence[Bounded | None]) -> float:
    """By how much a neuron's sign moves the bounds behind it, to first order.

    Args:
        split: The neuron, which is open.
        sides: Bounds (1, width) of each layer.
        bounded: What bounds them.

    Returns:
        As a share of what lies between bounds, the mean over the open neurons of the layer in which
        that is largest.
    """
    now = sides[split.layer]
    lower, upper = float(now.lower[0, split.neuron]), float(now.upper[0, split.neuron])
    offset = -upper * lower / (upper - lower)
    shares = [0.0]
    for each, behind in zip(sides[split.layer + 1 :], bounded[split.layer + 1 :], strict=True):
        if behind is not None and split.layer + 1 in behind.slack:
            between = (each.upper - each.lower)[0, behind.kept].float().clamp(min=_TINY)
            slack = behind.slack[split.layer + 1][:, split.neuron]
            shares.append(offset * float((slack / between.repeat(2)).mean()))
    return max(shares)
