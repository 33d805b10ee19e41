"""How many threads torch and the linear algebra libraries take.

Left to themselves they take every core, also those that other jobs were promised; where another
program runs on one of these, each step of theirs waits for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController, threadpool_limits


def use_threads(threads: int) -> None:
    """Set the threads of torch and of the linear algebra libraries, for the whole process."""
    import torch

    torch.set_num_threads(threads)
    threadpool_limits(threads)


@contextmanager
def held_to(threads: int) -> Iterator[None]:
    """Hold the linear algebra libraries to so many threads, for a while."""
    with _libraries().limit(limits=threads, user_api="blas"):
        yield


@cache
def _libraries() -> ThreadpoolController:
    """Those that are loaded; looking for them takes milliseconds."""
    return ThreadpoolController()
