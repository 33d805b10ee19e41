"""A tree over the signs of neurons, each node with bounds of its own.

A node holds the signs of some neurons. All neurons behind the last one are bounded anew, where its
sign moves their bounds by enough, then what every open case lacks; a case that is excluded is not
asked again below. Nodes are done depth first, so that few wait at a time, and small ones several
together. What some nodes do not settle begins again with cuts in the inputs of neurons, which take
longer and leave fewer neurons open.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from advmip.mip.bounds.balls import Ball
from advmip.mip.bounds.input_cuts import can_be_cut
from advmip.mip.bounds.lines import Multipliers, Sides
from advmip.mip.bounds.operators import Stage
from advmip.mip.deadline import OutOfTimeError, checkpoint, time_is_up
from advmip.mip.model import Vector
from advmip.mip.verification_tree.asked import Asked, Seek, TreeProof
from advmip.mip.verification_tree.branching import Split, best_split, moved_behind
from advmip.mip.verification_tree.neurons import Bounded, NodeBounds, Raised
from advmip.mip.verification_tree.recording import SignTreeRecord

# Steps of the search for lines: of neurons at the root and below, and of what is lacking.
_ROOT_STEPS, _STEPS, _LAST_STEPS = 10, 3, 10
_TINY = 1e-12
# Neurons behind a sign are bounded anew if that moves their bounds by more than this share: it is
# 0.01 and more in dense networks, 0.003 and less behind convolutions.
_WORTH_BOUNDS = 0.005
# Nodes are done together until their forms have so many numbers.
_TOGETHER = 2**18
# The forms of nodes without cuts have so many numbers before the tree begins again with them, in
# the region and in nodes of so few signs: what they tighten there holds for all nodes below.
_BEFORE_CUTS, _CUT_LEVELS = 2**21, 4
# It does if layers that can have cuts hold so large a share of what the region leaves open.
_WORTH_CUTS = 0.5
_NONE = torch.zeros(0, dtype=torch.long)


@dataclass(frozen=True)
class _Node:
    """A part of the region.

    Attributes:
        place: Its number: 1 is the region, 2 k and 2 k + 1 are the halves of k.
        signs: Those (1, width) of each layer that it holds: 1, -1, or 0 where none is held.
        first: The first layer that is bounded anew; behind the last one if none is.
        sides: Bounds of its parent's neurons (1, width).
        bounded: What bounds them.
        open: Which cases may still be met (cases,).
        chosen: The lines that bound what its parent's conditions lack (1, rows, width).
    """

    place: int
    signs: list[Tensor]
    first: int
    sides: list[Sides]
    bounded: list[Bounded | None]
    open: Tensor
    chosen: Multipliers | None

    @property
    def level(self) -> int:
        """How many signs it holds."""
        return self.place.bit_length() - 1

    def halves(self, split: Split, first: int, **known: Any) -> list[_Node]:
        """The parts in which a neuron has one sign and the other, and what is known of both."""
        found = []
        for half, side in enumerate((1.0, -1.0)):
            signs = list(self.signs)
            signs[split.layer] = signs[split.layer].clone()
            signs[split.layer][0, split.neuron] = side
            found.append(_Node(2 * self.place + half, signs, first, **known))
        return found


@dataclass(frozen=True)
class _Done:
    """A node, bounded.

    Attributes:
        node: The node.
        sides: Bounds of its neurons (1, width); where signs contradict each other, of the layers up
            to the one in which no value is left.
        bounded: What bounds these.
        rows: The conditions that were bounded, by their places in what is asked.
        found: Bounds of them.
        lacking: What they lack at least (rows,).
        by_case: What each case lacks at least (cases,): inf if the node has no point, -inf if the
            case was not asked.
    """

    node: _Node
    sides: list[Sides]
    bounded: list[Bounded | None]
    rows: Tensor
    found: Raised
    lacking: Tensor
    by_case: Tensor


class SignTree:
    """The tree.

    Args:
        stages: The network in float64.
        search: The same in float32.
        ball: The region.
        sides: Bounds (1, width) of each layer of ReLUs.
        asked: The cases that are to be excluded.
        seek: Tells whether a point meets the goal.
        record: Notes nodes for a proof in a file.

    Attributes:
        asked: What it is asked.
        sides: The bounds, tightened at the root.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        search: Sequence[Stage],
        ball: Ball,
        sides: Sequence[Sides],
        asked: Asked,
        seek: Seek,
        record: SignTreeRecord | None = None,
    ) -> None:
        self._stages = stages, search
        self._bounds = NodeBounds(stages, search, ball)
        self.asked, self._seek, self._record = asked, seek, record
        self.sides, self._given = list(sides), sides
        # Which cases the region as a whole leaves open.
        self._left = torch.ones(len(asked.cases), dtype=torch.bool)
        self._waiting = [self._first()]
        self._nodes, self._share = 0, 0.0
        # Whether there are cuts, and whether there may still be.
        self._cut, self._cuts_wait, self._numbers = False, True, 0
        self._point: Vector | None = None
        # A node of which no neuron is open has the best bound that forms give, and still is.
        self._stuck = False
        self._margins = torch.full((len(asked.cases),), torch.inf, dtype=torch.float64)

    @property
    def ended(self) -> bool:
        """Whether nothing is left to be split."""
        return self._stuck or not self._waiting

    def within(self, ball: Ball) -> None:
        """Go on in a smaller ball without the point that was found: what is excluded stays so."""
        self._bounds = NodeBounds(*self._stages, ball)
        self._point = None

    @torch.no_grad()
    def run(self, turn: float = np.inf, most: float = np.inf) -> TreeProof:
        """Go on until every case is excluded in each node, a point is found, or time is up.

        Args:
            turn: Seconds after which no more nodes are begun. Those that were are done: the first
                ones of a large network take longer than a turn, and would be lost with it.
            most: The nodes after which no more are begun.
        """
        done_before, end = self._nodes, time.perf_counter() + turn
        while not self.ended and self._point is None and not time_is_up(end):
            if self._nodes >= done_before + most:
                break
            if self._cuts_wait and self._numbers >= _BEFORE_CUTS:
                self._cuts_wait = False
                if _open_to_cuts(self._stages[0], self.sides) >= _WORTH_CUTS:
                    self._begin_again()
            batch = self._next()
            try:
                self._waiting += self._children(batch)
            except OutOfTimeError:
                self._waiting += batch[::-1]
        closed = not self._waiting and self._point is None and not self._stuck
        margins = self._margins.numpy() if closed else np.full(len(self._margins), -np.inf)
        nodes = self._nodes - done_before
        return TreeProof(self._point, margins, nodes, 1.0 if closed else self._share)

    def _begin_again(self) -> None:
        """Bound the region once more, with cuts; what was split so far is not gone on with."""
        self._cut = True
        self._share, self._stuck = 0.0, False
        if self._record is not None:
            # What the region's bounds rest on is forgotten with its nodes.
            self._record.begin_again(self._stages[0], self._bounds.pixels)
            self.sides, self._left = list(self._given), torch.ones_like(self._left)
        self._margins[self._left] = torch.inf
        self._waiting = [self._first()]

    def _first(self) -> _Node:
        """The region."""
        signs = [torch.zeros(each.lower.shape) for each in self.sides]
        nothing: list[Bounded | None] = [None] * len(signs)
        return _Node(1, signs, 1, self.sides, nothing, self._left, None)

    def _next(self) -> list[_Node]:
        """The nodes that are done next, together."""
        batch: list[_Node] = []
        numbers = 0
        while self._waiting and numbers < _TOGETHER:
            batch.append(self._waiting.pop())
            numbers += _numbers(batch[-1])
        self._numbers += numbers
        return batch

    def _children(self, batch: Sequence[_Node]) -> list[_Node]:
        """What nodes leave open, each in two parts unless a point is found, the first node's last.

        Raises:
            OutOfTimeError: There was no time for them.
        """
        done = self._bounded(batch)
        checkpoint()
        self._nodes += len(batch)
        open_ = [(each, still) for each in done if bool((still := self._still(each)).any())]
        if not batch[0].level:
            self.sides = done[0].sides
            self._left = open_[0][1] if open_ else torch.zeros_like(self._left)
        if not open_:
            return []
        left = [still[self.asked.case_of[each.rows]].nonzero()[:, 0] for each, still in open_]
        points = [each.found.points[some] for (each, _), some in zip(open_, left, strict=True)]
        self._point = self._seek(torch.cat(points).double().numpy())
        if self._point is not None:
            # They are still to be done, if the tree goes on without the point.
            return [each.node for each, _ in open_[::-1]]
        halves = [self._halves(*each, some) for each, some in zip(open_, left, strict=True)]
        return [half for both in halves[::-1] for half in both]

    def _bounded(self, batch: Sequence[_Node]) -> list[_Done]:
        """Bound the neurons of nodes, then what their open cases lack."""
        asked = self.asked
        sides, bounded, left = self._bounds.neurons(
            [_stacked(each) for each in zip(*(node.sides for node in batch), strict=True)],
            [torch.stack(each) for each in zip(*(node.signs for node in batch), strict=True)],
            [node.first for node in batch],
            [node.bounded for node in batch],
            _STEPS if batch[0].level else _ROOT_STEPS,
            cut=self._cut and max(node.level for node in batch) <= _CUT_LEVELS,
        )
        layers = len(sides)
        rows = [
            node.open[asked.case_of].nonzero()[:, 0] if count == layers else _NONE
            for node, count in zip(batch, left, strict=True)
        ]
        found = self._bounds.conditions(
            [asked.rows[0, some] for some in rows],
            [node.chosen if len(some) else None for node, some in zip(batch, rows, strict=True)],
            _LAST_STEPS,
            -asked.sides[torch.cat(rows)],
        )
        ends = np.cumsum([0, *map(len, rows)])
        return [
            self._done(
                node,
                [Sides(s.lower[i : i + 1], s.upper[i : i + 1]) for s in sides[: left[i] + 1]],
                bounded[i][: left[i] + 1],
                rows[i],
                found.items(slice(ends[i], ends[i + 1])),
                void=left[i] < layers,
            )
            for i, node in enumerate(batch)
        ]

    def _done(
        self,
        node: _Node,
        sides: list[Sides],
        bounded: list[Bounded | None],
        rows: Tensor,
        found: Raised,
        *,
        void: bool,
    ) -> _Done:
        """A node with what its cases lack."""
        asked = self.asked
        lacking = found.least + asked.sides[rows]
        every = asked.sides.new_full((1, len(asked.sides)), torch.inf if void else -torch.inf)
        every[0, rows] = lacking
        return _Done(node, sides, bounded, rows, found, lacking, asked.by_case(every)[0])

    def _still(self, done: _Done) -> Tensor:
        """Which cases (cases,) may be met in a node; if none, it is closed."""
        node, by_case = done.node, done.by_case
        excluded = node.open & (by_case > 0)
        self._margins[excluded] = torch.minimum(self._margins, by_case)[excluded]
        still = node.open & ~excluded
        if not bool(still.any()):
            self._share += 0.5**node.level
            self._note(done)
        return still

    def _halves(self, done: _Done, still: Tensor, left: Tensor) -> list[_Node]:
        """The two parts of a node.

        Args:
            done: The node.
            still: Which cases may be met (cases,).
            left: The places of their conditions among those that were bounded.
        """
        found, case_of = done.found, self.asked.case_of[done.rows]
        # Of each open case the condition that comes nearest to being missed everywhere counts.
        best = (done.lacking == done.by_case[case_of]) & still[case_of]
        weights = torch.where(best, 1.0 / found.least.abs().clamp(min=_TINY), 0.0).float()
        split = best_split(done.sides, done.bounded, found.above, weights)
        if split is None:
            self._stuck = True
            return []
        self._note(done, split)
        moved = moved_behind(split, done.sides, done.bounded)
        return done.node.halves(
            split,
            split.layer + 1 if moved > _WORTH_BOUNDS else len(done.sides),
            sides=done.sides,
            bounded=done.bounded,
            open=still,
            chosen=found.chosen.items(left),
        )

    def _note(self, done: _Done, split: Split | None = None) -> None:
        """Note a node, if nodes are noted.

        Args:
            done: The node.
            split: By which it is split; None if it is closed.
        """
        if self._record is None:
            return
        node, found = done.node, done.found
        missed = (done.lacking > 0).nonzero()[:, 0]
        self._record.node(
            node.place,
            node.first if node.level else 0,
            [each[None] for each in node.signs],
            done.sides,
            done.bounded,
            node.bounded,
            done.rows[missed],
            found.chosen.items(missed),
            split,
        )


def _open_to_cuts(stages: Sequence[Stage], sides: Sequence[Sides]) -> float:
    """The share of open neurons in layers that can have cuts in what enters them."""
    counts = [int(each.unstable().sum()) for each in sides]
    cut = [n for n, stage in zip(counts, stages, strict=False) if can_be_cut(stage)]
    return sum(cut) / max(1, sum(counts))


def _stacked(sides: Sequence[Sides]) -> Sides:
    """Bounds (N, width) of N nodes."""
    return Sides(torch.cat([s.lower for s in sides]), torch.cat([s.upper for s in sides]))


def _numbers(node: _Node) -> int:
    """How many numbers the forms of a node's largest layer have at most."""
    total = sum(each.lower.shape[1] for each in node.sides)
    open_ = (int(each.unstable().sum()) for each in node.sides[node.first :])
    return total * max(1, 2 * max(open_, default=0))
