"""The neurons of a node, bounded anew under the signs that it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from advmip.mip.bounds.balls import Ball
from advmip.mip.bounds.linear import LinearBounds
from advmip.mip.bounds.lines import Lines, Multipliers, Sides, adaptive, safe
from advmip.mip.bounds.operators import Stage
from advmip.mip.bounds.optimised import Attained, OptimisedForms
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


class ContradictionError(Exception):
    """The signs that a node holds exclude each other.

    Args:
        sides: Bounds of the layers up to the one in which no value is left.
        bounded: What bounds these.
    """

    def __init__(self, sides: Sequence[Sides], bounded: Sequence[Bounded | None]) -> None:
        super().__init__()
        self.sides, self.bounded = sides, bounded


class NodeBounds:
    """Bounds of neurons and of forms under held signs: lines are sought in float32, then proved.

    Args:
        stages: The network in float64.
        search: The same in float32.
        ball: The points.
    """

    def __init__(self, stages: Sequence[Stage], search: Sequence[Stage], ball: Ball) -> None:
        self._stages = stages
        self._proof = LinearBounds(stages, ball)
        self._forms = OptimisedForms(search, ball.to(torch.float32))

    def neurons(
        self,
        sides: Sequence[Sides],
        signs: Sequence[Tensor],
        first: int,
        before: Sequence[Bounded | None],
        steps: int,
    ) -> tuple[list[Sides], list[Bounded | None]]:
        """Bound the open neurons of a stage and all after it; out of time, bounds stay.

        Args:
            sides: Bounds (1, width) of each layer, which hold without the signs.
            signs: The held signs (1, 1, width) of each layer, in float32.
            first: The first stage to be bounded, at least 1.
            before: What bounded the layers before this, to start from.
            steps: Of the search for lines.

        Raises:
            ContradictionError: No point has these signs.
        """
        new = [held(some, sign) for some, sign in zip(sides, signs, strict=True)]
        bounded = list(before)
        first = max(first, 1)
        self._proof.given(new[:first])
        known = [_single(each) for each in new[:first]]
        for depth in range(first, len(new)):
            kept = new[depth].unstable()[0].nonzero()[:, 0]
            if len(kept) and not time_is_up():
                new[depth], bounded[depth] = self._layer(
                    new[depth], known, signs[:depth], kept, before[depth], steps
                )
                if bool((new[depth].lower > new[depth].upper).any()):
                    raise ContradictionError(new[: depth + 1], bounded[: depth + 1])
            self._proof.add(new[depth])
            known.append(_single(new[depth]))
        return new, bounded

    def _layer(
        self,
        now: Sides,
        known: Sequence[Sides],
        signs: Sequence[Tensor],
        kept: Tensor,
        before: Bounded | None,
        steps: int,
    ) -> tuple[Sides, Bounded]:
        """Bound some neurons of the layer behind those that are known, in float32 here."""
        depth, width, count = len(known), now.lower.shape[1], len(kept)
        lines = [Lines.between(each) for each in known]
        start = _start(known, 2 * count, _matching(before, kept))
        held_signs = signs if any(bool(each.any()) for each in signs) else ()
        if not held_signs:
            start.signs.clear()
        found: list[Tensor] = []
        parts: list[Multipliers] = []
        slacks: list[dict[int, Tensor]] = []
        portion = max(1, _PORTION // sum(each.lower.shape[1] for each in known))
        for begin in range(0, 2 * count, portion):
            some = torch.arange(begin, min(begin + portion, 2 * count))
            rows = torch.zeros(1, len(some), width)
            rows[0, torch.arange(len(some)), kept[some % count]] = torch.where(
                some < count, 1.0, -1.0
            )
            _, best, last = self._forms.raised(
                depth, rows, lines, start.items(some), signs=held_signs, steps=steps
            )
            best = best.rounded()
            least = self._proof.forms(
                rows.double(), best.double(), [s.double() for s in held_signs]
            )
            found.append(least.least[0])
            parts.append(best)
            slacks.append({k: (-each[0]).clamp(min=0.0) for k, each in last.above.items()})
        bounds = torch.cat(found)
        lower, upper = now.lower.clone(), now.upper.clone()
        lower[0, kept] = torch.maximum(lower[0, kept], bounds[:count])
        upper[0, kept] = torch.minimum(upper[0, kept], -bounds[count:])
        slack = {k: torch.cat([each[k] for each in slacks]) for k in slacks[0]}
        return Sides(lower, upper), Bounded(kept, Multipliers.joined(parts), slack)

    def conditions(
        self,
        rows: Tensor,
        sides: Sequence[Sides],
        signs: Sequence[Tensor],
        start: Multipliers | None,
        steps: int,
        enough: Tensor,
    ) -> tuple[Tensor, Multipliers, Attained]:
        """Bound forms in the outputs.

        Args:
            rows: The forms (1, rows, outputs).
            sides: Bounds of the neurons, with those that are held.
            signs: The held signs.
            start: Slopes and multipliers to start from.
            steps: Of the search.
            enough: Above that the search may end (rows,).

        Returns:
            Proved bounds (rows,), what attains them, and the search's last bound.
        """
        depth = len(self._stages) - 1
        known = [_single(each) for each in sides]
        if start is None:
            start = _start(known, rows.shape[1], None)
        _, best, last = self._forms.raised(
            depth,
            rows.float(),
            [Lines.between(each) for each in known],
            start,
            signs=signs,
            steps=steps,
            enough=enough.float(),
        )
        best = best.rounded()
        self._proof.given(sides)
        proved = self._proof.forms(rows, best.double(), [s.double() for s in signs])
        return proved.least[0], best, last


def held(sides: Sides, signs: Tensor) -> Sides:
    """Bounds (1, width) of neurons whose signs (1, 1, width) are held."""
    sign = signs[:, 0]
    return Sides(
        torch.where(sign > 0, sides.lower.clamp(min=0.0), sides.lower),
        torch.where(sign < 0, sides.upper.clamp(max=0.0), sides.upper),
    )


def _single(sides: Sides) -> Sides:
    return Sides(sides.lower.float(), sides.upper.float())


def _matching(before: Bounded | None, kept: Tensor) -> Multipliers | None:
    """What bounded these neurons before, if all of them were."""
    if before is None or not bool(torch.isin(kept, before.kept).all()):
        return None
    places = torch.searchsorted(before.kept, kept)
    return before.chosen.items(torch.cat([places, places + len(before.kept)]))


def _start(sides: Sequence[Sides], count: int, before: Multipliers | None) -> Multipliers:
    """Slopes and multipliers to start from: those found before, else the usual slopes."""
    slopes = (
        before.slopes
        if before is not None
        else [adaptive(safe(each))[:, None].expand(1, count, -1).contiguous() for each in sides]
    )
    signs = (
        before.signs
        if before is not None and before.signs
        else [torch.zeros(1, count, each.lower.shape[1]) for each in sides]
    )
    return Multipliers(list(slopes), list(signs))
