"""Progress with an estimate of the time left, on a terminal and in a log."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")

_SECONDS_BETWEEN_LOG_LINES = 30.0


def track(
    items: Iterable[Item], description: str, *, enabled: bool, total: int | None = None
) -> tqdm[Item]:
    """Wraps an iterable in a bar that goes when it is done; in a log a line now and then.

    Args:
        items: what is worked through.
        description: what is being done, shown in front of the bar.
        enabled: False shows nothing.
        total: number of items, where ``items`` cannot tell.
    """
    interactive = sys.stderr.isatty()
    return tqdm(
        items,
        desc=description,
        total=total,
        disable=not enabled,
        leave=False,
        mininterval=0.2 if interactive else _SECONDS_BETWEEN_LOG_LINES,
        delay=0 if interactive else _SECONDS_BETWEEN_LOG_LINES,
    )
