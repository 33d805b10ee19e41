"""Conditions that all hold, sorted into the ways in which a point may be a counterexample."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from advmip.properties.expressions import Condition, Inequality, all_of
from advmip.properties.property import Case, Property


def property_of(inputs: int, conditions: Iterable[Condition], name: str) -> Property:
    """The property whose counterexamples meet all of some conditions.

    Inequalities on one input alone are ends of its box; ways with an empty box are left out.

    Args:
        inputs: How many inputs there are.
        conditions: What a counterexample meets, the range of every input among it.
        name: What it is called in messages.

    Raises:
        InputError: An input is left unbounded, or the box of every way is empty.
    """
    alone: list[Inequality] = []
    several: list[Condition] = []
    for condition in conditions:
        if len(condition.ways) == 1:
            alone += condition.ways[0]
        else:
            several.append(condition)
    box = _bounded(np.full(inputs, -np.inf), np.full(inputs, np.inf), alone)
    cases = [_bounded(box.lower, box.upper, way, box.inequalities) for way in all_of(*several)]
    possible = [case for case in cases if (case.lower <= case.upper).all()]
    return Property(tuple(possible or cases), name)


def _bounded(
    lower: np.ndarray,
    upper: np.ndarray,
    way: list[Inequality] | tuple[Inequality, ...],
    others: tuple[Inequality, ...] = (),
) -> Case:
    """A case whose inequalities on one input alone are ends of its box."""
    low, high, kept = lower.copy(), upper.copy(), list(others)
    for each in way:
        said = each.surplus
        if said.outputs or len(said.inputs) != 1:
            kept.append(each)
            continue
        ((place, factor),) = said.inputs.items()
        end = 0.0 - said.constant / factor
        if factor > 0:
            low[place] = max(low[place], end)
        else:
            high[place] = min(high[place], end)
    return Case(low, high, tuple(kept))
