"""What a distance has to say of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np

from advmip.mip.model import Expression, Model, ModelBuilder, Vector
from advmip.mip.solvers.linear_program import LinearProgram


@dataclass(frozen=True)
class Box:
    """The perturbations that are allowed: lower <= d <= upper, with lower <= 0 <= upper.

    Attributes:
        lower: Per pixel (pixels,).
        upper: Per pixel (pixels,).
        shape: The image's shape (channels, height, width).
    """

    lower: Vector
    upper: Vector
    shape: tuple[int, ...]

    @staticmethod
    def around(image: Vector, shape: tuple[int, ...]) -> Box:
        """All that keeps the image (pixels,) in [0, 1]."""
        return Box(-image, 1.0 - image, shape)

    def within(self, radius: float) -> Box:
        """The part with |d_i| <= radius for every pixel."""
        lower, upper = np.maximum(self.lower, -radius), np.minimum(self.upper, radius)
        return Box(lower, upper, self.shape)

    def reach(self, weights: Vector) -> Vector:
        """How far each pixel can go in the direction that increases weights (rows, pixels)."""
        return np.where(weights > 0, self.upper, -self.lower)


class Distance(ABC):
    """A measure of a perturbation, as a part of a model and as a set to bound neurons over.

    A model minimises an objective that increases with the distance; for the Euclidean distance it
    is the square.

    Attributes:
        name: Its name in settings and rows.
        sparse: Whether the change is written in columns >= 0, most of which the nearest change
            leaves at 0, and whose sum the distance is not below.
    """

    name: str
    sparse = False

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
        return LinearProgram(model, simplex)

    def encode_ball(self, builder: ModelBuilder, box: Box, radius: float) -> Expression:
        """Add the perturbation's columns, and keep it within a radius, at no cost.

        A relaxation for linear programs: it may hold more than the ball.

        Returns:
            The perturbation (pixels,) in those columns.
        """
        change = self.encode(builder, box)
        builder.limit_objective(self.objective(radius))
        return change

    @abstractmethod
    def largest(self, weights: Vector, box: Box, radius: float) -> Vector:
        """Upper bounds of weights @ d over all d in the box at most `radius` away.

        Args:
            weights: Linear forms (rows, pixels).
            box: Where d may be.
            radius: The largest distance, infinite for the whole box.

        Returns:
            A bound per row; exact for L1, L-infinity, L0 and L2.
        """

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


def change_within(builder: ModelBuilder, box: Box) -> Expression:
    """One column without cost for the change of each pixel (pixels,)."""
    return Expression.of(builder.add_columns(len(box.lower), box.lower, box.upper))


def interval_largest(weights: Vector, box: Box) -> Vector:
    """The largest value of weights @ d over the whole box, per row."""
    return np.asarray((np.abs(weights) * box.reach(weights)).sum(axis=1))
