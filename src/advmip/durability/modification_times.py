"""Files from the future: what a clock that was set back leaves behind.

Snakemake goes by times of modification. After the clock was set back, all that was made before is
newer than whatever is made next, and each job fails for an output that is older than its input,
until the clock has caught up.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_SECONDS_BETWEEN_LOOKS = 1.0
# By so much clocks may differ, those of file servers among them, or be corrected.
_TOLERANCE = 1.0


def mend_times(folder: Path) -> int:
    """Bring times that are in the future to the present, in a folder and below.

    The order of all times stays, so that nothing becomes older than what it was made from.

    Returns:
        Of how many files the time was changed.
    """
    now = time.time()
    times = {}
    for path in folder.rglob("*"):
        with suppress(OSError):  # a job may have just replaced it
            if path.is_file():
                times[path] = path.stat().st_mtime_ns
    future = sorted({each for each in times.values() if each > (now + _TOLERANCE) * 1e9})
    if not future:
        return 0
    present = int(now * 1e9)
    latest = max((each for each in times.values() if each < future[0]), default=0)
    # Between the latest of the past and now; should that be now, they become the same.
    step = max(present - latest, 0) // len(future)
    mended = {each: latest + step * place for place, each in enumerate(future, 1)}
    for path, each in times.items():
        if each in mended:
            with suppress(OSError):
                os.utime(path, ns=(mended[each], mended[each]))
    return sum(each in mended for each in times.values())


def watch_clock(
    when_set_back: Callable[[], object],
    clock: Callable[[], float] = time.time,
    seconds: float = _SECONDS_BETWEEN_LOOKS,
) -> None:
    """Call a function whenever the clock is set back, as long as this process lives.

    Args:
        when_set_back: The function; it is called in a thread of its own.
        clock: The clock, in seconds.
        seconds: How often it is looked at.
    """

    def watch() -> None:
        ahead = clock() - time.monotonic()
        while True:
            time.sleep(seconds)
            before, ahead = ahead, clock() - time.monotonic()
            if ahead < before - _TOLERANCE:
                when_set_back()

    threading.Thread(target=watch, daemon=True).start()
