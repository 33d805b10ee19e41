"""The problem that is put to a solver: what is the nearest point that wins for the attacker?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from advmip.mip.distances import Box, Distance
from advmip.mip.encoding import Interval, encode_hidden
from advmip.mip.formulations import BigM, EncodedReLUs, Formulation, Layer, affine_expression
from advmip.mip.formulations.distance_cut import DistanceCut
from advmip.mip.formulations.secants import add_secants
from advmip.mip.goals import Goal
from advmip.mip.model import Expression, Indices, Model, ModelBuilder, Vector
from advmip.mip.programs.linear_program import LinearProgram
from advmip.mip.programs.quadratic_program import QuadraticProgram
from advmip.networks.staged import StagedNetwork


@dataclass(frozen=True)
class Problem:
    """Minimise the distance of x from an image, such that the network's answer meets a goal.

    Attributes:
        network: The staged network.
        image: The image (pixels,).
        distance: How far x is from it.
        goal: What the logits of x must satisfy.
        box: The allowed x - image.
        radius: Only points nearer than this are of interest; inf for all.
        distance_cuts: Rows above the first layers of ReLUs that hold for every point of interest
            (`bounds.distance_cuts`); only for a sparse distance.
        lower: The least values that x may have (pixels,), which the box says up to rounding.
        upper: The largest.
    """

    network: StagedNetwork
    image: Vector
    distance: Distance
    goal: Goal
    box: Box
    radius: float = np.inf
    distance_cuts: tuple[DistanceCut, ...] = ()
    lower: Vector | float = 0.0
    upper: Vector | float = 1.0

    def linear(self) -> Problem:
        """The same problem with a distance that linear programs know."""
        return replace(self, distance=self.distance.linear).sifted()

    def sifted(self) -> Problem:
        """The same problem as our own linear programs take it."""
        return replace(self, distance=self.distance.sifted)

    def towards(self, case: int) -> Problem:
        """The same problem with one case of its goal."""
        return replace(self, goal=self.goal.towards(case))

    def with_extra_margin(self, extra: float) -> Problem:
        """The same problem with so much added to the goal's margin."""
        return replace(self, goal=self.goal.with_margin(self.goal.margin + extra))

    def within(self, radius: float) -> Problem:
        """The same problem, for points nearer than a radius only."""
        return replace(self, radius=radius, box=self.distance.shrunken(self.box, radius))

    def length(self, change: Vector) -> float:
        """How far a perturbation (pixels,) is from none."""
        return self.distance.value(change, self.box)

    def nearest_case(self, change: Vector) -> int:
        """The case of the goal that a perturbation (pixels,) meets, or comes nearest to."""
        return self.goal.nearest_cases(self.network.logits(self.image + change))[0]

    def layer(self, change: Expression) -> Layer:
        """The attacked image as what the network reads, with its change (pixels,) encoded."""
        lower, upper = self.image + self.box.lower, self.image + self.box.upper
        return Layer(change + self.image, lower, upper)


@dataclass(frozen=True)
class Encoding:
    """A problem as a model, and where its parts are.

    Attributes:
        model: The model.
        change: The perturbation (pixels,).
        preactivations: What enters each layer of ReLUs, and last the logits.
        shortfall: The column by which the goal may be missed; none if it may not.
        distance: How far a change is.
        box: Where changes may be.
    """

    model: Model
    change: Expression
    preactivations: list[Expression]
    shortfall: Indices
    distance: Distance
    box: Box

    def program(self, simplex: Literal["primal", "dual"]) -> LinearProgram:
        """The model's linear program, from solve to solve, as its distance has it."""
        return self.distance.program(self.model, self.change, self.box, simplex)

    def convex_program(self) -> LinearProgram | QuadraticProgram:
        """The model's relaxation with its squares and separators, from bounds to bounds."""
        if self.model.squares.any() or self.model.separators:
            return QuadraticProgram(self.model)
        return self.program("dual")


def encode(
    problem: Problem,
    bounds: Sequence[Interval],
    formulation: Formulation | None = None,
    *,
    ball: bool = False,
    elastic: tuple[float, float] | None = None,
    depth: int | None = None,
    substitute: bool = False,
) -> Encoding:
    """Write a problem as a mixed-integer program.

    Args:
        problem: The problem.
        bounds: Bounds of the inputs of each layer of ReLUs, and last of the logits, that hold for
            every point of interest.
        formulation: Of the unstable neurons; big-M if left out.
        ball: Keep the distance at most the problem's radius, at no cost, in place of minimising
            it: a linear model whose objective will be another one.
        elastic: The range of a column, without cost, by which the goal may be missed; none if left
            out.
        depth: Encode so many layers of ReLUs and nothing behind them, the goal neither; all and
            the logits if left out.
        substitute: Give stable neurons no columns. The rows are longer, but where a few hundred of
            thousands of neurons are unstable, it is by far the smaller model.
    """
    builder = ModelBuilder()
    measure, box = problem.distance, problem.box
    if ball:
        change, spent = measure.encode_ball(builder, box, problem.radius)
    else:
        change = measure.encode(builder, box)
        spent = builder.objective()
    stages = (*problem.network.hidden, problem.network.output)
    encoded = len(stages) - 1 if depth is None else depth
    layers, rectified = encode_hidden(
        builder,
        problem.layer(change),
        stages[:encoded],
        bounds[:encoded],
        formulation or BigM(),
        substitute=substitute,
    )
    entering = [
        affine_expression(stage, layers[: place + 1])
        for place, stage in enumerate(stages[: encoded + 1])
    ]
    if measure.sparse and np.isfinite(problem.radius) and encoded and elastic is None:
        _add_rows_above(builder, problem, bounds, spent, entering[0], rectified)
    shortfall = builder.add_columns(0) if elastic is None else builder.add_columns(1, *elastic)
    if depth is None:
        eased = None if elastic is None else Expression.of(shortfall)
        problem.goal.encode(builder, entering[-1], bounds[-1], eased)
    return Encoding(builder.build(), change, entering, shortfall, measure, box)


def _add_rows_above(
    builder: ModelBuilder,
    problem: Problem,
    bounds: Sequence[Interval],
    total: Expression,
    entering: Expression,
    rectified: Sequence[EncodedReLUs],
) -> None:
    """Secants above the first layer, and the problem's distance cuts."""
    add_secants(builder, entering[bounds[0].unstable], rectified[0], problem.radius)
    if problem.distance_cuts:
        spent = Expression.of(builder.add_columns(1, 0.0, problem.radius))
        builder.add_rows(spent - total, upper=0.0)
        for cut, interval, neurons in zip(problem.distance_cuts, bounds, rectified, strict=False):
            kept = cut.over(interval.unstable)
            places = np.searchsorted(interval.unstable, kept.neurons)
            kept.add(builder, neurons[places], spent)
