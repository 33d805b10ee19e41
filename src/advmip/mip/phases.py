"""How long the phases of a call take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Phases:
    """Processor seconds by phase, of all threads together: what waits for others does not count.

    Args:
        names: The phases.

    Attributes:
        seconds: Of each phase so far, by name.
    """

    def __init__(self, *names: str) -> None:
        self.seconds = dict.fromkeys(names, 0.0)

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Add the time of everything within to a phase."""
        begun = time.process_time()
        try:
            yield
        finally:
            self.seconds[phase] += time.process_time() - begun
