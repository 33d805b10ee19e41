"""What an attack wants of the outputs: linear conditions that all hold, in one of several cases."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from advmip.mip.encoding import Interval
from advmip.mip.formulations.maximum import add_maximum
from advmip.mip.model import Expression, Flags, Indices, Matrix, ModelBuilder, Vector
from advmip.properties import Case


class Goal(ABC):
    """A condition on the outputs.

    Attributes:
        margin: By how much the attacker must win, above 0.
        name: What a point that meets it is said to be.
        cases: What it consists of: it is met exactly if one of them is.
    """

    margin: float
    name: str
    cases: Sequence[Conjunction]

    @abstractmethod
    def encode(
        self,
        builder: ModelBuilder,
        outputs: Expression,
        bounds: Interval,
        shortfall: Expression | None = None,
    ) -> None:
        """Add the condition's rows.

        Args:
            builder: Takes the rows.
            outputs: The outputs (outputs,).
            bounds: Bounds of the outputs.
            shortfall: A single expression by which every side may fall short.
        """

    def encode_maximum(self, builder: ModelBuilder, outputs: Expression, bounds: Interval) -> None:
        """Add the condition on the largest of the cases' sides; if there is one case, its rows.

        Args:
            builder: Takes columns and rows.
            outputs: The outputs (outputs,).
            bounds: Bounds of the outputs, finite.
        """
        self.encode(builder, outputs, bounds)

    @abstractmethod
    def surpluses(self, outputs: Vector) -> Vector:
        """What outputs (outputs,) or (outputs, N) have over what each case asks (cases, ...)."""

    def surplus(self, outputs: Vector) -> Vector:
        """By how much outputs (outputs,) or (outputs, N) exceed what is asked; met from 0 on."""
        return np.asarray(self.surpluses(outputs).max(axis=0))

    @abstractmethod
    def gradient(self, outputs: Vector) -> Vector:
        """The gradient (outputs, N) of the surplus with respect to outputs (outputs, N)."""

    @abstractmethod
    def towards(self, case: int) -> Conjunction:
        """One case of the condition. A point meets the condition exactly if it meets one case."""

    @abstractmethod
    def with_margin(self, margin: float) -> Goal:
        """The condition with another margin."""

    @abstractmethod
    def scaled(self, factor: float) -> Goal:
        """The same condition on the outputs times a factor, above 0."""

    @property
    @abstractmethod
    def stacked(self) -> tuple[Matrix, Vector, Indices]:
        """The conditions of all cases and what they must reach; the place of each case's first."""

    def nearest_cases(self, outputs: Vector) -> list[int]:
        """The numbers of the cases, the one that outputs (outputs,) come nearest to first."""
        return [int(case) for case in np.argsort(-self.surpluses(outputs), kind="stable")]


@dataclass(frozen=True, eq=False)
class Conjunction(Goal):
    """Linear conditions on the outputs o that all hold:  W o >= asked + margin * strict.

    Attributes:
        matrix: W (rows, outputs); without rows, every point will do.
        asked: What the sides must reach (rows,).
        strict: Which sides (rows,) must exceed that by the margin.
        margin: By how much, above 0.
        name: What a point that meets them is said to be.
    """

    matrix: Matrix
    asked: Vector
    strict: Flags
    margin: float = 1e-6
    name: str = "the goal"

    @property
    def cases(self) -> Sequence[Conjunction]:  # type: ignore[override]
        """There is one."""
        return (self,)

    @property
    def sides(self) -> Vector:
        """What W o must reach (rows,), the margin included."""
        return self.asked + self.margin * self.strict

    def encode(
        self,
        builder: ModelBuilder,
        outputs: Expression,
        bounds: Interval,
        shortfall: Expression | None = None,
    ) -> None:
        """A row for each."""
        if len(self.asked):
            builder.add_rows(_eased(outputs.mapped(self.matrix), shortfall), lower=self.sides)

    def surpluses(self, outputs: Vector) -> Vector:
        """The least of what the sides have over what they must reach; inf without any."""
        return np.asarray(self._over(outputs).min(axis=0, initial=np.inf))[None]

    def gradient(self, outputs: Vector) -> Vector:
        """That of the least side."""
        if not len(self.asked):
            return np.zeros_like(outputs)
        return np.asarray(self.matrix[self._over(outputs).argmin(axis=0)].toarray().T)

    def _over(self, outputs: Vector) -> Vector:
        """What each side has over what it must reach."""
        if not len(self.asked):
            return np.zeros((0, *outputs.shape[1:]))
        return np.asarray(((self.matrix @ outputs).T - self.sides).T)

    def towards(self, case: int) -> Conjunction:
        """The conditions themselves."""
        return self

    def with_margin(self, margin: float) -> Conjunction:
        """The conditions with another margin."""
        return replace(self, margin=margin)

    def scaled(self, factor: float) -> Conjunction:
        """The same conditions on the outputs times a factor."""
        return replace(self, asked=self.asked * factor, margin=self.margin * factor)

    @property
    def stacked(self) -> tuple[Matrix, Vector, Indices]:
        """The conditions themselves."""
        return self.matrix, self.sides, np.zeros(1, np.intp)

    def lacking(self, bounds: Interval) -> tuple[float, float]:
        """Between what the condition that is missed by most lies, by bounds of the outputs."""
        least, most = least_of(self.matrix, bounds), -least_of(Matrix(-self.matrix), bounds)
        return float((self.sides - most).max()), float((self.sides - least).max())


