"""Until when a call may go on: a time that every step within it sees.

A step that has something to show whenever it stops asks whether `time_is_up`. One that has
nothing until it is done comes by checkpoints, which end it by `OutOfTimeError`; whoever has an
answer without that step catches it. What cannot be interrupted is cut into portions of a tenth of
a second or so, or says at a checkpoint how long it may take.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

import numpy as np

# Operations of dense linear algebra in a second, on a slow core.
_OPERATIONS = 5e9

# A step of less is not worth a guess.
_SHORT = 0.1

_DEADLINE: ContextVar[float] = ContextVar("deadline", default=np.inf)


class OutOfTimeError(Exception):
    """The time is up, and a step has nothing to show for it."""


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """Let everything within end at a time, or earlier where that was said before.

    Args:
        deadline: By `time.perf_counter`.
    """
    token = _DEADLINE.set(min(deadline, _DEADLINE.get()))
    try:
        yield
    finally:
        _DEADLINE.reset(token)


@contextmanager
def as_far_as(deadline: float = np.inf) -> Iterator[None]:
    """The same, for steps without whose rest the answer stands: out of time, they just end."""
    with until(deadline), suppress(OutOfTimeError):
        yield


def has_deadline() -> bool:
    """Whether there is a deadline at all."""
    return bool(np.isfinite(_DEADLINE.get()))


def seconds_left(end: float = np.inf) -> float:
    """Seconds until the deadline, or a time before it, at least 0; inf without one."""
    return max(min(_DEADLINE.get(), end) - time.perf_counter(), 0.0)


def time_is_up(end: float = np.inf) -> bool:
    """Whether the time is up, or a time before it has come."""
    return seconds_left(end) == 0.0


def dense_checkpoint(operations: float) -> None:
    """A checkpoint before so many operations of dense linear algebra.

    Raises:
        OutOfTimeError: There is no time for them.
    """
    checkpoint(operations / _OPERATIONS)


def checkpoint(seconds: float = 0.0) -> None:
    """End here if the time is up, or if what comes takes longer than what is left.

    Args:
        seconds: How long the next step takes at least; what is short is begun all the same.

    Raises:
        OutOfTimeError: There is no time for it.
    """
    left = seconds_left()
    if left == 0.0 or (left < seconds and seconds > _SHORT):
        raise OutOfTimeError
