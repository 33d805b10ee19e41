"""The neurons of nodes, bounded anew under the signs that the nodes hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from advmip.checking.proofs.numbers import QUARTERS
from advmip.mip.bounds.balls import Ball
from advmip.mip.bounds.input_cuts import Box, can_be_cut
from advmip.mip.bounds.linear import LinearBounds
from advmip.mip.bounds.lines import Lines, Multipliers, Sides, adaptive, safe
from advmip.mip.bounds.operators import Stage
from advmip.mip.bounds.optimised import OptimisedForms
from advmip.mip.deadline import time_is_up

# Forms are optimised in portions of at most so many numbers.
_PORTION = 2**22


@dataclass(frozen=True)
class Bounded:
    """The open neurons of a layer, and what bounds them.

    Attributes:
        kept: Which they were when they were bounded (open,).
        chosen: The lines of the lower bounds, then those of the negative upper ones (2 open).
        slack: By how much each of these 2 bounds moves with the upper lines of the layers before,
            by layer (2 open, width).
    """

    kept: Tensor
    chosen: Multipliers
    slack: dict[int, Tensor]


@dataclass(frozen=True)
class Raised:
    """Proved bounds of forms.

    Attributes:
        least: The bounds (F,).
        chosen: What attains them (1, F, width).
        above: The forms' coefficients of each layer's neurons in the search's last bound, by layer
            (F, width).
        points: Where that is attained (F, pixels).
    """

    least: Tensor
    chosen: Multipliers
    above: dict[int, Tensor]
    points: Tensor

    def items(self, chosen: Tensor | slice) -> Raised:
        """Those of some of the forms."""
        above = {layer: each[chosen] for layer, each in self.above.items()}
        return Raised(self.least[chosen], self.chosen.items(chosen), above, self.points[chosen])

    @classmethod
    def joined(cls, parts: Sequence[Raised]) -> Raised:
        """The bounds of several portions."""
        return cls(
            torch.cat([each.least for each in parts]),
            Multipliers.joined([each.chosen for each in parts]),
            {k: torch.cat([each.above[k] for each in parts]) for k in parts[0].above},
            torch.cat([each.points for each in parts]),
        )


class NodeBounds:
    """Bounds of neurons, then of forms in the outputs, in several nodes together.

    Lines are sought in float32, then proved. The forms of all nodes stand in one row, each among
    the lines of its own node.

    Args:
        stages: The network in float64.
        search: The same in float32.
        ball: The points.

    Attributes:
        pixels: How many these have.
    """

    def __init__(self, stages: Sequence[Stage], search: Sequence[Stage], ball: Ball) -> None:
        self._search, self.pixels = search, ball.images.shape[1]
        self._proof = LinearBounds(stages, ball)
        self._forms = OptimisedForms(search, ball.to(torch.float32))
        self._signs: Sequence[Tensor] = ()
        self._lines: list[Lines] = []
        # The usual slopes of each layer (N, 1, width), and the ranges of what enters it.
        self._usual: list[Tensor] = []
        self._boxes: list[Box | None] = []
        self._cut = False

    def neurons(
        self,
        sides: Sequence[Sides],
        signs: Sequence[Tensor],
        first: Sequence[int],
        before: Sequence[Sequence[Bounded | None]],
        steps: int,
        *,
        cut: bool = False,
    ) -> tuple[list[Sides], list[list[Bounded | None]], list[int]]:
        """Bound each node's open neurons from some layer on; out of time, bounds stay.

        Args:
            sides: Bounds (N, width) of each layer, which hold without the signs.
            signs: The held signs (N, 1, width) of each layer, in float32.
            first: The first layer of each node that is bounded anew.
            before: What bounded each node's layers before this, to start from.
            steps: Of the search for lines.
            cut: Whether layers have cuts in what enters them, here and for the forms to come.

        Returns:
            The bounds; what bounds each node's layers; and how many layers of each node have values
            left: not all where its signs contradict each other.
        """
        new = [held(some, sign) for some, sign in zip(sides, signs, strict=True)]
        bounded = [list(each) for each in before]
        left = [len(new)] * len(first)
        self._signs = signs if any(bool(each.any()) for each in signs) else ()
        self._lines, self._usual, self._boxes, self._cut = [], [], [], cut
        self._proof.given([])
        for depth in range(len(new)):
            unstable = new[depth].unstable()
            kept = {
                node: unstable[node].nonzero()[:, 0]
                for node, begin in enumerate(first)
                if begin <= depth < left[node] and bool(unstable[node].any())
            }
            if kept and not time_is_up():
                new[depth] = self._layer(new[depth], kept, bounded, steps)
                void = (new[depth].lower > new[depth].upper).any(1).tolist()
                left = [min(n, depth) if none else n for n, none in zip(left, void, strict=True)]
            self._boxes.append(self._box(depth))
            self._proof.add(new[depth])
            single = Sides(new[depth].lower.float(), new[depth].upper.float())
            self._lines.append(Lines.between(single))
            self._usual.append(adaptive(safe(single))[:, None])
        return new, bounded, left

    def _box(self, depth: int) -> Box | None:
        """The ranges (N or 1, inputs) of what enters a layer; None if it has no cuts."""
        stage = self._search[depth]
        if not self._cut or not can_be_cut(stage):
            return None
        (layer,) = stage.terms
        lower, upper = self._proof.reach(layer)
        return lower.float(), upper.float()

    def _layer(
        self,
        now: Sides,
        kept: Mapping[int, Tensor],
        bounded: Sequence[list[Bounded | None]],
        steps: int,
    ) -> Sides:
        """Bound some neurons of the layer behind those that are known, and note what bounds them.

        Args:
            now: Bounds of the layer.
            kept: The neurons in question, of each node that has any.
            bounded: What bounds the nodes' layers; the layer's is replaced.
            steps: Of the search.
        """
        depth, width = len(self._lines), now.lower.shape[1]
        before = {node: _matching(bounded[node][depth], some) for node, some in kept.items()}
        counts = {node: 2 * len(some) for node, some in kept.items()}
        rows = torch.cat([_one_hot(some, width) for some in kept.values()])[:, None]
        found = self._raised(depth, rows, counts, before, steps)
        slack = {layer: (-above).clamp(min=0.0) for layer, above in found.above.items()}
        lower, upper = now.lower.clone(), now.upper.clone()
        end = 0
        for node, some in kept.items():
            begin, middle, end = end, end + len(some), end + 2 * len(some)
            lower[node, some] = torch.maximum(lower[node, some], found.least[begin:middle])
            upper[node, some] = torch.minimum(upper[node, some], -found.least[middle:end])
            own = {layer: each[begin:end] for layer, each in slack.items()}
            bounded[node][depth] = Bounded(some, found.chosen.items(slice(begin, end)), own)
        return Sides(lower, upper)

    def conditions(
        self,
        rows: Sequence[Tensor],
        start: Sequence[Multipliers | None],
        steps: int,
        enough: Tensor,
    ) -> Raised:
        """Bound forms in the outputs of the nodes whose neurons were bounded last.

        Args:
            rows: The forms (rows, outputs) of each node.
            start: Slopes and multipliers of each node to start from.
            steps: Of the search.
            enough: Above that the search may end (F,), for the forms of all nodes.
        """
        counts = dict(enumerate(map(len, rows)))
        forms = torch.cat(list(rows))[:, None]
        return self._raised(len(self._lines), forms, counts, dict(enumerate(start)), steps, enough)

    def _raised(
        self,
        depth: int,
        rows: Tensor,
        counts: Mapping[int, int],
        start: Mapping[int, Multipliers | None],
        steps: int,
        enough: Tensor | None = None,
    ) -> Raised:
        """Bound forms in what enters a stage, in portions.

        Args:
            depth: The stage.
            rows: The forms (F, 1, width).
            counts: How many are those of each node, one node's after the other's.
            start: Slopes and multipliers of these nodes to start from.
            steps: Of the search.
            enough: Above that the search may end (F,).
        """
        of = torch.tensor(list(counts)).repeat_interleave(torch.tensor(list(counts.values())))
        first = Multipliers.joined(
            [self._start(node, count, start[node]) for node, count in counts.items()]
        )
        widths = sum(each.falling.shape[2] for each in self._lines)
        widths += sum(QUARTERS * box[0].shape[1] for box in self._boxes if box is not None)
        portion = max(1, _PORTION // max(1, widths))
        found: list[Raised] = []
        for begin in range(0, max(1, len(rows)), portion):
            some = slice(begin, begin + portion)
            nodes = of[some]
            signs = [each[nodes] for each in self._signs[:depth]]
            _, best, last = self._forms.raised(
                depth,
                rows[some].float(),
                [each.of(nodes) for each in self._lines],
                first.items(some).swapped(),
                signs=signs,
                steps=steps,
                enough=torch.inf if enough is None else enough[some, None].float(),
                boxes=[_of(box, nodes) for box in self._boxes[:depth]] if self._cut else (),
            )
            best = best.rounded()
            double = [each.double() for each in signs]
            proved = self._proof.forms(rows[some].double(), best.double(), double, nodes)
            above = {layer: each[:, 0] for layer, each in last.above.items()}
            found.append(Raised(proved.least[:, 0], best.swapped(), above, last.leaving[0][:, 0]))
        return Raised.joined(found)

    def _start(self, node: int, count: int, before: Multipliers | None) -> Multipliers:
        """Slopes and multipliers (1, count, width): those found before, else the usual slopes."""
        slopes = (
            before.slopes
            if before is not None
            else [each[node].expand(1, count, -1) for each in self._usual]
        )
        found = Multipliers(slopes)
        if self._signs:
            found.signs = (
                before.signs
                if before is not None and before.signs
                else [torch.zeros(1, count, each.shape[2]) for each in self._usual]
            )
        if self._cut:
            found.weights, found.levels = (
                (before.weights, before.levels)
                if before is not None and before.weights
                else self._first_cuts(count)
            )
        return found

    def _first_cuts(self, count: int) -> tuple[list[Tensor], list[Tensor]]:
        """Half a share of cuts (1, count, width) at the middle of all ranges (1, count, inputs)."""
        weights = [torch.full((1, count, each.shape[2]), 0.5) for each in self._usual]
        inputs = [0 if box is None else box[0].shape[1] for box in self._boxes]
        middle = QUARTERS // 2
        levels = [torch.full((1, count, each), middle, dtype=torch.uint8) for each in inputs]
        return weights, levels


def _of(box: Box | None, nodes: Tensor) -> Box | None:
    """The ranges of some nodes' values, unless all have the same."""
    if box is None or len(box[0]) == 1:
        return box
    return box[0][nodes], box[1][nodes]


def _one_hot(kept: Tensor, width: int) -> Tensor:
    """Some neurons of a layer, then their negatives, as forms (2 kept, width) in it."""
    chosen = functional.one_hot(kept, width).float()
    return torch.cat([chosen, -chosen])


def held(sides: Sides, signs: Tensor) -> Sides:
    """Bounds (N, width) of neurons whose signs (N, 1, width) are held."""
    sign = signs[:, 0]
    return Sides(
        torch.where(sign > 0, sides.lower.clamp(min=0.0), sides.lower),
        torch.where(sign < 0, sides.upper.clamp(max=0.0), sides.upper),
    )


def _matching(before: Bounded | None, kept: Tensor) -> Multipliers | None:
    """What bounded these neurons before, if all of them were."""
    if before is None or not bool(torch.isin(kept, before.kept).all()):
        return None
    places = torch.searchsorted(before.kept, kept)
    return before.chosen.items(torch.cat([places, places + len(before.kept)]))
