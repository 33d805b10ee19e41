"""A tree over boxes of inputs, for networks of few.

Boxes are bounded in batches, each neuron by linear forms over its own box, and halved along the
input by which what is lacking grows most to first order. That is a derivative of the bound by the
box's sides, through the bounds of all neurons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from advmip.mip.bounds.balls import Ball
from advmip.mip.bounds.linear import LinearBounds
from advmip.mip.bounds.operators import Stage
from advmip.mip.deadline import time_is_up
from advmip.mip.model import Vector
from advmip.mip.verification_tree.asked import Asked, Seeking, TreeProof

# With more inputs that can move, halving boxes leads nowhere.
MOST_INPUTS = 20
_BATCH = 256


@dataclass(frozen=True)
class _Boxes:
    """A region for each of N boxes.

    Attributes:
        lower: The least values (N, inputs).
        upper: The largest.
    """

    lower: Tensor
    upper: Tensor

    @property
    def images(self) -> Tensor:
        """Their centres."""
        return self.lower + 0.5 * (self.upper - self.lower)

    @property
    def box(self) -> tuple[Tensor, Tensor]:
        """The boxes themselves, relative to the centres."""
        return self.lower - self.images, self.upper - self.images

    def least(self, coefficients: Tensor) -> Tensor:
        """Lower bounds (N, S) of linear forms (N, S, inputs)."""
        return (coefficients * self.minimisers(coefficients)).sum(-1)

    def minimisers(self, coefficients: Tensor) -> Tensor:
        """The corners (N, S, inputs) where forms are least."""
        return torch.where(coefficients > 0, self.lower[:, None], self.upper[:, None])

    def halved(self, inputs: Tensor) -> _Boxes:
        """Two boxes for each, cut through the centre of an input (N,)."""
        cut = torch.zeros_like(self.lower, dtype=torch.bool).scatter_(1, inputs[:, None], True)
        below = torch.where(cut, self.images, self.upper)
        above = torch.where(cut, self.images, self.lower)
        return _Boxes(torch.cat([self.lower, above]), torch.cat([below, self.upper]))

    def __getitem__(self, chosen: slice | Tensor) -> _Boxes:
        return _Boxes(self.lower[chosen], self.upper[chosen])

    def joined(self, more: _Boxes) -> _Boxes:
        """These and others."""
        both = zip((self.lower, self.upper), (more.lower, more.upper), strict=True)
        return _Boxes(*(torch.cat(pair) for pair in both))

    def __len__(self) -> int:
        return len(self.lower)


class InputTree:
    """The tree.

    Args:
        stages: The network, in float64.
        ball: The region, a box.
        asked: The cases that are to be excluded.
        seek: Tells whether a point meets the goal.
    """

    def __init__(self, stages: Sequence[Stage], ball: Ball, asked: Asked, seek: Seeking) -> None:
        self._stages, self._asked, self._seek = stages, asked, seek
        self._root = _Boxes(*ball.corners)

    @torch.no_grad()
    def run(self) -> TreeProof:
        """Halve boxes until every case is excluded in each, a point is found, or time is up."""
        waiting, depths = self._root, torch.zeros(1, dtype=torch.int64)
        margins, nodes = torch.full((len(self._asked.cases),), torch.inf, dtype=torch.float64), 0
        while len(waiting) and not time_is_up():
            boxes, levels = waiting[-_BATCH:], depths[-_BATCH:]
            waiting, depths = waiting[:-_BATCH], depths[:-_BATCH]
            nodes += len(boxes)
            lacking, inputs, gains = self._bounded(boxes)
            least = self._asked.by_case(lacking)
            open_ = (least <= 0).any(1)
            margins = torch.cat([margins[None], least[~open_]]).amin(0)
            if not open_.any():
                continue
            boxes, levels = boxes[open_], levels[open_]
            worst, form = self._worst(lacking[open_], least[open_], inputs[open_])
            point = self._seek(self._points(boxes, form))
            if point is not None:
                return TreeProof(point, np.full(len(margins), -np.inf), nodes, 0.0)
            halves = boxes.halved(gains[open_].argmax(1))
            order = worst.repeat(2).argsort(stable=True)
            waiting = waiting.joined(halves[order])
            depths = torch.cat([depths, (levels + 1).repeat(2)[order]])
        if len(waiting):
            done = 1.0 - float((0.5 ** depths.double()).sum())
            return TreeProof(None, np.full(len(margins), -np.inf), nodes, done)
        return TreeProof(None, margins.numpy(), nodes, 1.0)

    @torch.enable_grad()
    def _bounded(self, boxes: _Boxes) -> tuple[Tensor, Tensor, Tensor]:
        """What each condition lacks at least (N, rows), and how that comes about.

        Returns:
            The bounds, the forms in the inputs behind them (N, rows, inputs), and by how much,
            to first order, what all open cases lack grows if an input is halved (N, inputs).
        """
        lower, upper = (each.clone().requires_grad_() for each in (boxes.lower, boxes.upper))
        bounds = LinearBounds(self._stages, _Boxes(lower, upper))
        bounds.by_forms()
        forms = bounds.forms(self._asked.rows)
        lacking = forms.least + self._asked.sides
        still = self._asked.by_case(lacking).clamp(max=0.0).sum()
        below, above = torch.autograd.grad(still, (lower, upper))
        widths = boxes.upper - boxes.lower
        gains = (below - above) * widths
        gains = torch.where((gains > 0).any(1, keepdim=True), gains, widths)
        return lacking.detach(), forms.inputs.detach().expand(len(boxes), -1, -1), gains

    def _worst(self, lacking: Tensor, least: Tensor, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The case that lacks least in each box (N,), and the form of what it lacks (N, inputs)."""
        worst, case = least.min(1)
        its = torch.where(self._asked.case_of == case[:, None], lacking, -torch.inf)
        row = its.argmax(1)
        return worst, inputs[torch.arange(len(row)), row]

    @staticmethod
    def _points(boxes: _Boxes, form: Tensor) -> Vector:
        """A box's centre and its corner that should lack least (2 N, inputs)."""
        corners = boxes.minimisers(form[:, None])[:, 0]
        return np.asarray(torch.cat([corners, boxes.images]).numpy())
