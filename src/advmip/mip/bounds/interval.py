"""Bounds by interval arithmetic, the first layer by the distance's own ball."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advmip.mip.encoding import Interval
from advmip.mip.model import Vector, range_over
from advmip.mip.problem import Problem
from advmip.networks.staged import AffineMap


def interval_bounds(problem: Problem) -> list[Interval]:
    """Bounds of the inputs of each layer of ReLUs, and last of the logits."""
    bounds: list[Interval] = []
    for stage in (*problem.network.hidden, problem.network.output):
        bounds.append(stage_bounds(problem, stage, bounds))
    return bounds


def stage_bounds(problem: Problem, stage: AffineMap, earlier: Sequence[Interval]) -> Interval:
    """Bounds of what enters a layer, from those of what enters the layers before it.

    What is read from the image is bounded over the ball, everything else by intervals.
    """
    lower, upper, products = stage.bias.copy(), stage.bias.copy(), np.abs(stage.bias)
    for layer, matrix in stage.terms.items():
        if layer == 0:
            weights = matrix.toarray()
            centre = weights @ problem.image
            lower += centre - problem.distance.largest(-weights, problem.box, problem.radius)
            upper += centre + problem.distance.largest(weights, problem.box, problem.radius)
            products += np.abs(weights).sum(axis=1)
            continue
        before = earlier[layer - 1]
        active = np.maximum(before.lower, 0.0), np.maximum(before.upper, 0.0)
        least, most = range_over(matrix, *active)
        lower += least
        upper += most
        products += abs(matrix) @ active[1]
    terms = sum(matrix.shape[1] for matrix in stage.terms.values())
    return Interval(*_widened(lower, upper, terms * products))


def _widened(lower: Vector, upper: Vector, products: Vector) -> tuple[Vector, Vector]:
    """A little room, and what rounding may do to sums of such absolute values."""
    room = 1e-9 * (1.0 + np.maximum(np.abs(lower), np.abs(upper)))
    room += 4.0 * np.finfo(np.float64).eps * products
    return lower - room, upper + room
