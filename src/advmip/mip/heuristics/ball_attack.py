"""Gradient attacks inside a ball of any norm: a quick one, and one that takes its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from advmip.checking.balls import in_ball
from advmip.mip.bounds.balls import Ball
from advmip.mip.deadline import time_is_up
from advmip.mip.goals import Goal
from advmip.mip.model import Vector
from advmip.networks.network import Network

# Logits (N, classes) of points (N, pixels) in float64, differentiable.
Logits = Callable[[Tensor], Tensor]

_ORDERS = {"linf": np.inf, "l1": 1, "l2": 2}
_TINY = float(np.finfo(float).tiny)

_STEPS = 40
_STARTS = 3

# The attack that takes its time: the fewest and the most points, of about so many numbers, the
# steps that spread and that steer them, and how long these are, as shares of the ball's width:
# those that steer are between two.
_FEWEST, _MOST, _NUMBERS = 32, 1024, 2**15
_SPREADING, _STEERING = 10, 100
_LONG, _SHORT, _SHORTEST = 0.5, 0.2, 0.01
_MOMENTUM = 0.9


def logits_of(network: Network, factor: float) -> Logits:
    """A network's logits, multiplied by a factor, at flattened images."""

    def run(points: Tensor) -> Tensor:
        images = points.reshape(-1, *network.architecture.input_shape).to(network.mean)
        logits: Tensor = network(images)
        return logits.cpu().double() * factor

    return run


def attack_in_ball(
    logits: Logits,
    ball: Ball,
    goals: Sequence[Goal],
    seed: int,
    starts: Sequence[Vector] = (),
    enough: int = 1,
) -> Vector:
    """Points of a ball where a gradient search ends, in the best case ones that meet a goal.

    Frank & Wolfe's steps: each goes towards the ball's point that is best by the gradient, which
    needs no projection and is a corner of the ball. Every goal is steered to from the image, or
    from points that are given, and from random corners; all stop as soon as enough are, or the time
    is up.

    Args:
        logits: The network.
        ball: The ball around one image.
        goals: What to steer to, each towards one class.
        seed: Of the starts.
        starts: Points (pixels,) of the ball in place of the image.
        enough: How many goals must be met, each by one of its points.

    Returns:
        Points (N, pixels) in the ball, up to rounding.
    """
    random = torch.Generator().manual_seed(seed)
    count, pixels = len(goals) * _STARTS, ball.images.shape[1]
    corners = torch.randn(1, count, pixels, generator=random, dtype=torch.float64)
    points = ball.minimisers(corners)[0]
    points[: len(goals)] = ball.images
    if len(starts):
        chosen = np.resize(np.asarray(starts), (count, pixels))
        points = torch.from_numpy(chosen).clone()
    for step in range(_STEPS):
        gradient, met = _uphill(logits, points, goals)
        if met >= enough or time_is_up():
            break
        best = ball.minimisers(-gradient[None])[0]
        points = points + 2.0 / (step + 2.0) * (best - points)
    return np.asarray(points.numpy())


