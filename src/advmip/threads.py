"""How many threads torch and the linear algebra libraries take.

Left to themselves they take every core, also those that other jobs were promised; where another
program runs on one of these, each step of theirs waits for it.
"""

from __future__ import annotations

import sys
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
    """Hold torch, where it is loaded, and the linear algebra libraries to so many, for a while."""
    torch = sys.modules.get("torch")
    with _libraries(loaded=torch is not None).limit(limits=threads, user_api="blas"):
        before = torch.get_num_threads() if torch else threads
        try:
            if torch:
                torch.set_num_threads(threads)
            yield
        finally:
            if torch:
                torch.set_num_threads(before)


@cache
def _libraries(*, loaded: bool) -> ThreadpoolController:
    """Those that are there, with torch or before it is loaded; looking takes milliseconds."""
    return ThreadpoolController()
