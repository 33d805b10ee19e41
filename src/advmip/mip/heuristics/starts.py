"""Where to start: what gradient steps and the linear relaxation lead to."""

from __future__ import annotations

import numpy as np
import torch

from advmip.mip.bounds.balls import Ball
from advmip.mip.deadline import as_far_as, time_is_up
from advmip.mip.encoding import Interval
from advmip.mip.heuristics.ball_attack import Logits, attack_in_ball
from advmip.mip.heuristics.incumbent import Incumbent, nearest_attack, surplus_gradient
from advmip.mip.model import Vector
from advmip.mip.problem import Problem, encode

_STEPS = 60
# A radius within which gradient steps lead to an attack is known to this share.
_CLOSE = 0.95
# Where attacks are sought in balls; in L1 gradient steps for few pixels are as good and cheaper.
_BALLS = ("linf", "l2")
# In a ball this much larger than the smallest with an attack, attacks on all classes are sought.
_BESIDE = 1.3


def gradient_points(problem: Problem, count: int, seed: int) -> list[Vector]:
    """Where gradient steps lead from the image and from near it, in the best case to the goal.

    Half of the starts move every pixel by the gradient's sign, half only the two pixels of the
    largest effect; each stops as soon as it meets the goal.

    Args:
        problem: The problem.
        count: How many starts.
        seed: Of the starts.

    Returns:
        Images (pixels,).
    """
    random = np.random.default_rng(seed)
    box = problem.box
    lower, upper = problem.image + box.lower, problem.image + box.upper
    start = problem.image[:, None] + 0.05 * random.standard_normal((len(problem.image), count))
    start[:, 0] = problem.image
    points = np.clip(start, lower[:, None], upper[:, None])
    sparse = np.arange(count) >= count // 2
    for _ in range(_STEPS):
        logits, gradient = surplus_gradient(problem, points)
        going = problem.goal.surplus(logits) < 0
        if not going.any() or time_is_up():
            break
        reach = np.where(gradient > 0, upper[:, None] - points, points - lower[:, None])
        effect = np.abs(gradient) * reach
        kept = effect >= np.where(sparse, np.sort(effect, axis=0)[-2:][0], 0.0)
        step = np.where(sparse, 1.0, 0.02) * np.sign(gradient) * kept
        points = np.where(going, np.clip(points + step, lower[:, None], upper[:, None]), points)
    return list(points.T)


def attacks_in_balls(
    problem: Problem, logits: Logits, nearest: Incumbent | None, seed: int
) -> list[Vector]:
    """Perturbations (pixels,) that meet the goal: the nearest towards each of the nearest classes.

    The radius within which gradient steps lead to an attack is bisected.

    Args:
        problem: The problem; none are sought but in L-infinity and L2.
        logits: Its network.
        nearest: The nearest attack that is known.
        seed: Of the starts.
    """
    norm, image = problem.distance.name, problem.image
    if norm not in _BALLS:
        return []
    cases = problem.goal.nearest_cases(problem.network.logits(image))
    goals = [problem.goal.towards(case) for case in cases]
    images = torch.from_numpy(image[None])
    lower = torch.from_numpy(image + problem.box.lower)
    upper = torch.from_numpy(image + problem.box.upper)
    corner = np.maximum(problem.box.upper, -problem.box.lower)
    missed, met = 0.0, problem.length(corner) if nearest is None else nearest.value
    while missed < _CLOSE * met and not time_is_up():
        radius = 0.5 * (missed + met)
        points = attack_in_ball(logits, Ball(images, radius, norm, lower, upper), goals, seed)
        nearer = nearest_attack(problem, [problem.box.clipped(point - image) for point in points])
        if nearest is None and nearer is None:
            return []
        if nearer is None or nearer.value >= met:
            missed = radius
        else:
            nearest, met = nearer, nearer.value
    beside = Ball(images, _BESIDE * met, norm, lower, upper)
    points = attack_in_ball(logits, beside, goals, seed, enough=len(goals))
    changes = [problem.box.clipped(point - image) for point in points]
    return changes if nearest is None else [nearest.change, *changes]


def relaxation_optimum(problem: Problem, bounds: list[Interval]) -> list[Vector]:
    """The perturbation at the optimum of the linear relaxation, if it is found in time."""
    point = None
    with as_far_as():
        encoding = encode(problem.linear(), bounds)
        _, point = encoding.program("dual").minimise(encoding.model.objective)
    return [] if point is None else [encoding.change.values(point)]
