"""A tree over boxes of inputs, for networks of few.

Boxes are bounded in batches, each neuron by linear forms over its own box, and halved along the
input by which what is lacking grows most to first order. That is a derivative of the bound by the
box's sides, through the bounds of all neurons.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from advmip.mip.bounds.balls import Ball
from advmip.mip.bounds.linear import LinearBounds
from advmip.mip.bounds.operators import Stage
from advmip.mip.deadline import time_is_up
from advmip.mip.verification_tree.asked import Asked, Seek, TreeProof
from advmip.mip.verification_tree.recording import InputTreeRecord, kept_weights

# With more inputs that can move, halving boxes leads nowhere.
MOST_INPUTS = 20
_BATCH = 256
# A box that is open after so many halvings of every input holds a tie, or what rounding hides.
_HALVINGS = 20
# Steps towards the best weights of several conditions, and their length.
_ASCENT, _STRIDE = 20, 8.0
# What sums of so few products may be off by, relatively to their absolute values.
_ROUNDING = 512 * torch.finfo(torch.float64).eps


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
        record: Notes boxes for a proof in a file.

    Attributes:
        asked: What it is asked.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        ball: Ball,
        asked: Asked,
        seek: Seek,
        record: InputTreeRecord | None = None,
    ) -> None:
        self._stages, self.asked, self._seek, self._record = stages, asked, seek, record
        self._waiting = _Boxes(*ball.corners)
        self._depths = self._numbers = torch.zeros(1, dtype=torch.int64)
        self._margins = torch.full((len(asked.cases),), torch.inf, dtype=torch.float64)
        moving = (self._waiting.upper > self._waiting.lower).sum()
        self._deepest, self._stuck = _HALVINGS * int(moving), False

    @property
    def ended(self) -> bool:
        """Whether nothing is left to be split, or a box is as small as boxes get."""
        return self._stuck or not len(self._waiting)

    @torch.no_grad()
    def run(self, turn: float = np.inf) -> TreeProof:
        """Go on until every case is excluded in each box, a point is found, or time is up.

        Args:
            turn: Seconds after which no more boxes are begun.
        """
        point, nodes, end = None, 0, time.perf_counter() + turn
        while not self.ended and point is None and not time_is_up(end):
            boxes, levels = self._waiting[-_BATCH:], self._depths[-_BATCH:]
            numbers = self._numbers[-_BATCH:]
            least, points, gains, weights = self._bounded(boxes)
            if time_is_up():  # intervals may stand for forms
                break
            self._waiting, self._depths = self._waiting[:-_BATCH], self._depths[:-_BATCH]
            self._numbers = self._numbers[:-_BATCH]
            nodes += len(boxes)
            open_ = (least <= 0).any(1)
            self._margins = torch.cat([self._margins[None], least[~open_]]).amin(0)
            if self._record is not None:
                self._record.closed(numbers[~open_], weights[~open_])
            if not open_.any():
                continue
            boxes, levels, numbers = boxes[open_], levels[open_], numbers[open_]
            self._stuck = bool((levels >= self._deepest).any())
            worst, case = least[open_].min(1)
            aimed = points[open_][torch.arange(len(case)), case]
            point = self._seek(torch.cat([aimed, boxes.images]).numpy())
            inputs = gains[open_].argmax(1)
            halves, numbers = boxes.halved(inputs), numbers.repeat(2)
            if self._record is not None:
                numbers = self._record.halved(numbers[: len(inputs)], inputs)
            # Depth first, on where the bound is least: there a point is, if there is one.
            order = worst.repeat(2).argsort(stable=True, descending=True)
            self._waiting = self._waiting.joined(halves[order])
            self._depths = torch.cat([self._depths, (levels + 1).repeat(2)[order]])
            self._numbers = torch.cat([self._numbers, numbers[order]])
        margins = self._margins.numpy()
        if len(self._waiting) or point is not None:
            margins = np.full(len(margins), -np.inf)
        done = 1.0 - float((0.5 ** self._depths.double()).sum())
        return TreeProof(point, margins, nodes, done)

    @torch.enable_grad()
    def _bounded(self, boxes: _Boxes) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What each case lacks at least (N, cases), and how that comes about.

        Returns:
            The bounds, points where they should be attained (N, cases, inputs), by how much, to
            first order, what all open cases lack grows if an input is halved (N, inputs), and the
            weights of the conditions (N, cases, rows) whose sum is bounded so.
        """
        lower, upper = (each.clone().requires_grad_() for each in (boxes.lower, boxes.upper))
        differentiable = _Boxes(lower, upper)
        bounds = LinearBounds(self._stages, differentiable)
        bounds.by_forms()
        forms = bounds.forms(self.asked.rows)
        inputs = forms.inputs.expand(len(boxes), -1, -1)
        lacking = forms.least + self.asked.sides
        constant = lacking - differentiable.least(inputs)
        with torch.no_grad():
            weights, points = self._weighted(boxes, lacking, constant, inputs)
        joined = weights @ inputs
        least = (weights @ constant[..., None])[..., 0] + differentiable.least(joined)
        size = weights @ (constant.abs() + _largest(boxes, inputs))[..., None]
        least = least - _ROUNDING * size[..., 0]
        # The best single condition has nothing to be rounded once more.
        alone = self.asked.by_case(lacking)
        weights = torch.where((alone > least)[..., None], self._single(lacking), weights)
        least = torch.maximum(least, alone)
        below, above = torch.autograd.grad(least.clamp(max=0.0).sum(), (lower, upper))
        widths = boxes.upper - boxes.lower
        gains = (below - above) * widths
        gains = torch.where((gains > 0).any(1, keepdim=True), gains, widths)
        return least.detach(), points, gains, weights

    def _single(self, lacking: Tensor) -> Tensor:
        """Weights (N, cases, rows) of 1 for the condition of each case that lacks most."""
        each = torch.where(self._every, lacking[:, None], -torch.inf)
        return torch.nn.functional.one_hot(each.argmax(-1), len(self.asked.sides)).double()

    @property
    def _every(self) -> Tensor:
        """Which conditions a case has (cases, rows)."""
        return torch.arange(len(self.asked.cases))[:, None] == self.asked.case_of

    def _weighted(
        self, boxes: _Boxes, lacking: Tensor, constant: Tensor, inputs: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Weights of each case's conditions (N, cases, rows) whose sum is bounded best, and points.

        All conditions are met only where every sum of them with weights is: mirror ascent in the
        weights, which add up to 1; the mean of the corners on the way approaches a point that comes
        nearest to meeting all.
        """
        asked = self.asked
        single = self._single(lacking)
        if not asked.several:
            return single, boxes.minimisers(single @ inputs)
        nothing = inputs.new_zeros(())
        scores = torch.where(self._every, nothing, -torch.inf).expand(len(boxes), -1, -1)
        scale = (constant.abs() + _largest(boxes, inputs)).amax(-1)[:, None, None]
        best, most = single, asked.by_case(lacking)
        mean = torch.zeros(len(boxes), len(asked.cases), inputs.shape[-1], dtype=inputs.dtype)
        for _ in range(_ASCENT):
            weights = scores.softmax(-1)
            corners = boxes.minimisers(weights @ inputs)
            values = constant[:, None] + corners @ inputs.transpose(1, 2)
            bound = (weights * values).sum(-1)
            best = torch.where((bound > most)[..., None], weights, best)
            most = torch.maximum(most, bound)
            mean += corners / _ASCENT
            scores = scores + _STRIDE * values / scale
        kept = kept_weights(best)
        return kept / kept.sum(-1, keepdim=True), mean


def _largest(boxes: _Boxes, inputs: Tensor) -> Tensor:
    """The largest sum of absolute products that forms have in a box (N, rows)."""
    sides = torch.maximum(boxes.lower.abs(), boxes.upper.abs())
    return (inputs.abs() @ sides[..., None])[..., 0]
