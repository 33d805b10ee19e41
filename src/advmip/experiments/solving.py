"""Instances solved one after the other, each result recorded before the next is sought."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from advmip.journal import Journal
from advmip.settings import Reuse

_log = logging.getLogger(__name__)

_Instance = TypeVar("_Instance")


def solved(
    journal: Path,
    depends: Mapping[str, Any],
    reuse: Reuse,
    instances: Sequence[_Instance],
    key: Callable[[_Instance], str],
    solve: Callable[[_Instance], Any],
    *,
    rehearsed: bool = False,
) -> list[Any]:
    """The results of instances; those that a journal holds already are not sought again.

    Each goes into the journal as soon as it is there: a process that is killed goes on behind the
    last one.

    Args:
        journal: The journal's file.
        depends: What the results depend on, as in `Journal`.
        reuse: Whether results of other code are used again, as in `Journal`.
        instances: The instances.
        key: An instance's name, unique among them.
        solve: Solves an instance; its result is what JSON can hold.
        rehearsed: Solve the first open instance once before, unrecorded: the first call of
            anything pays for its loading, which counts where a result takes milliseconds.
    """
    with Journal(journal, depends, reuse) as finished:
        open_instances = [each for each in instances if key(each) not in finished]
        if rehearsed and open_instances:
            solve(open_instances[0])
        begun = time.perf_counter()
        for number, instance in enumerate(open_instances, 1):
            finished.record(key(instance), solve(instance))
            spent = time.perf_counter() - begun
            rest = spent / number * (len(open_instances) - number)
            _log.info("%d of %d instances, about %.0f s left", number, len(open_instances), rest)
        return [finished.get(key(instance)) for instance in instances]
