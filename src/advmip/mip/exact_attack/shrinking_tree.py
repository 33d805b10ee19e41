"""The proof that no attack is nearer, by a tree over signs in the ball of the best attack.

What is excluded in a ball is excluded in a smaller one: when a nearer attack is found, the ball
shrinks and the tree goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from advmip.mip.bounds.balls import Ball
from advmip.mip.bounds.lines import Sides
from advmip.mip.bounds.operators import matrix_stages
from advmip.mip.encoding import Interval
from advmip.mip.model import Vector
from advmip.mip.problem import Problem
from advmip.mip.verification_tree import Asked, SignTree

# By which balls are larger than asked, so that rounding leaves no point out.
_ROUNDED = 1.0 + 1e-12


class ShrinkingTree:
    """A tree under way.

    Args:
        problem: The problem, in L-infinity, within a radius that its neurons are bounded for.
        bounds: Those bounds.
        cases: The cases of the goal that are to be excluded.

    Attributes:
        radius: Attacks are excluded so near or nearer.
        nodes: How many were bounded.
        settled: Whether all are excluded.
    """

    def __init__(self, problem: Problem, bounds: Sequence[Interval], cases: Sequence[int]) -> None:
        self._problem = problem
        self.radius = problem.radius
        self.nodes, self.settled = 0, False
        alive = [np.flatnonzero(each.upper > 0) for each in bounds[:-1]]
        form = problem.network.keeping(alive)
        sides = [
            Sides(
                torch.from_numpy(each.lower[kept])[None], torch.from_numpy(each.upper[kept])[None]
            )
            for each, kept in zip(bounds, alive, strict=False)
        ]
        self._tree = SignTree(
            matrix_stages(form),
            matrix_stages(form, torch.float32),
            self._ball(),
            sides,
            Asked.of(problem.goal, cases),
            self._met,
        )

    @property
    def ended(self) -> bool:
        """Whether nothing is left to be split."""
        return self._tree.ended

    def run(self, turn: float = np.inf) -> Vector | None:
        """Go on for so many seconds, or to an attack (pixels,) within the radius."""
        found = self._tree.run(turn)
        self.nodes += found.nodes
        self.settled = bool((found.margins > 0).all())
        return None if found.point is None else found.point - self._problem.image

    def shrink(self, radius: float) -> None:
        """Go on within a smaller radius."""
        self.radius = radius
        self._tree.within(self._ball())

    def _ball(self) -> Ball:
        image, box = self._problem.image, self._problem.box
        sides = (torch.from_numpy(image + side) for side in (box.lower, box.upper))
        return Ball(torch.from_numpy(image)[None], self.radius * _ROUNDED, "linf", *sides)

    def _met(self, points: Vector) -> Vector | None:
        """The point (pixels,) of some (N, pixels) that meets the goal by most; None if none."""
        problem = self._problem
        changes = problem.box.within(self.radius).clipped(points - problem.image)
        surpluses = problem.goal.surplus(problem.network.logits((problem.image + changes).T))
        best = int(np.argmax(surpluses))
        return problem.image + changes[best] if surpluses[best] > 0 else None
