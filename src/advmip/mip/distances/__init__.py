"""Distances between an image and an attacked one, each a small class."""

from __future__ import annotations

from collections.abc import Callable

from advmip.errors import unknown_name
from advmip.mip.distances.absolute_values import AbsoluteValues
from advmip.mip.distances.box import Box
from advmip.mip.distances.distance import Distance
from advmip.mip.distances.l0 import L0
from advmip.mip.distances.l1 import L1
from advmip.mip.distances.l2 import L2, PiecewiseL2
from advmip.mip.distances.linf import LInfinity
from advmip.mip.distances.total_variation import L1PlusTotalVariation, TotalVariation

__all__ = [
    "DISTANCES",
    "L0",
    "L1",
    "L2",
    "AbsoluteValues",
    "Box",
    "Distance",
    "L1PlusTotalVariation",
    "LInfinity",
    "PiecewiseL2",
    "TotalVariation",
    "distance_named",
]

DISTANCES: dict[str, Callable[[], Distance]] = {
    "l0": L0,
    "l1": L1,
    "l2": L2,
    "l2-5": PiecewiseL2,
    "linf": LInfinity,
    "tv": TotalVariation,
    "tv-isotropic": lambda: TotalVariation(isotropic=True),
    "l1+tv": L1PlusTotalVariation,
}


def distance_named(name: str) -> Distance:
    """A distance with its usual settings.

    Args:
        name: One of `DISTANCES`, or "l2-K": the piecewise linear square with K breakpoints.

    Raises:
        InputError: There is none of this name.
    """
    kind, _, breakpoints = name.partition("-")
    if kind == "l2" and breakpoints.isdigit():
        return PiecewiseL2(int(breakpoints))
    if name not in DISTANCES:
        raise unknown_name("distance", name, DISTANCES)
    return DISTANCES[name]()
