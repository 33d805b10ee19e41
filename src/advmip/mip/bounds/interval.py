"""Bounds by interval arithmetic, the first layer by the distance's own ball."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advmip.mip.deadline import time_is_up
from advmip.mip.encoding import Interval
from advmip.mip.model import Matrix, Vector, range_over
from advmip.mip.problem import Problem
from advmip.networks.staged import AffineMap

# Rows are bounded over the ball in portions of at most so many numbers.
_PORTION = 2**20


def interval_bounds(problem: Problem) -> list[Interval]:
    """Bounds of the inputs of each layer of ReLUs, and last of the logits."""
    bounds: list[Interval] = []
    for stage in (*problem.network.hidden, problem.network.output):
        bounds.append(stage_bounds(problem, stage, bounds))
    return bounds


def stage_bounds(problem: Problem, stage: AffineMap, earlier: Sequence[Interval]) -> Interval:
    """Bounds of what enters a layer, from those of what enters the layers before it.

    What is read from the image is bounded over the ball, everything else by intervals. Out of time,
    the ball is the box around it.
    """
    lower, upper, products = stage.bias.copy(), stage.bias.copy(), np.abs(stage.bias)
    for layer, matrix in stage.terms.items():
        if layer == 0:
            absolute = Matrix((np.abs(matrix.data), matrix.indices, matrix.indptr), matrix.shape)
            least, most = _over_ball(problem, matrix, absolute)
            lower += least
            upper += most
            products += absolute @ np.ones(len(problem.image))
            continue
        before = earlier[layer - 1]
        active = np.maximum(before.lower, 0.0), np.maximum(before.upper, 0.0)
        least, most = range_over(matrix, *active)
        lower += least
        upper += most
        products += abs(matrix) @ active[1]
    terms = sum(matrix.shape[1] for matrix in stage.terms.values())
    return Interval(*_widened(lower, upper, terms * products))


def _over_ball(problem: Problem, matrix: Matrix, absolute: Matrix) -> tuple[Vector, Vector]:
    """The least and the largest values (rows,) of a matrix times the images of a problem.

    Args:
        problem: The problem.
        matrix: The matrix (rows, pixels).
        absolute: Its absolute values.
    """
    centre, box, radius = matrix @ problem.image, problem.box, problem.radius
    portion = max(1, _PORTION // matrix.shape[1])
    fall, rise = np.empty_like(centre), np.empty_like(centre)
    for start in range(0, len(centre), portion):
        rows = slice(start, start + portion)
        if time_is_up():
            moved = (matrix @ (0.5 * (box.upper + box.lower)))[start:]
            reach = (absolute @ (0.5 * (box.upper - box.lower)))[start:]
            fall[start:], rise[start:] = moved - reach, moved + reach
            break
        weights = matrix[rows].toarray()
        fall[rows] = -problem.distance.largest(-weights, box, radius)
        rise[rows] = problem.distance.largest(weights, box, radius)
    return centre + fall, centre + rise


def _widened(lower: Vector, upper: Vector, products: Vector) -> tuple[Vector, Vector]:
    """A little slack, and what rounding may do to sums of such absolute values."""
    slack = 1e-9 * (1.0 + np.maximum(np.abs(lower), np.abs(upper)))
    slack += 4.0 * np.finfo(np.float64).eps * products
    return lower - slack, upper + slack
