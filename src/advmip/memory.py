"""How the process keeps its memory."""

from __future__ import annotations

import ctypes
import sys

# Parameters of glibc's mallopt(3).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP_THRESHOLD = 32 * 2**20  # what glibc admits
_KEPT = 2**31 - 1


def keep_freed_memory() -> None:
    """Keep freed memory for the next allocation instead of returning it to the system.

    A network's activations are large and short-lived: by default glibc maps and unmaps them with
    every batch, and the page faults take as long as the arithmetic. Does nothing where the C
    library is another one.
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "gnu_get_libc_version"):
            library.mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
            library.mallopt(_M_TRIM_THRESHOLD, _KEPT)
