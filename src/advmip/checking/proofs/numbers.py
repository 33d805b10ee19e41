"""How slopes, weights and multipliers are kept: a byte, a byte and two bytes each.

A slope or weight is a whole number of 128ths, a multiplier the upper half of a float32 (bfloat16).
The search rounds its numbers to these before it counts a bound, so that the checker sees the same
one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEVELS = 128
# Parts of an input's range, by which cuts are kept; more of them gain little, fewer lose much.
QUARTERS = 4
# Patterns from here on are infinite, no number, or negative.
_NO_MULTIPLIER = 0x7F80


def kept_slopes(slopes: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Slopes, which are rounded already, as they are kept."""
    return np.asarray(slopes * LEVELS).astype(np.uint8)


def slopes_of(kept: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The slopes that are kept so.

    Raises:
        ValueError: One is above 1.
    """
    if (kept > LEVELS).any():
        raise ValueError(f"a slope or weight of {kept.max() / LEVELS:g}, not in [0, 1],")
    return kept / LEVELS


def quarters_of(kept: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The quarters that are kept.

    Raises:
        ValueError: There is no such quarter.
    """
    if (kept >= QUARTERS).any():
        raise ValueError(f"quarter {kept.max()} of {QUARTERS}, counted from 0,")
    return kept


def kept_multipliers(multipliers: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Multipliers, which are rounded already, as they are kept."""
    patterns = np.ascontiguousarray(multipliers, np.float32).view(np.uint32)
    return (patterns >> 16).astype(np.uint16)


def multipliers_of(kept: NDArray[np.uint16]) -> NDArray[np.float64]:
    """The multipliers that are kept so.

    Raises:
        ValueError: One is negative, infinite or no number.
    """
    if (kept >= _NO_MULTIPLIER).any():
        raise ValueError("a multiplier that is negative or not finite")
    return (kept.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
