"""Gradient attacks end in their ball, and the wide one finds what the quick one misses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from advmip.mip.bounds.balls import Ball
from advmip.mip.goals import Conjunction, untargeted
from advmip.mip.heuristics.ball_attack import attack_in_ball, spread_attack
from advmip.mip.model import Matrix, Vector

ORDERS = {"linf": np.inf, "l1": 1, "l2": 2}


def random_logits(seed: int, pixels: int, classes: int) -> torch.nn.Sequential:
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(pixels, 12), torch.nn.ReLU(), torch.nn.Linear(12, classes)
    ).double()


@pytest.mark.parametrize("norm", ORDERS)
@pytest.mark.parametrize("attack", [attack_in_ball, spread_attack])
def test_points_lie_in_the_ball_and_in_the_domain(attack, norm: str) -> None:  # type: ignore[no-untyped-def]
    images = torch.tensor([[0.0, 0.05, 0.5, 0.97, 1.0]], dtype=torch.float64)
    ball = Ball(images, 0.2, norm)
    # A goal that cannot be met keeps the search going to its end.
    goals = untargeted(0, 3, margin=1e3).cases
    points = attack(random_logits(0, 5, 3), ball, goals, seed=1)
    lengths = np.linalg.norm(points - images.numpy(), ORDERS[norm], axis=1)
    assert (lengths <= 0.2 + 1e-12).all()
    assert ((points >= 0.0) & (points <= 1.0)).all()


def test_the_same_seed_gives_the_same_points() -> None:
    ball = Ball(torch.full((1, 4), 0.5, dtype=torch.float64), 0.3, "linf")
    goals = untargeted(0, 3, margin=1e3).cases
    logits = random_logits(1, 4, 3)
    first, again, other = (spread_attack(logits, ball, goals, seed) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def met(goal: Conjunction, logits: object, points: Vector) -> bool:
    values = logits(torch.from_numpy(points)).detach().numpy()  # type: ignore[operator]
    return bool((goal.surplus(values.T) >= 0).any())


def test_a_narrow_goal_inside_the_ball_needs_short_steps() -> None:
    """Corners, which the quick attack goes from one to the next of, are all far from it."""
    target = torch.tensor([0.31, 0.72, 0.44], dtype=torch.float64)

    def logits(points: Tensor) -> Tensor:
        return torch.cat([points - target, target - points], 1)

    strip = Conjunction(Matrix(np.eye(6)), np.full(6, -0.002), np.zeros(6, bool))
    ball = Ball(torch.full((1, 3), 0.5, dtype=torch.float64), 0.5, "linf")
    assert not met(strip, logits, attack_in_ball(logits, ball, [strip], 0))
    assert any(met(strip, logits, spread_attack(logits, ball, [strip], seed)) for seed in range(5))


def test_a_region_behind_a_hollow_needs_starts_far_apart() -> None:
    """Uphill leads away from what is sought at most points of the ball: y's sum must rise first."""

    def logits(points: Tensor) -> Tensor:
        total = points.mean(1)
        slope = torch.relu(0.5 - total) * 0.1
        return torch.stack([slope + torch.relu(total - 0.9) * 50.0 - 1.0, total], 1)

    goal = Conjunction(Matrix(np.array([[1.0, 0.0]])), np.zeros(1), np.zeros(1, bool))
    ball = Ball(torch.full((1, 30), 0.5, dtype=torch.float64), 0.5, "linf")
    assert not met(goal, logits, attack_in_ball(logits, ball, [goal], 0))
    assert met(goal, logits, spread_attack(logits, ball, [goal], 0))