@dataclass(frozen=True, eq=False)
class Disjunction(Goal):
    """One of several cases is met.

    A binary s_k for each case says which:  W_k o - sides_k >= -M_k (1 - s_k).

    Attributes:
        cases: The cases, all of the same margin, each of one condition at least.
    """

    cases: tuple[Conjunction, ...]

    @property
    def margin(self) -> float:  # type: ignore[override]
        """That of each case."""
        return self.cases[0].margin

    @property
    def name(self) -> str:  # type: ignore[override]
        """The cases."""
        return " or ".join(case.name for case in self.cases)

    @cached_property
    def stacked(self) -> tuple[Matrix, Vector, Indices]:
        """All conditions of all cases, and the place of each case's first one."""
        counts = [len(case.asked) for case in self.cases]
        matrix = Matrix(sparse.vstack([case.matrix for case in self.cases]))
        sides = np.concatenate([case.sides for case in self.cases])
        return matrix, sides, np.cumsum([0, *counts[:-1]])

    def surpluses(self, outputs: Vector) -> Vector:
        """Of each case that of its condition that is met least."""
        matrix, sides, first = self.stacked
        return np.minimum.reduceat(((matrix @ outputs).T - sides).T, first, axis=0)

    def encode(
        self,
        builder: ModelBuilder,
        outputs: Expression,
        bounds: Interval,
        shortfall: Expression | None = None,
    ) -> None:
        """A binary for each case, and a row for each of its conditions."""
        matrix, sides, first = self.stacked
        binaries = builder.add_binaries(len(self.cases))
        chosen = Expression.of(binaries)
        builder.add_rows(chosen.mapped(Matrix(np.ones((1, len(self.cases))))), 1.0, 1.0)
        case_of = np.repeat(np.arange(len(self.cases)), np.diff([*first, len(sides)]))
        # A side reaches what is asked if its case is chosen, and is at its least otherwise.
        room = np.maximum(sides - least_of(matrix, bounds), 0.0)
        eased = _eased(outputs.mapped(matrix), shortfall)
        if np.isfinite(room).all():
            builder.add_rows(eased - chosen[case_of].times(room), lower=sides - room)
        else:
            builder.add_indicators(binaries[case_of], True, -eased + sides)

    def encode_maximum(self, builder: ModelBuilder, outputs: Expression, bounds: Interval) -> None:
        """max_k (V_k o) + v o >= side, with v what a condition has in common in all cases."""
        if len({(case.matrix.shape, *case.sides) for case in self.cases}) > 1:
            self.encode(builder, outputs, bounds)
            return
        written: list[tuple[Vector, Expression]] = []
        for place in range(len(self.cases[0].asked)):
            rows = np.stack([case.matrix[[place]].toarray()[0] for case in self.cases])
            shared = np.where((rows == rows[0]).all(axis=0), rows[0], 0.0)
            own = rows - shared
            known = [largest for other, largest in written if np.array_equal(other, own)]
            if not known:
                least, most = least_of(Matrix(own), bounds), -least_of(Matrix(-own), bounds)
                known = [add_maximum(builder, outputs.mapped(Matrix(own)), least, most)]
                written.append((own, known[0]))
            side = known[0] + outputs.mapped(Matrix(shared[None]))
            builder.add_rows(side, lower=self.cases[0].sides[place])

    def gradient(self, outputs: Vector) -> Vector:
        """That of the case with the largest surplus."""
        best = self.surpluses(outputs).argmax(axis=0)
        gradients = np.stack([case.gradient(outputs) for case in self.cases])
        return np.asarray(gradients[best, :, np.arange(outputs.shape[1])].T)

    def towards(self, case: int) -> Conjunction:
        """One case, whose surplus is the largest of all, where linear rows can say that.

        That asks nothing more: if any case is met, then so is the one of the largest surplus. Rows
        say it of a case that differs from this one by the same expression in every condition.
        """
        this = self.cases[case]
        rows, asked = [this.matrix], [this.asked]
        for other in self.cases:
            if other is this or other.matrix.shape != this.matrix.shape:
                continue
            ahead, sides = (this.matrix - other.matrix).toarray(), this.asked - other.asked
            if (ahead == ahead[0]).all() and (sides == sides[0]).all():
                rows.append(Matrix(ahead[:1]))
                asked.append(sides[:1])
        more = len(rows) - 1
        return replace(
            this,
            matrix=Matrix(sparse.vstack(rows)),
            asked=np.concatenate(asked),
            strict=np.append(this.strict, np.zeros(more, bool)),
        )

    def with_margin(self, margin: float) -> Disjunction:
        """The condition with another margin."""
        return Disjunction(tuple(case.with_margin(margin) for case in self.cases))

    def scaled(self, factor: float) -> Disjunction:
        """The same condition on the outputs times a factor."""
        return Disjunction(tuple(case.scaled(factor) for case in self.cases))


