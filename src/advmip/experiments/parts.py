"""How the work of an experiment is dealt out to jobs.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from advmip.errors import InputError
from advmip.settings import ExactAttacks, SolverComparison

_Item = TypeVar("_Item")


def dealt_out(items: Sequence[_Item], size: int) -> list[list[_Item]]:
    """The items in their order, `size` of them in each part; the last may be smaller."""
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


def images_of(chosen: ExactAttacks | SolverComparison, distance: str) -> int:
    """How many images of a network are attacked by a distance."""
    return chosen["images_by_distance"].get(distance, chosen["images"])


def most_images(chosen: ExactAttacks | SolverComparison) -> int:
    """How many images of a network are attacked by any distance."""
    return max(images_of(chosen, distance) for distance in chosen["distances"])


def chosen_part(parts: Sequence[list[_Item]], part: int, what: str, scale: str) -> list[_Item]:
    """One of the parts.

    Args:
        parts: All parts.
        part: Which, from 0.
        what: What they are parts of, as a user calls it.
        scale: The scale's name.

    Raises:
        InputError: There is none of that number.
    """
    if not 0 <= part < len(parts):
        raise InputError(
            subject=f"part {part} of {what}",
            found=f"{len(parts)} parts at scale {scale}",
            expected="a part from 0 on, of something that the scale does not leave out",
            mend="choose another part, or add the entry to the scale",
        )
    return parts[part]