def spread_attack(logits: Logits, ball: Ball, goals: Sequence[Goal], seed: int) -> Vector:
    """Points of a ball where a search from many starts ends, half of them far apart.

    Starts are random points; every other one is first moved to where a random sum of the outputs is
    large (Tashiro et al. 2020, output diversified sampling), past flat regions that all others end
    in. Steps have momentum (Dong et al. 2018) and grow shorter.

    Args:
        logits: As for `attack_in_ball`, as are the others.
        ball: See there.
        goals: See there.
        seed: See there.

    Returns:
        Points (N, pixels) in the ball, up to rounding.
    """
    random = torch.Generator().manual_seed(seed)
    pixels = ball.images.shape[1]
    many = min(max(_NUMBERS // pixels, _FEWEST), _MOST)
    count = max(1, many // len(goals)) * len(goals)
    lower, upper = ball.box
    share = torch.rand(count, pixels, generator=random, dtype=torch.float64)
    points = ball.retracted((ball.images + lower + (upper - lower) * share)[None])[0]
    spread = (torch.arange(count) // len(goals) % 2 == 0)[:, None]
    outputs = goals[0].stacked[0].shape[1]
    aims = torch.rand(count, outputs, generator=random, dtype=torch.float64) * 2.0 - 1.0
    # As wide as the ball to both sides, wherever a point is.
    half = 0.5 * (upper - lower)
    widest = Ball(torch.zeros_like(half), ball.radius, ball.norm, -half, half)
    for _ in range(_SPREADING):
        if time_is_up():
            break
        gradient = _gradient(logits, points, lambda _: aims)
        moved = points + 2.0 * _LONG * widest.minimisers(-gradient[None])
        points = torch.where(spread, ball.retracted(moved)[0], points)
    momentum = torch.zeros_like(points)
    exponents = torch.rand(count, 1, generator=random, dtype=torch.float64)
    lengths = 2.0 * _SHORT * (_SHORTEST / _SHORT) ** exponents
    for step in range(_STEERING):
        gradient, met = _uphill(logits, points, goals)
        if met or time_is_up():
            break
        size = gradient.abs().sum(1, keepdim=True).clamp(min=_TINY)
        momentum = _MOMENTUM * momentum + gradient / size
        length = lengths * (1.0 - step / _STEERING)
        moved = points + length * widest.minimisers(-momentum[None])
        points = ball.retracted(moved)[0]
    return np.asarray(points.numpy())


def _uphill(logits: Logits, points: Tensor, goals: Sequence[Goal]) -> tuple[Tensor, int]:
    """The gradient of what each point has over its goal, and how many goals are met.

    The k-th point (of N, pixels) is steered to goal k, modulo their number.
    """
    met = 0

    def weights(values: Tensor) -> Tensor:
        nonlocal met
        outputs = values.numpy().T
        found = np.empty_like(outputs)
        for place, goal in enumerate(goals):
            steered = slice(place, None, len(goals))
            found[:, steered] = goal.gradient(outputs[:, steered])
            met += bool((goal.surplus(outputs[:, steered]) >= 0).any())
        return torch.from_numpy(found.T)

    return _gradient(logits, points, weights), met


@torch.enable_grad()
def _gradient(logits: Logits, points: Tensor, weights: Callable[[Tensor], Tensor]) -> Tensor:
    """The gradient (N, pixels) of sums of logits, whose weights (N, classes) hang on the logits."""
    points = points.detach().requires_grad_()
    values = logits(points)
    (gradient,) = torch.autograd.grad((values * weights(values.detach())).sum(), points)
    return gradient


def moved_into_ball(ball: Ball, point: Vector) -> Vector:
    """A point (pixels,) moved towards the image of a ball, into it, without rounding.

    It lies there in exact arithmetic: sums are rounded towards the image.
    """
    image, radius, norm = ball.images[0].numpy(), ball.radius, ball.norm
    change = _in_domain(ball, point) - image
    change *= min(1.0, radius / max(float(np.linalg.norm(change, _ORDERS[norm])), _TINY))
    shrinking = float(np.finfo(float).eps)
    while True:
        moved = _in_domain(ball, _rounded_towards(image, change))
        if in_ball(image, moved, radius, norm):
            return moved
        change *= 1.0 - shrinking
        shrinking = min(2.0 * shrinking, 1.0)


def _in_domain(ball: Ball, points: Vector) -> Vector:
    return np.clip(points, np.asarray(ball.lower), np.asarray(ball.upper))


def _rounded_towards(image: Vector, change: Vector) -> Vector:
    """The sum of an image and a change (pixels,), each rounded towards the image."""
    total = image + change
    added = total - image
    # What the sum was rounded by (Knuth): where it went too far, it is a last digit less.
    rest = (image - (total - added)) + (change - added)
    return np.where(rest * change < 0, np.nextafter(total, image), total)