# Every point will do: to bound neurons before there is a goal.
NO_GOAL = Conjunction(Matrix((0, 0)), np.zeros(0), np.zeros(0, bool), 0.0)


def targeted(
    target: int, classes: int, ratio: float = 1.0, margin: float = 1e-6, beaten: int | None = None
) -> Conjunction:
    """The logit o_t of one class beats other classes j.

        o_t >= ratio * o_j + margin  for beaten j   and, if the ratio is not 1,  o_t >= margin.

    Zhu's equation (15) asks x_t >= 1.2 x_j of x = max(o, 0). With o_t above 0, x_t = o_t, and
    x_t >= ratio * x_j is the same as o_t >= ratio * o_j; no output needs a binary, and "all
    outputs 0", which would satisfy (15), is excluded by the margin.

    Args:
        target: The class t.
        classes: How many classes there are.
        ratio: The factor, at least 1.
        margin: By how much it must win, above 0.
        beaten: The one class that it must beat; every other one if left out.
    """
    rows = np.zeros((classes, classes))
    np.fill_diagonal(rows, -ratio)
    rows[:, target] += 1.0
    rows[target] = 0.0
    rows[target, target] = 1.0
    places = np.arange(classes)
    kept = (places != target) if beaten is None else (places == beaten)
    if ratio != 1.0:
        kept = kept | (places == target)
    count = int(kept.sum())
    return Conjunction(
        Matrix(rows[kept]), np.zeros(count), np.ones(count, bool), margin, f"class {target}"
    )


def untargeted(label: int, classes: int, ratio: float = 1.0, margin: float = 1e-6) -> Disjunction:
    """Some other class j beats the true class y.

        o_j >= ratio * o_y + margin  for one j   (and o_j >= margin if the ratio is not 1).

    Args:
        label: The true class y.
        classes: How many classes there are, two at least.
        ratio: The factor, at least 1.
        margin: By how much it must win, above 0.
    """
    return Disjunction(
        tuple(
            targeted(rival, classes, ratio, margin, beaten=label)
            for rival in range(classes)
            if rival != label
        )
    )


def counterexample(cases: Sequence[Case], outputs: int) -> Goal:
    """The condition on the outputs that some of a property's cases is met, with its border.

    Args:
        cases: The cases, of one box, with conditions on outputs alone.
        outputs: How many outputs the network has.
    """
    goals = []
    for number, case in enumerate(cases):
        _, matrix, asked = case.rows(outputs)
        if not len(asked):  # every point of the box is a counterexample
            matrix, asked = np.zeros((1, outputs)), np.array([-1.0])
        strict = np.ones(len(asked), bool)
        goals.append(Conjunction(Matrix(matrix), asked, strict, 0.0, f"case {number}"))
    return goals[0] if len(goals) == 1 else Disjunction(tuple(goals))


def least_of(matrix: Matrix, bounds: Interval) -> Vector:
    """The least W o (rows,) that bounds of the outputs allow."""
    weights = matrix.toarray()
    ends = np.where(weights > 0, bounds.lower, bounds.upper)
    # A bound may be infinite, but not of what does not count.
    return np.asarray((weights * np.where(weights == 0, 0.0, ends)).sum(axis=1))


def _eased(sides: Expression, shortfall: Expression | None) -> Expression:
    return sides if shortfall is None else sides + shortfall.repeated(len(sides))
