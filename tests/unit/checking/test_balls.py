"""A closed ball is that of exact arithmetic, and points are rounded into it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from advmip.checking.balls import in_ball
from advmip.mip.bounds.balls import Ball
from advmip.mip.heuristics.ball_attack import moved_into_ball

NORMS = ("linf", "l1", "l2")


@pytest.mark.parametrize("norm", NORMS)
def test_the_last_digit_decides(norm: str) -> None:
    image = np.array([0.1, 0.7, 0.3])
    beside = image.copy()
    beside[1] = 0.75
    radius = 0.75 - 0.7  # exact: both lie within a factor of two of each other
    assert in_ball(image, beside, radius, norm)
    beside[1] = np.nextafter(0.75, 1.0)
    assert not in_ball(image, beside, radius, norm)


def test_sums_are_not_rounded() -> None:
    # Ten changes of a tenth are more than one, though their sum in float64 is less.
    image, other = np.zeros(10), np.full(10, 0.1)
    assert float(np.sum(np.full(10, 0.1)[:, None], axis=0)[0]) <= 1.0
    assert not in_ball(image, other, 1.0, "l1")


@pytest.mark.parametrize(
    ("norm", "radius"), list(product(NORMS, (1e-12, 1e-9, 1e-6, 1e-3, 0.1, 0.9)))
)
def test_points_are_moved_into_the_ball_and_hardly_farther(norm: str, radius: float) -> None:
    random = np.random.default_rng(0)
    order = {"linf": np.inf, "l1": 1, "l2": 2}[norm]
    for _ in range(20):
        image = random.random(50)
        image[:10] = random.integers(0, 2, 10)
        point = image + random.normal(size=50)
        moved = moved_into_ball(Ball(torch.from_numpy(image[None]), radius, norm), point)
        assert in_ball(image, moved, radius, norm)
        assert moved.min() >= 0
        assert moved.max() <= 1
        # No farther in than the last digits of fifty pixels.
        asked = min(radius, np.linalg.norm(np.clip(point, 0, 1) - image, order))
        assert np.linalg.norm(moved - image, order) >= asked * (1 - 1e-9) - 50 * 2.3e-16


def test_a_point_inside_stays_where_it_is() -> None:
    image = np.array([0.25, 0.5])
    assert np.array_equal(
        moved_into_ball(Ball(torch.from_numpy(image[None]), 0.3, "l2"), np.array([0.5, 0.5])),
        [0.5, 0.5],
    )
