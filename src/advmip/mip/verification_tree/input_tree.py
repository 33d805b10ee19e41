"""A tree over boxes of inputs, for networks of few.

Boxes are bounded in batches, each neuron by linear forms over its own box, and halved along the
input by which what is lacking grows most to first order. That is a derivative of the bound by the
box's sides, through the bounds of all neurons.

Where outputs change steeply a box becomes tiny before its bound is near them, though few neurons
are open in it. A second tree therefore asks a tree over signs about each box that has few before it
is halved. That takes hundreds of times as long as a box, so the two take turns.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from advmip.mip.bounds.balls import Ball
from advmip.mip.bounds.linear import LinearBounds
from advmip.mip.bounds.lines import Sides
from advmip.mip.bounds.operators import Stage
from advmip.mip.deadline import time_is_up
from advmip.mip.model import Vector
from advmip.mip.verification_tree.asked import Asked, Seek, TreeProof
from advmip.mip.verification_tree.boxes import Boxes
from advmip.mip.verification_tree.recording import InputTreeRecord, kept_weights
from advmip.mip.verification_tree.sign_tree import SignTree

# With more inputs that can move, halving boxes leads nowhere.
MOST_INPUTS = 20
_BATCH = 512
# A box that is open after so many halvings of every input holds a tie, or what rounding hides.
_HALVINGS = 20
# Trees over signs are asked about boxes of at most so many open neurons, and have at most so many
# nodes: a box whose tree is larger is halved first.
_FEW, _MOST_NODES = 64, 512
# Where so many times the rounding of a bound would close a box, signs do not.
_MUCH = 1000.0
# The share of time of whichever tree closed more of the region by the second in its last turn.
_BETTER = 0.75
# Steps towards the best weights of several conditions, and their length.
_ASCENT, _STRIDE = 20, 8.0
# What sums of so few products may be off by, relatively to their absolute values.
_ROUNDING = 512 * torch.finfo(torch.float64).eps


@dataclass(frozen=True)
class _Bounded:
    """What is known of N boxes.

    Attributes:
        least: What each case lacks at least (N, cases).
        points: Where that should be attained (N, cases, inputs).
        hidden: Whether rounding is much of what a case lacks: no tree over signs helps (N,).
        weights: Of the conditions whose sum is bounded so (N, cases, rows).
        sides: Bounds (N, width) of each layer of ReLUs, then of the outputs.
    """

    least: Tensor
    points: Tensor
    hidden: Tensor
    weights: Tensor
    sides: list[Sides]

    def of(self, chosen: Tensor) -> _Bounded:
        """Of some of the boxes."""
        sides = [Sides(each.lower[chosen], each.upper[chosen]) for each in self.sides]
        least, points, hidden, weights = (
            each[chosen] for each in (self.least, self.points, self.hidden, self.weights)
        )
        return _Bounded(least, points, hidden, weights, sides)


class InputTree:
    """A tree of boxes alone, and one with trees over signs in its boxes: whichever ends first.

    Args:
        stages: The network, in float64.
        search: The same in float32.
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
        search: Sequence[Stage],
        ball: Ball,
        asked: Asked,
        seek: Seek,
        record: InputTreeRecord | None = None,
    ) -> None:
        self.asked = asked
        networks = stages, search
        self._record = record
        self._trees = [_BoxTree(networks, ball, asked, seek, record)]
        if len(stages) > 1:
            another = None if record is None else record.another()
            self._trees.append(_BoxTree(networks, ball, asked, seek, another, _FEW))

    @property
    def ended(self) -> bool:
        """Whether nothing is left to be split, or boxes are as small as boxes get."""
        return any(each.closed for each in self._trees) or all(each.ended for each in self._trees)

    def run(self, turn: float = np.inf) -> TreeProof:
        """Go on until every case is excluded in each box, a point is found, or time is up.

        Args:
            turn: Seconds after which no more boxes are begun; the first is that of boxes alone.
        """
        found: list[TreeProof] = []
        for tree, share in zip(self._trees, self._shares(), strict=False):
            found.append(tree.run(share * turn))
            if tree.closed and self._record is not None and tree.record is not None:
                self._record.become(tree.record)
            if tree.closed or found[-1].point is not None:
                break
        best = max(found, key=lambda each: (each.point is not None, each.margins.min(), each.done))
        return replace(best, nodes=sum(each.nodes for each in found))

    def _shares(self) -> list[float]:
        """Each tree's share of a turn: boxes alone begin, then both have as much."""
        first, *others = [each.rate for each in self._trees]
        if first is None or not others:
            return [1.0]
        if others[0] is None:
            return [0.5, 0.5]
        alone = _BETTER if first > others[0] else 1.0 - _BETTER
        return [alone, 1.0 - alone]


