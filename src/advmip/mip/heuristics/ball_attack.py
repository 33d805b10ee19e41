"""A quick gradient attack inside a ball of any norm, before anything is proved."""

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


def logits_of(network: Network, factor: float) -> Logits:
    """A network's logits, multiplied by a factor, at flattened images."""

    def run(points: Tensor) -> Tensor:
        images = points.reshape(-1, *network.architecture.input_shape).to(network.mean)
        logits: Tensor = network(images)
        return logits.cpu().double() * factor

    return run


@torch.enable_grad()
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
        points.requires_grad_()
        values = logits(points)
        found = values.detach().numpy().T
        weights, met = np.empty_like(found), 0
        for place, goal in enumerate(goals):
            steered = slice(place, None, len(goals))
            weights[:, steered] = goal.gradient(found[:, steered])
            met += bool((goal.surplus(found[:, steered]) >= 0).any())
        if met >= enough or time_is_up():
            break
        aim = (values * torch.from_numpy(weights.T)).sum()
        (gradient,) = torch.autograd.grad(aim, points)
        points = points.detach()
        best = ball.minimisers(-gradient[None])[0]
        points = points + 2.0 / (step + 2.0) * (best - points)
    return np.asarray(points.detach().numpy())


def scaled_into_ball(ball: Ball, points: Vector) -> Vector:
    """Points (N, pixels) moved towards the image of a ball, into it, up to rounding."""
    image = ball.images[0].numpy()
    changes = _in_domain(ball, points) - image
    lengths = np.linalg.norm(changes, _ORDERS[ball.norm], axis=1, keepdims=True)
    return np.asarray(image + changes * np.minimum(1.0, ball.radius / np.maximum(lengths, _TINY)))


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
