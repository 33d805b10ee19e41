"""What a distance has to say of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import numpy as np

from advmip.mip.distances.absolute_values import AbsoluteValues
from advmip.mip.distances.box import Box
from advmip.mip.model import Expression, Model, ModelBuilder, Vector
from advmip.mip.programs.linear_program import LinearProgram
from advmip.mip.programs.sifting import SiftedProgram


class Distance(ABC):
    """A measure of a perturbation, as a part of a model and as a set to bound neurons over.

    A model minimises an objective that increases with the distance; for the Euclidean distance it
    is the square.

    Attributes:
        name: Its name in settings and rows.
        sparse: Whether the change is written in columns >= 0, most of which the nearest change
            leaves at 0, and whose sum the distance is not below.
        resting: Whether the columns of the change are at least 0 and rest there, outside the linear
            programs, until they are wanted.
        closed_form: Whether `largest` is exact, so that no program over the ball alone says more.
        counting: Whether it is a number of pixels, so that its linear relaxation is far below it.
    """

    name: str
    sparse = False
    resting = False
    closed_form = True
    counting = False

    @abstractmethod
    def value(self, perturbation: Vector, box: Box) -> float:
        """The distance of a perturbation (pixels,)."""

    @abstractmethod
    def encode(self, builder: ModelBuilder, box: Box) -> Expression:
        """Add the perturbation's columns, and the distance to the objective.

        Returns:
            The perturbation (pixels,) in those columns.
        """

    def program(
        self, model: Model, change: Expression, box: Box, simplex: Literal["primal", "dual"]
    ) -> LinearProgram:
        """The relaxation of a model as a linear program, from solve to solve.

        Args:
            model: A model whose first columns are those of `encode`.
            change: What `encode` gave.
            box: Where it was told that changes may be.
            simplex: The simplex method.
        """
        if self.resting:
            return SiftedProgram(model, simplex, np.unique(change.matrix.indices))
        return LinearProgram(model, simplex)

    def encode_ball(
        self, builder: ModelBuilder, box: Box, radius: float
    ) -> tuple[Expression, Expression]:
        """Add the perturbation's columns, and keep it within a radius, at no cost.

        A relaxation for linear programs: it may hold more than the ball.

        Returns:
            The perturbation (pixels,) in those columns, and the objective (1,) that the radius
            limits; zero if the ball is kept in another way.
        """
        change = self.encode(builder, box)
        return change, builder.limit_objective(self.objective(radius))

    @abstractmethod
    def largest(self, weights: Vector, box: Box, radius: float) -> Vector:
        """Upper bounds of weights @ d over all d in the box at most `radius` away.

        Args:
            weights: Linear forms (rows, pixels).
            box: Where d may be.
            radius: The largest distance, infinite for the whole box.

        Returns:
            A bound per row; exact if the distance is `closed_form`.
        """

    def absolute_values(self, box: Box) -> AbsoluteValues | None:
        """The absolute values that the distance sums up over a box; None if it is no such sum."""
        return None

    @property
    def linear(self) -> Distance:
        """A distance like it, for searches by linear programs; itself if it is linear."""
        return self

    @property
    def sifted(self) -> Distance:
        """The same distance as our own linear programs take it, where most columns can rest."""
        return self

    def shrunken(self, box: Box, radius: float) -> Box:
        """A smaller box that holds every d of the box at most `radius` away."""
        return box.within(radius)

    def objective(self, distance: float) -> float:
        """The objective at a distance."""
        return distance

    def distance(self, objective: float) -> float:
        """The distance at an objective; the inverse of `objective`."""
        return objective

    def cutoff(self, radius: float, gap: float) -> float:
        """The objective that an attack must stay below to be nearer than `radius` by the gap."""
        return self.objective(radius) * (1.0 - gap)

    def grown(self, radius: float, factor: float) -> float:
        """The radius of a ball that is larger by a factor."""
        return factor * radius

    def over(self, width: float) -> Distance:
        """The same distance where inputs may differ by so much: of a domain wider than [0, 1]."""
        return self


def interval_largest(weights: Vector, box: Box) -> Vector:
    """The largest value of weights @ d over the whole box, per row."""
    return np.asarray((np.abs(weights) * box.reach(weights)).sum(axis=1))
