"""Verdicts: what can be said of a published value beside ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from advmip.reporting.intervals import Measured
from advmip.reporting.sources import Better, Tolerance


class Verdict(StrEnum):
    """What can be said of a published value or a claim."""

    REPRODUCED = "reproduced"
    IMPROVED = "improved"
    DIRECTION = "direction holds"
    CONTRADICTED = "contradicted"
    UNRESOLVED = "unresolved"
    NOT_COMPARABLE = "not comparable"
    NOT_RUN = "not run at this scale"


@dataclass(frozen=True)
class Obstacle:
    """Why a value or a claim is not judged.

    Attributes:
        kind: The reason in a few words, shared by all that it keeps from a verdict.
        detail: What it is in this case; may be empty.
        verdict: "Not comparable" for a reason of substance, "not run" for one of the scale.
    """

    kind: str
    detail: str = ""
    verdict: Verdict = Verdict.NOT_COMPARABLE

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}" if self.detail else self.kind


@dataclass(frozen=True)
class Cell:
    """Our side of one published value.

    Attributes:
        measured: Mean over the seeds, or images, and its interval.
        least: The least that the mean can be under the source's time limit; `measured` where ours
            stopped nothing.
        most: The most that it can be.
        test_images: The smallest number of test images behind it; 0 where none are involved.
        iterations: Iterations of the run behind it; NaN where there is none.
        obstacle: Why it cannot be compared with the published value; None if it can.
        repeated: What the mean is taken over.
        machine: Where it was measured; empty if unknown.
    """

    measured: Measured
    least: Measured
    most: Measured
    test_images: int
    iterations: float
    obstacle: Obstacle | None = None
    repeated: str = "seeds"
    machine: str = ""

    @property
    def is_open(self) -> bool:
        """Whether a shorter time limit than the source's leaves more than one value possible."""
        return self.least.mean < self.most.mean

    def holds(self, value: float) -> bool:
        """Whether the interval of the mean, at any value that is open, holds a value."""
        return bool(self.least.lower <= value <= self.most.upper)


# A source's own value is one run: ours may be one as well. It is never one image.
_SEEDS = "seeds"
_STANDARD_ERRORS = 2.0


def judge(
    published: float,
    cell: Cell,
    tolerance: Tolerance,
    allowance: float = 0.0,
    reference: tuple[float, float] | None = None,
    better: Better | None = None,
) -> tuple[Verdict, str]:
    """The verdict on one published value.

    Reproduced: within the tolerance, or inside our interval. Unresolved: a shorter time limit than
    the source's leaves values open that are and values that are not; or ours is of one image
    alone. Improved: neither, and ours is the better one. Direction holds: worse or neither better
    nor worse, but the change from a reference has the published sign.

    Args:
        published: The published value.
        cell: Our side.
        tolerance: How close is close enough.
        allowance: What to add to the tolerance because fewer test images were used than published.
        reference: The published value and ours from which a change is measured, if there is one.
        better: Which values are better; None if none are.

    Returns:
        The verdict, and why, in a few words.
    """
    if cell.obstacle is not None:
        return cell.obstacle.verdict, str(cell.obstacle)
    low, high = tolerance.band(published, allowance)
    least, most = cell.least.mean, cell.most.mean
    if low <= least and most <= high:
        return Verdict.REPRODUCED, f"within tolerance: {tolerance.reason}"
    if cell.is_open and (cell.holds(published) or (least <= high and low <= most)):
        return Verdict.UNRESOLVED, f"the time limit leaves {_range(least, most)} open"
    if cell.holds(published):
        over = f"{cell.measured.seeds} {cell.repeated}"
        interval = _range(cell.least.lower, cell.most.upper)
        return Verdict.REPRODUCED, f"inside the 95 % interval over {over}, {interval}"
    if cell.measured.seeds == 1 and cell.repeated != _SEEDS:
        return Verdict.UNRESOLVED, f"one of the {cell.repeated} alone has no interval"
    nearest = most if most < low else least
    compared = _compared(cell, nearest, published, better)
    if better is not None and better.prefers(nearest, published):
        return Verdict.IMPROVED, compared
    if reference is not None:
        small = (high - low) / 2
        changes = published - reference[0], nearest - reference[1]
        if _sign(changes[0], small) == _sign(changes[1], small):
            return Verdict.DIRECTION, compared
    return Verdict.CONTRADICTED, compared


def sampling_allowance(published: float, test_images: int, full_test_set: int) -> float:
    """Two standard errors of an accuracy over a part of the test set, in percentage points.

    Args:
        published: Accuracy in percent over the full test set.
        test_images: Number of test images of ours, a subset; 0 where none are involved.
        full_test_set: Number of test images behind the published accuracy.
    """
    if not 0 < test_images < full_test_set:
        return 0.0
    variance = published * (100.0 - published) / test_images * (1.0 - test_images / full_test_set)
    return _STANDARD_ERRORS * float(np.sqrt(max(variance, 0.0)))


def tally(verdicts: Iterable[str]) -> dict[str, int]:
    """How many there are of each verdict, in the order of `Verdict`; older ones last."""
    counts: dict[str, int] = dict.fromkeys(Verdict, 0)
    for verdict in verdicts:
        counts[verdict] = counts.get(verdict, 0) + 1
    return {str(verdict): count for verdict, count in counts.items() if count}


def two_digits(number: float) -> str:
    """A number to two digits that count, or to a whole one; never with an exponent from 100 on."""
    return f"{number:.2g}" if abs(number) < 99.5 else f"{number:,.0f}"


def _compared(cell: Cell, ours: float, published: float, better: Better | None) -> str:
    if better is None:
        return f"off by {ours - published:+.4g}"
    bound = ("at least " if ours == cell.least.mean else "at most ") if cell.is_open else ""
    words = f"{bound}{ours:.4g} in place of {published:.4g}"
    return words + (f", {two_digits(ours / published)} times as much" if published else "")


def _range(least: float, most: float) -> str:
    if np.isinf(most):
        return "everything" if np.isinf(least) else f"everything from {least:.4g}"
    return f"{least:.4g} to {most:.4g}"


def _sign(change: float, small: float) -> int:
    return 0 if abs(change) <= small else int(np.sign(change))