class _BoxTree:
    """A tree of boxes.

    Args:
        networks: The network in float64 and float32.
        ball: See `InputTree`, as are the next three.
        asked: See there.
        seek: See there.
        record: See there; its own.
        few: Of how many open neurons at most a box has a tree over signs.

    Attributes:
        record: Its notes.
        rate: How much of the region it closed by the second in its last turn; None before it.
    """

    def __init__(
        self,
        networks: tuple[Sequence[Stage], Sequence[Stage]],
        ball: Ball,
        asked: Asked,
        seek: Seek,
        record: InputTreeRecord | None = None,
        few: int = 0,
    ) -> None:
        self._networks, self._few = networks, few
        self._asked, self._seek, self.record = asked, seek, record
        zero = torch.zeros(1, dtype=torch.int64)
        self._waiting, self._stuck = Boxes(*ball.corners, zero, zero), False
        self._margins = torch.full((len(asked.cases),), torch.inf, dtype=torch.float64)
        moving = (self._waiting.upper > self._waiting.lower).sum()
        self._deepest = _HALVINGS * int(moving)
        self._nodes = 0
        self._point: Vector | None = None
        self.rate: float | None = None

    @property
    def closed(self) -> bool:
        """Whether every case is excluded in each box."""
        return not len(self._waiting) and self._point is None

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
        nodes_before, done_before = self._nodes, self._done
        self._point, end = None, time.perf_counter() + turn
        while not self.ended and self._point is None and not time_is_up(end):
            boxes, self._waiting = self._waiting[-_BATCH:], self._waiting[:-_BATCH]
            self._halve(boxes, end)
        margins = self._margins.numpy()
        if len(self._waiting) or self._point is not None:
            margins = np.full(len(margins), -np.inf)
        done = self._done
        self.rate = (done - done_before) / turn
        return TreeProof(self._point, margins, self._nodes - nodes_before, done)

    @property
    def _done(self) -> float:
        """The share of the region that is closed."""
        return 1.0 - float((0.5 ** self._waiting.levels.double()).sum())

    def _halve(self, boxes: Boxes, end: float) -> None:
        """Bound boxes; the halves of those that stay open wait."""
        found = self._bounded(boxes)
        if time_is_up():  # intervals may stand for forms
            self._waiting = self._waiting.joined(boxes)
            return
        self._nodes += len(boxes)
        open_ = (found.least <= 0).any(1)
        self._close(found.least[~open_])
        if self.record is not None:
            self.record.closed(boxes.numbers[~open_], found.weights[~open_])
        boxes, found = boxes[open_], found.of(open_)
        if not len(boxes):
            return
        # Depth first, on where the bound is least: there a point is, if there is one.
        worst, case = found.least.min(1)
        order = worst.argsort(stable=True, descending=True)
        aimed = found.points[torch.arange(len(case)), case]
        self._point = self._seek(torch.cat([aimed, boxes.images]).numpy())
        boxes, found = boxes[order], found.of(order)
        if self._few and self._point is None:
            left = self._left_by_signs(boxes, found, end)
            boxes, found = boxes[left], found.of(left)
            if not len(boxes):
                return
        self._stuck = bool((boxes.levels >= self._deepest).any())
        inputs = self._gains(boxes, found).argmax(1)
        halves = boxes.halved(inputs)
        if self.record is not None:
            halves = replace(halves, numbers=self.record.halved(boxes.numbers, inputs))
        pairs = torch.arange(len(halves)).reshape(2, -1).T.flatten()
        self._waiting = self._waiting.joined(halves[pairs])

    def _close(self, least: Tensor) -> None:
        """Take note of what cases lack (N, cases) in boxes that are done with."""
        self._margins = torch.cat([self._margins[None], least]).amin(0)

    def _left_by_signs(self, boxes: Boxes, found: _Bounded, end: float) -> Tensor:
        """Which boxes (N,) are to be halved: those that no small tree over signs settles.

        The last ones come first. Those that no time is left for wait as they are, all but one.
        """
        *layers, outputs = found.sides
        open_ = torch.stack([each.unstable().sum(1) for each in layers]).sum(0)
        few = ((open_ > 0) & (open_ <= self._few) & ~found.hidden).nonzero()[:, 0].tolist()
        left, tried = torch.ones(len(boxes), dtype=torch.bool), 0
        while few and self._point is None and not (tried and time_is_up(end)):
            i, tried = few.pop(), tried + 1
            own = slice(i, i + 1)
            sides = [Sides(each.lower[own], each.upper[own]) for each in layers]
            ball = Ball(boxes.images[own], np.inf, "linf", boxes.lower[i], boxes.upper[i])
            asked = self._asked
            if asked.several:
                largest = torch.maximum(outputs.lower[i].abs(), outputs.upper[i].abs())
                asked = asked.with_sums(found.weights[i], largest)
            number = int(boxes.numbers[i])
            record = None if self.record is None else self.record.signs(number)
            tree = SignTree(*self._networks, ball, sides, asked, self._seek, record)
            proof = tree.run(most=_MOST_NODES)
            self._nodes, self._point = self._nodes + proof.nodes, proof.point
            if bool((proof.margins > 0).all()):
                self._close(torch.from_numpy(proof.margins)[None])
                left[i] = False
                if self.record is not None and record is not None:
                    self.record.closed_by_signs(number, record, found.weights[i])
        left[few] = False
        self._waiting = self._waiting.joined(boxes[torch.tensor(few, dtype=torch.long)])
        return left

    def _bounded(self, boxes: Boxes) -> _Bounded:
        """What each case lacks at least in boxes, and how that comes about."""
        bounds = LinearBounds(self._networks[0], boxes)
        sides = bounds.by_forms()
        forms = bounds.forms(self._asked.rows)
        inputs = forms.inputs.expand(len(boxes), -1, -1)
        lacking = forms.least + self._asked.sides
        constant = lacking - boxes.least(inputs)
        weights, points = self._weighted(boxes, lacking, constant, inputs)
        least = _least_of_sums(boxes, weights, constant, inputs)
        size = weights @ (constant.abs() + _largest(boxes, inputs))[..., None]
        least = least - _ROUNDING * size[..., 0]
        # The best single condition has nothing to be rounded once more.
        alone = self._asked.by_case(lacking)
        weights = torch.where((alone > least)[..., None], self._single(lacking), weights)
        least = torch.maximum(least, alone)
        hidden = self._asked.by_case(lacking + _MUCH * forms.rounding) > 0
        hidden = (hidden & (least <= 0)).any(1)
        return _Bounded(least, points, hidden, weights, sides)

    @torch.enable_grad()
    def _gains(self, boxes: Boxes, found: _Bounded) -> Tensor:
        """By how much, to first order, what all open cases lack grows if an input is halved.

        Returns:
            That of each input (N, inputs); the sides' lengths where none helps.
        """
        dtype = torch.float32
        lower, upper = (each.to(dtype).requires_grad_() for each in (boxes.lower, boxes.upper))
        differentiable = replace(boxes, lower=lower, upper=upper)
        bounds = LinearBounds(self._networks[1], differentiable, outward=False)
        bounds.by_forms()
        forms = bounds.forms(self._asked.rows.to(dtype))
        inputs, weights = forms.inputs.expand(len(boxes), -1, -1), found.weights.to(dtype)
        constant = forms.least - differentiable.least(inputs)
        least = _least_of_sums(differentiable, weights, constant, inputs)
        below, above = torch.autograd.grad(least[found.least <= 0].sum(), (lower, upper))
        widths = boxes.upper - boxes.lower
        gains = (below - above) * widths
        return torch.where((gains > 0).any(1, keepdim=True), gains, widths)

    def _single(self, lacking: Tensor) -> Tensor:
        """Weights (N, cases, rows) of 1 for the condition of each case that lacks most."""
        each = torch.where(self._every, lacking[:, None], -torch.inf)
        return torch.nn.functional.one_hot(each.argmax(-1), len(self._asked.sides)).double()

    @property
    def _every(self) -> Tensor:
        """Which conditions a case has (cases, rows)."""
        return torch.arange(len(self._asked.cases))[:, None] == self._asked.case_of

    def _weighted(
        self, boxes: Boxes, lacking: Tensor, constant: Tensor, inputs: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Weights of each case's conditions (N, cases, rows) whose sum is bounded best, and points.

        All conditions are met only where every sum of them with weights is: mirror ascent in the
        weights, which add up to 1; the mean of the corners on the way approaches a point that comes
        nearest to meeting all.
        """
        asked = self._asked
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


def _least_of_sums(boxes: Boxes, weights: Tensor, constant: Tensor, inputs: Tensor) -> Tensor:
    """Lower bounds (N, cases) of forms (N, rows, inputs) and constants, added up with weights."""
    return (weights @ constant[..., None])[..., 0] + boxes.least(weights @ inputs)


def _largest(boxes: Boxes, inputs: Tensor) -> Tensor:
    """The largest sum of absolute products that forms have in a box (N, rows)."""
    sides = torch.maximum(boxes.lower.abs(), boxes.upper.abs())
    return (inputs.abs() @ sides[..., None])[..., 0]
