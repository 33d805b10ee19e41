"""What a claim in words is judged by: cases, and the predicates that find them.

A predicate takes the evidence and the arguments of a claim and returns the cases that the claim
covers: for each, the number measured once per seed, the bound that the claim sets, and whether
the weaker form of the claim, its direction, holds.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advmip.reporting.rows import Rows
from advmip.reporting.sources import Source


@dataclass(frozen=True)
class Case:
    """One number that a claim speaks of.

    Attributes:
        label: What it is, such as "CNN, PGD".
        measured: The number, once per seed.
        bound: What the claim says it reaches (or stays below).
        at_least: Whether the claim says "at least" (True) or "at most" (False).
        direction: Whether the weaker form of the claim holds.
        unit: Unit, to be written after the number.
    """

    label: str
    measured: NDArray[np.float64]
    bound: float
    at_least: bool
    direction: bool
    unit: str = ""


@dataclass(frozen=True)
class Evidence:
    """What a predicate may look at: the rows of a source under one protocol."""

    rows: Rows
    source: Source
    protocol: str


Predicate = Callable[..., list[Case]]


def entering(
    predicates: dict[str, Predicate], asked: Callable[[Rows, Source, str], Any]
) -> Callable[[Predicate], Predicate]:
    """A decorator that enters a predicate under its own name.

    Args:
        predicates: Where it is entered.
        asked: Makes of rows, source and protocol the evidence that the predicates of a source ask.
    """

    def predicate(function: Predicate) -> Predicate:
        @functools.wraps(function)
        def judged(evidence: Evidence, **arguments: Any) -> list[Case]:
            return function(asked(evidence.rows, evidence.source, evidence.protocol), **arguments)

        predicates[function.__name__] = judged
        return function

    return predicate


def at_least(label: str, measured: Any, bound: float, direction: bool, unit: str = "") -> Case:
    """A case of "at least so much"; `measured` has one number per seed."""
    values = np.asarray(measured, dtype=np.float64)
    return Case(label, values, bound, at_least=True, direction=bool(direction), unit=unit)


def at_most(label: str, measured: Any, bound: float, direction: bool, unit: str = "") -> Case:
    """A case of "at most so much"; `measured` has one number per seed."""
    values = np.asarray(measured, dtype=np.float64)
    return Case(label, values, bound, at_least=False, direction=bool(direction), unit=unit)
