"""Points of a region that meet a goal, by gradients and from whatever a proof comes across."""

from __future__ import annotations

import time
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from advmip.mip.bounds.balls import Ball
from advmip.mip.deadline import time_is_up
from advmip.mip.goals import Goal
from advmip.mip.heuristics.ball_attack import (
    attack_in_ball,
    logits_of,
    moved_into_ball,
    spread_attack,
)
from advmip.mip.model import Indices, Vector
from advmip.mip.verification.specification import Specification

# A counterexample must meet the goal by this share of the largest output: more than float64 rounds.
_CLEAR_WIN = 1e-9
# It is sought at so many times what float32 may round.
_AMPLY = 2.0
# A gradient attack starts from what a tree comes across once in so many times.
_TIMES = 8


class Seeking:
    """The search for a counterexample in one region.

    Args:
        specification: The network, and how it is verified.
        ball: The region.
        goal: What a counterexample's outputs meet, times the factor; its margin is 0.
        factor: By which outputs are multiplied.
    """

    def __init__(self, specification: Specification, ball: Ball, goal: Goal, factor: float) -> None:
        self._specification = specification
        self._ball, self._goal, self._factor = ball, goal, factor
        self._form = specification.form.with_logits_times(factor)
        self._logits = logits_of(specification.network, factor)
        self._seed = specification.options.seed
        self._times = self._rounds = 0

    def by_gradients(self, cases: Indices, start: Vector | None = None) -> NDArray[np.float64]:
        """Where gradient attacks towards some cases end, from the centre or from a point."""
        starts = () if start is None else (start,)
        return attack_in_ball(self._logits, self._ball, self._goals(cases), self._seed, starts)

    def widely(self, cases: Indices, seconds: float) -> Vector | None:
        """A point (inputs,) that meets the goal, sought from many starts; None if none is found.

        Every call goes on from other starts.

        Args:
            cases: What to steer to.
            seconds: The processor's time after which no search from new starts begins.
        """
        found, begun = None, time.process_time()
        while found is None and time.process_time() - begun < seconds and not time_is_up():
            self._rounds += 1
            seed = self._seed + self._rounds
            points = spread_attack(self._logits, self._ball, self._goals(cases), seed)
            found = self._clearest(points)
        return found

    def clear(self, points: NDArray[np.float64] | list[Vector], cases: Indices) -> Vector | None:
        """The point (inputs,) that meets the goal by most, moved into the region; None if none.

        Where it does not meet it clearly in float32, a gradient attack goes on from there.

        Args:
            points: Some points (N, inputs).
            cases: What to steer to.
        """
        best = self._clearest(points)
        if best is None or self._surplus(best) > self._extra_margin:
            return best
        return self._clearest([best, *self.by_gradients(cases, best)])

    def near(self, points: Vector, cases: Indices) -> Vector | None:
        """One of the points (N, inputs) of a tree that meets the goal, or one near; None if none.

        A gradient attack from the best of them is dear, so only some calls make one.
        """
        found = self._clearest(points)
        self._times += 1
        if found is None and self._times % _TIMES == 0:
            inside = self._inside(points)
            best = inside[np.argmax(self._goal.surplus(self._form.logits(inside.T)))]
            found = self._clearest(self.by_gradients(cases, best))
        return found

    def _goals(self, cases: Indices) -> list[Goal]:
        wanted = self._goal.with_margin(self._extra_margin)
        return [wanted.cases[case] for case in cases]

    def _inside(self, points: Vector) -> Vector:
        return np.asarray(self._ball.retracted(torch.from_numpy(points)[None])[0].numpy())

    @cached_property
    def _extra_margin(self) -> float:
        """By how much a point near the centre should exceed the goal, to be clear of rounding."""
        shaped = self._ball.images[0].numpy().reshape(self._form.input_shape)
        return _AMPLY * self._specification.replay.rounding(
            shaped, lambda outputs: float(self._goal.surplus(outputs * self._factor))
        )

    def _surplus(self, point: Vector) -> float:
        return float(self._goal.surplus(self._form.logits(point)))

    def _clearest(self, points: NDArray[np.float64] | list[Vector]) -> Vector | None:
        """The point (inputs,) that meets the goal by most, moved into the region; None if none."""
        if not len(points):
            return None
        inside = self._inside(np.asarray(points))
        surpluses = self._goal.surplus(self._form.logits(inside.T))
        for place in np.argsort(surpluses)[::-1]:
            if surpluses[place] <= 0:
                break
            moved = moved_into_ball(self._ball, inside[place])
            largest = float(np.abs(self._form.logits(moved)).max())
            if self._surplus(moved) > _CLEAR_WIN * largest:
                return moved
        return None
