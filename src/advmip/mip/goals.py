"""What an attack wants of the logits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from advmip.mip.encoding import Interval
from advmip.mip.formulations.maximum import add_maximum
from advmip.mip.model import Expression, Flags, Indices, Matrix, ModelBuilder, Vector


class Goal(ABC):
    """A condition on the logits.

    Attributes:
        margin: By how much the attacker must win, above 0.
    """

    margin: float

    @property
    def conditions(self) -> tuple[Matrix, Vector]:
        """A matrix to sides of the logits, and what each must reach; none if it is no such set."""
        return Matrix((0, 0)), np.zeros(0)

    @abstractmethod
    def encode(
        self,
        builder: ModelBuilder,
        logits: Expression,
        bounds: Interval,
        shortfall: Expression | None = None,
    ) -> None:
        """Add the condition's rows.

        Args:
            builder: Takes the rows.
            logits: The logits (classes,).
            bounds: Bounds of the logits.
            shortfall: A single expression by which every side may fall short.
        """

    def encode_maximum(self, builder: ModelBuilder, logits: Expression, bounds: Interval) -> None:
        """Add the condition on the largest of the classes that may win; if it is one, its rows.

        Args:
            builder: Takes columns and rows.
            logits: The logits (classes,).
            bounds: Bounds of the logits, finite.
        """
        self.encode(builder, logits, bounds)

    @abstractmethod
    def surplus(self, logits: Vector) -> Vector:
        """By how much logits (classes,) or (classes, N) exceed what is asked; met from 0 on."""

    @abstractmethod
    def gradient(self, logits: Vector) -> Vector:
        """The gradient (classes, N) of the surplus with respect to logits (classes, N)."""

    def towards(self, rival: int) -> Goal:
        """The part of the condition in which this class wins; itself if there are no others."""
        return self

    @abstractmethod
    def with_margin(self, margin: float) -> Goal:
        """The condition with another margin."""

    @abstractmethod
    def rivals(self, logits: Vector) -> list[int]:
        """The classes that may win for the attacker, the nearest to it by logits (classes,) first.

        A point meets the condition exactly if it does so `towards` one of them.
        """

    def rival(self, logits: Vector) -> int:
        """The class that wins for the attacker, or comes nearest to it."""
        return self.rivals(logits)[0]


class NoGoal(Goal):
    """Every point will do: to bound neurons before there is a goal."""

    margin = 0.0

    def encode(
        self,
        builder: ModelBuilder,
        logits: Expression,
        bounds: Interval,
        shortfall: Expression | None = None,
    ) -> None:
        """No rows."""

    def surplus(self, logits: Vector) -> Vector:
        """Always met."""
        return np.full(logits.shape[1:], np.inf)

    def gradient(self, logits: Vector) -> Vector:
        """Nowhere."""
        return np.zeros_like(logits)

    def with_margin(self, margin: float) -> Goal:
        """The condition itself."""
        return self

    def rivals(self, logits: Vector) -> list[int]:
        """All classes."""
        return [int(rival) for rival in np.argsort(-logits)]


@dataclass(frozen=True)
class Targeted(Goal):
    """The logit o_t of one class beats other classes j, and no class is above it.

        o_t >= ratio * o_j + margin  for beaten j,   o_t >= o_j  for the others,
        and, if the ratio is not 1,  o_t >= margin.

    Zhu's equation (15) asks x_t >= 1.2 x_j of x = max(o, 0). With o_t above 0, x_t = o_t, and
    x_t >= ratio * x_j is the same as o_t >= ratio * o_j; no output needs a binary, and "all
    outputs 0", which would satisfy (15), is excluded by the margin.

    Attributes:
        target: The class t.
        classes: How many classes there are.
        ratio: The factor, at least 1.
        margin: By how much it must win, above 0.
        beaten: The one class that it must beat so; every other one if left out.
    """

    target: int
    classes: int
    ratio: float = 1.0
    margin: float = 1e-6
    beaten: int | None = None

    @property
    def _must_win(self) -> Flags:
        """Which sides (classes,) ratio and margin apply to; o_t alone stands in its own place."""
        if self.beaten is None:
            return np.ones(self.classes, bool)
        return np.isin(np.arange(self.classes), (self.beaten, self.target))

    @cached_property
    def conditions(self) -> tuple[Matrix, Vector]:
        """A matrix to the sides o_t - ratio * o_j and o_t, and what each must reach."""
        rows = -np.diag(np.where(self._must_win, self.ratio, 1.0))
        rows[:, self.target] += 1.0
        rows[self.target] = 0.0
        rows[self.target, self.target] = 1.0
        asked = np.where(self._must_win, self.margin, 0.0)
        kept = (np.arange(self.classes) != self.target) | (self.ratio != 1.0)
        return Matrix(rows[kept]), asked[kept]

    def encode(
        self,
        builder: ModelBuilder,
        logits: Expression,
        bounds: Interval,
        shortfall: Expression | None = None,
    ) -> None:
        """One row for each other class."""
        matrix, asked = self.conditions
        builder.add_rows(_eased(logits.mapped(matrix), shortfall), lower=asked)

    def surplus(self, logits: Vector) -> Vector:
        """The least of what the sides have over what they must reach."""
        return np.asarray(self._surpluses(logits).min(axis=0))

    def gradient(self, logits: Vector) -> Vector:
        """That of the least side."""
        matrix, _ = self.conditions
        return np.asarray(matrix[self._surpluses(logits).argmin(axis=0)].toarray().T)

    def _surpluses(self, logits: Vector) -> Vector:
        """What each side has over what it must reach."""
        matrix, asked = self.conditions
        return np.asarray(((matrix @ logits).T - asked).T)

    def with_margin(self, margin: float) -> Targeted:
        """The condition with another margin."""
        return replace(self, margin=margin)

    def rivals(self, logits: Vector) -> list[int]:
        """The target."""
        return [self.target]


@dataclass(frozen=True)
class Untargeted(Goal):
    """Some other class j beats the true class y.

        o_j >= ratio * o_y + margin  for one j   (and o_j >= margin if the ratio is not 1).

    A binary s_j for each class says which:  o_j - ratio * o_y - margin >= -M_j (1 - s_j).

    Attributes:
        label: The true class y.
        classes: How many classes there are.
        ratio: The factor, at least 1.
        margin: By how much it must win, above 0.
    """

    label: int
    classes: int
    ratio: float = 1.0
    margin: float = 1e-6

    @property
    def _others(self) -> Indices:
        return np.delete(np.arange(self.classes), self.label)

    def encode(
        self,
        builder: ModelBuilder,
        logits: Expression,
        bounds: Interval,
        shortfall: Expression | None = None,
    ) -> None:
        """A binary and a row or two for each class that the bounds do not exclude."""
        weights = np.eye(self.classes)
        weights[:, self.label] -= self.ratio
        others = self._others
        binaries = builder.add_binaries(len(others))
        chosen = Expression.of(binaries)
        builder.add_rows(chosen.mapped(Matrix(np.ones((1, len(others))))), 1.0, 1.0)
        sides = [(logits.mapped(Matrix(weights[others])), self._least(bounds)[others])]
        if self.ratio != 1.0:
            sides.append((logits[others], bounds.lower[others]))
        for side, least in sides:
            # side >= margin if chosen, and at its least otherwise.
            big_m = np.maximum(self.margin - least, 0.0)
            eased = _eased(side, shortfall)
            if np.isfinite(big_m).all():
                builder.add_rows(eased - chosen.times(big_m), lower=self.margin - big_m)
            else:
                builder.add_indicators(binaries, True, -eased + self.margin)

    def encode_maximum(self, builder: ModelBuilder, logits: Expression, bounds: Interval) -> None:
        """max_j o_j >= ratio * o_y + margin  (and max_j o_j >= margin if the ratio is not 1)."""
        others = self._others
        largest = add_maximum(builder, logits[others], bounds.lower[others], bounds.upper[others])
        beaten = logits[np.array([self.label])].times(self.ratio)
        builder.add_rows(largest - beaten, lower=self.margin)
        if self.ratio != 1.0:
            builder.add_rows(largest, lower=self.margin)

    def _least(self, bounds: Interval) -> Vector:
        """The least o_j - ratio * o_y that the bounds allow."""
        return np.asarray(bounds.lower - self.ratio * bounds.upper[self.label])

    def surplus(self, logits: Vector) -> Vector:
        """What the best other class has over the true one, less the margin."""
        sides = logits[self._others] - self.ratio * logits[self.label]
        if self.ratio != 1.0:
            sides = np.minimum(sides, logits[self._others])
        return np.asarray(sides.max(axis=0) - self.margin)

    def gradient(self, logits: Vector) -> Vector:
        """Up the best other class, down the true one."""
        others = self._others
        weights = np.zeros_like(logits)
        weights[others[logits[others].argmax(axis=0)], np.arange(logits.shape[1])] = 1.0
        weights[self.label] = -self.ratio
        return weights

    def towards(self, rival: int) -> Targeted:
        """One other class beats the true one, and is the largest of all.

        That asks nothing more: if any other class beats the true one, then so does the largest.
        """
        return Targeted(rival, self.classes, self.ratio, self.margin, beaten=self.label)

    def with_margin(self, margin: float) -> Untargeted:
        """The condition with another margin."""
        return replace(self, margin=margin)

    def rivals(self, logits: Vector) -> list[int]:
        """All classes but the true one."""
        others = self._others
        return [int(rival) for rival in others[np.argsort(-logits[others])]]


def _eased(sides: Expression, shortfall: Expression | None) -> Expression:
    return sides if shortfall is None else sides + shortfall.repeated(len(sides))
