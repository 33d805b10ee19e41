"""Bounds inside the tree: what a node holds bounds the neurons that it leaves open."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from advmip.mip.branch_and_bound.node import ACTIVE, INACTIVE, Signs
from advmip.mip.encoding import Interval
from advmip.mip.formulations.triangle import Triangle
from advmip.mip.model import Indices, Vector
from advmip.mip.problem import Problem, encode


def tightened(
    problem: Problem, bounds: Sequence[Interval], signs: Signs, neurons: Indices, deadline: float
) -> tuple[list[Interval], Signs] | None:
    """Tighter bounds of some open neurons, over the part of the relaxation that a node holds.

    Args:
        problem: The problem, with the radius that is still of interest.
        bounds: Bounds that hold in the node already.
        signs: What the node holds (neurons,).
        neurons: The neurons that are bounded, among all that `bounds` leave unstable.
        deadline: When to stop at the latest, by `time.perf_counter`.

    Returns:
        The bounds, and what the node holds with them: a neuron whose sign turns out to be certain
        is held and keeps its interval. None if nothing of interest is in the node.
    """
    triangles = Triangle()
    encoding = encode(problem, bounds, triangles, ball=True)
    outputs, slacks = triangles.positive, triangles.negative
    upper = encoding.model.upper.copy()
    upper[outputs[signs == INACTIVE]] = 0.0
    upper[slacks[signs == ACTIVE]] = 0.0
    model = replace(encoding.model, upper=upper)
    program = replace(encoding, model=model).program("primal")
    program.limit_time(deadline - time.perf_counter())
    held = signs.copy()
    lower = np.concatenate([each.lower[each.unstable] for each in bounds[:-1]])
    higher = np.concatenate([each.upper[each.unstable] for each in bounds[:-1]])
    for neuron in neurons:
        entering = np.zeros(len(upper))
        entering[[outputs[neuron], slacks[neuron]]] = 1.0, -1.0
        least, most = program.proved_minimum(entering), -program.proved_minimum(-entering)
        if least == np.inf or most == -np.inf:
            return None
        if least >= 0.0:
            held[neuron] = ACTIVE
        elif most <= 0.0:
            held[neuron] = INACTIVE
        else:
            lower[neuron], higher[neuron] = max(least, lower[neuron]), min(most, higher[neuron])
    return _placed(bounds, lower, higher), held


def _placed(bounds: Sequence[Interval], lower: Vector, upper: Vector) -> list[Interval]:
    """The bounds with other ones for the unstable neurons, in their order."""
    placed, first = [], 0
    for each in bounds[:-1]:
        last = first + each.unstable.size
        sides = each.lower.copy(), each.upper.copy()
        sides[0][each.unstable], sides[1][each.unstable] = lower[first:last], upper[first:last]
        placed.append(Interval(*sides))
        first = last
    return [*placed, bounds[-1]]
