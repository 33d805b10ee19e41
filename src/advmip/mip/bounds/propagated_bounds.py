"""Bounds of a problem's neurons by linear forms, before any program."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from advmip.mip.bounds.interval import interval_bounds
from advmip.mip.bounds.linear import LinearBounds
from advmip.mip.bounds.operators import matrix_stages
from advmip.mip.encoding import Interval
from advmip.mip.goals import Conjunction, Goal
from advmip.mip.problem import Problem


class PropagatedBounds:
    """Bounds that hold for every point within a problem's radius, whatever its goal, by forms.

    Intervals bound every neuron, and linear forms (`bounds.linear`) those whose sign is left open,
    as far as there is time.

    Args:
        problem: The problem.

    Attributes:
        radius: The problem's radius.
        intervals: Bounds of what enters each layer of ReLUs, and last of the logits.
    """

    @torch.no_grad()
    def __init__(self, problem: Problem) -> None:
        self.radius = problem.radius
        self._linear = LinearBounds(matrix_stages(problem.network), _Reach(problem))
        self.intervals = [
            interval.intersected(Interval(sides.lower[0].numpy(), sides.upper[0].numpy()))
            for interval, sides in zip(
                interval_bounds(problem), self._linear.by_forms(), strict=True
            )
        ]

    @torch.no_grad()
    def excludes(self, goal: Goal) -> bool:
        """Whether it is proved that no point within the radius meets a goal."""
        return all(self._excludes(case) for case in goal.cases)

    def _excludes(self, case: Conjunction) -> bool:
        sides = torch.from_numpy(-case.matrix.toarray())[None]
        most = -self._linear.forms(sides).least[0].numpy() if len(case.sides) else np.empty(0)
        return bool((most < case.sides).any())


class _Reach:
    """The points of a problem within its radius, as a set to bound linear forms over.

    Every distance bounds a form in closed form: no norm is needed.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        box = problem.box
        self.images = torch.from_numpy(problem.image[None])
        self.box = torch.from_numpy(box.lower[None]), torch.from_numpy(box.upper[None])

    def least(self, coefficients: Tensor) -> Tensor:
        """Lower bounds (1, S) of linear forms (1, S, pixels)."""
        problem, forms = self._problem, coefficients[0].numpy()
        farthest = problem.distance.largest(-forms, problem.box, problem.radius)
        return torch.from_numpy(forms @ problem.image - farthest)[None]
