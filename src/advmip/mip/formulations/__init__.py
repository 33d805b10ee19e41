"""Formulations of a ReLU, side by side on one model."""

from __future__ import annotations

from collections.abc import Callable

from advmip.errors import unknown_name
from advmip.mip.formulations.big_m import BigM
from advmip.mip.formulations.indicator import Indicator
from advmip.mip.formulations.layer import (
    EncodedReLUs,
    Formulation,
    Layer,
    UnstableReLUs,
    affine_expression,
)
from advmip.mip.formulations.output_big_m import OutputBigM
from advmip.mip.formulations.partition import Partition

__all__ = [
    "FORMULATIONS",
    "BigM",
    "EncodedReLUs",
    "Formulation",
    "Indicator",
    "Layer",
    "OutputBigM",
    "Partition",
    "UnstableReLUs",
    "affine_expression",
    "formulation_named",
]

FORMULATIONS: dict[str, Callable[[], Formulation]] = {
    "big-m": BigM,
    "big-m-output": OutputBigM,
    "indicator": Indicator,
    "partition": Partition,
}


def formulation_named(name: str) -> Formulation:
    """A formulation with its usual settings.

    Raises:
        InputError: There is none of this name.
    """
    if name not in FORMULATIONS:
        raise unknown_name("formulation", name, FORMULATIONS)
    return FORMULATIONS[name]()
