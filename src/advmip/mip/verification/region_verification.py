"""Whether a region holds a point that meets a goal, from cheap to dear."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from advmip.checking.proofs.files import RegionWriter
from advmip.margins import factor_to_usual
from advmip.mip.bounds import relaxation_bounds
from advmip.mip.bounds.balls import Ball
from advmip.mip.bounds.linear import LinearBounds
from advmip.mip.bounds.lines import Sides
from advmip.mip.bounds.operators import matrix_stages
from advmip.mip.deadline import as_far_as, seconds_left, time_is_up, until
from advmip.mip.distances import Box, distance_named
from advmip.mip.encoding import Interval, unstable_neurons
from advmip.mip.formulations import BigM, Formulation
from advmip.mip.formulations.common_bound import CommonBound
from advmip.mip.formulations.triangle import Triangle
from advmip.mip.goals import NO_GOAL, Conjunction, Goal, least_of
from advmip.mip.model import Indices, Matrix, Model, Vector
from advmip.mip.phases import Phases
from advmip.mip.problem import Encoding, Problem, encode
from advmip.mip.programs.linear_program import LinearProgram
from advmip.mip.solvers import choose
from advmip.mip.verification.seeking import Seeking
from advmip.mip.verification.specification import Specification
from advmip.mip.verification.verdict import Evidence, Proof
from advmip.mip.verification_tree import MOST_INPUTS, Asked, InputTree, SignTree
from advmip.mip.verification_tree.recording import (
    InputTreeRecord,
    Numbering,
    SignTreeRecord,
)
from advmip.networks.staged import StagedNetwork

_Record = TypeVar("_Record", SignTreeRecord, InputTreeRecord)

PHASES = ("interval", "linear", "attack", "tree", "lp", "mip")
# Subtracted from what a solver proves, relatively, besides what its tolerances may do.
_TOLERANCE = 1e-6
# Where margins are proved to be above this, rounding alone leaves their sign open.
_TIED = -1e-4
# Where the network's own sums may be rounded by more than this, no solver's word counts.
_SOLVER_ROUNDING = 1e-7
# Seconds of the first turn, a tree's and then programs'; those of programs stay so long where more
# neurons than these are open.
_TURN, _FEW = 1.0, 300
# How much of the time that all has taken goes to the search for a point from many starts.
_SEEKING = 0.2


@dataclass(frozen=True, kw_only=True)
class Decision(Proof):
    """What is known of a region.

    Attributes:
        point: A point of it (inputs,) that meets the goal; None if none is known.
        recorded: Whether the proof for a file, if one was asked for, excludes every case.
    """

    point: Vector | None
    recorded: bool

    @property
    def excluded(self) -> bool:
        """Whether it is proved that no point of the region meets the goal."""
        return bool((self.margins > 0).all())


class RegionVerification:
    """The verification of one region: what is proved so far, and what it took.

    Args:
        specification: The network, and how it is verified.
        ball: The region.
        goal: What a counterexample's outputs meet.
        typical: The size of the outputs' differences that count, above 0.
        time_limit: Seconds, above 0.
        proof: Takes the proof of this region for a file.
    """

    def __init__(
        self,
        specification: Specification,
        ball: Ball,
        goal: Goal,
        typical: float,
        time_limit: float,
        proof: RegionWriter | None = None,
    ) -> None:
        self._specification = specification
        # Made once for a network, before the clock runs.
        self._stages = specification.stages
        self._begun, self._processor_begun = time.perf_counter(), time.process_time()
        self._time_limit = time_limit
        # Margins are of outputs of the usual scale, which tolerances are meant for.
        self._factor = factor_to_usual(typical)
        self._goal = goal.scaled(self._factor).with_margin(0.0)
        self._form = specification.form.with_logits_times(self._factor)
        cases = len(goal.cases)
        self._margins = np.full(cases, -np.inf)
        self._evidence = Evidence.NONE
        self._proof = proof
        self._record: SignTreeRecord | InputTreeRecord | None = None
        # Whether the tree that is noted excludes every case that was open before it.
        self._noted = False
        # Neurons that may be active, by their numbers in the whole network.
        self._alive: list[Indices] = []
        self._phases = Phases(*PHASES)
        self._unstable = self._nodes = 0
        self._solver = self._reason = ""
        # By how much margins move if every neuron's input does by 1; what rounding does to them.
        self._weight = np.full(cases, np.inf)
        self._rounding = np.inf
        self._ball = ball
        self._centre = ball.images[0].numpy()
        self._seeking = Seeking(specification, ball, self._goal, self._factor)
        everywhere = Ball(ball.images, np.inf, ball.norm, ball.lower, ball.upper)
        self._bounded_over = ball if specification.ingredients.ball else everywhere

    def decision(self) -> Decision:
        """Go from cheap to dear until every case is excluded or a point meets one."""
        with until(self._begun + self._time_limit):
            point = self._settled()
        return Decision(
            point=point,
            recorded=self._proof is not None
            and (self._noted or self._evidence in (Evidence.INTERVAL, Evidence.LINEAR))
            and not self._open.size,
            margins=self._margins / self._factor,
            evidence=self._evidence,
            tied=point is None and bool(_TIED < self._margins.min() <= 0),
            unstable=self._unstable,
            nodes=self._nodes,
            solver=self._solver,
            reason=self._reason,
            seconds=time.perf_counter() - self._begun,
            processor_seconds=time.process_time() - self._processor_begun,
            phases=self._phases.seconds,
        )

    def _settled(self) -> Vector | None:
        """Exclude every case, as far as there is time, or find a point (inputs,) that meets one."""
        form, bounds = self._bounded()
        point = None
        if self._open.size and self._specification.ingredients.shortcuts:
            with self._phases.timed("attack"):
                point = self._met(self._seeking.by_gradients(self._open))
        if self._open.size and point is None:
            with as_far_as():
                point = self._by_turns(form, bounds)
        return point

    @property
    def _open(self) -> NDArray[np.intp]:
        """The cases that may still be met, the most likely first."""
        ordered = np.argsort(self._margins, kind="stable")
        return ordered[self._margins[ordered] <= 0]

    @cached_property
    def _rows(self) -> tuple[Matrix, Vector, NDArray[np.intp]]:
        """The conditions of all cases, what they must reach, and the place of each case's first."""
        return self._goal.stacked

    def _by_case(self, lacking: Vector) -> Vector:
        """What a case lacks: as much as the condition of it that is missed by most."""
        return np.asarray(np.maximum.reduceat(lacking, self._rows[2]))

    @torch.no_grad()
    def _bounded(self) -> tuple[StagedNetwork, list[Interval]]:
        """The network without dead neurons, and bounds of the others, without any solver."""
        form = self._form
        matrix, asked, _ = self._rows
        with self._phases.timed("interval"):
            sides = LinearBounds(self._stages, self._bounded_over).by_intervals()
            lower, upper = sides[-1].lower[0].numpy(), sides[-1].upper[0].numpy()
            outputs = Interval(lower, upper).times(self._factor)
            self._raise(
                Evidence.INTERVAL, self._by_case(asked + least_of(Matrix(-matrix), outputs))
            )
        with self._phases.timed("linear"):
            self._alive = alive = _alive(sides)
            form = form.keeping(alive)
            linear = LinearBounds(matrix_stages(form), self._bounded_over)
            if self._specification.ingredients.forms and self._open.size:
                sides = linear.by_forms()
            else:
                sides = linear.by_intervals()
            forms = linear.forms(torch.from_numpy(-matrix.toarray())[None])
            if self._specification.ingredients.forms:
                self._raise(Evidence.LINEAR, self._by_case(asked + forms.least[0].numpy()))
            self._weight = self._by_case(forms.weight[0].numpy())
            self._rounding = linear.largest_rounding
            alive = _alive(sides)
            self._alive = [some[kept] for some, kept in zip(self._alive, alive, strict=True)]
            bounds = [
                Interval(each.lower[0].numpy()[kept], each.upper[0].numpy()[kept])
                for each, kept in zip(sides[:-1], alive, strict=True)
            ]
            bounds.append(Interval(sides[-1].lower[0].numpy(), sides[-1].upper[0].numpy()))
        self._unstable = unstable_neurons(bounds)
        return form.keeping(alive), bounds

    def _by_turns(self, form: StagedNetwork, bounds: list[Interval]) -> Vector | None:
        """Ask a tree and programs in turn, each turn twice as long; a point that meets a case.

        Which of them is quicker shows only at the end: so the better one has its share at any time.
        A tree goes on where it was, programs begin anew, and of many open neurons they say what
        they have to say at once or not at all: their turns stay short.
        """
        tree, turn = self._tree(form, bounds), _TURN
        point = None
        while True:
            if tree is not None:
                with self._phases.timed("tree"), as_far_as():
                    point = self._grown(tree, turn)
                if isinstance(tree, SignTree):
                    bounds = [*map(_interval, tree.sides), bounds[-1]]
            last = tree is None or tree.ended
            if point is None and self._open.size and self._specification.ingredients.shortcuts:
                point = self._sought()
            if point is None and self._open.size:
                theirs = turn if self._unstable <= _FEW else _TURN
                with as_far_as(time.perf_counter() + (np.inf if last else theirs)):
                    point = self._solved(form, bounds)
            if point is not None or not self._open.size or last or time_is_up():
                return point
            turn *= 2.0

    def _tree(self, form: StagedNetwork, bounds: list[Interval]) -> InputTree | SignTree | None:
        """A tree for the open cases: over inputs if few can move, else over signs."""
        ingredients = self._specification.ingredients
        if not (ingredients.tree and ingredients.forms):
            return None
        asked, stages = Asked.of(self._goal, self._open), matrix_stages(form)
        search = matrix_stages(form, torch.float32)
        lower, upper = self._ball.box
        if self._ball.norm == "linf" and int((upper > lower).sum()) <= MOST_INPUTS:
            inputs = self._record = self._recorded(InputTreeRecord, asked)
            return InputTree(stages, search, self._ball, asked, self._near, inputs)
        sides = [_sides(each) for each in bounds[:-1]]
        signs = self._record = self._recorded(SignTreeRecord, asked)
        return SignTree(stages, search, self._ball, sides, asked, self._near, signs)

    def _recorded(self, kind: type[_Record], asked: Asked) -> _Record | None:
        """What notes a tree, if a proof is asked for."""
        if self._proof is None:
            return None
        cases, (_, sides, first) = asked.cases, self._rows
        ends = np.append(first[1:], len(sides))
        rows = np.concatenate([np.arange(first[case], ends[case]) for case in cases])
        return kind(self._proof, Numbering(self._alive, cases, rows, len(sides), self._factor))

    def _grown(self, tree: InputTree | SignTree, turn: float) -> Vector | None:
        """Let a tree go on for a turn; a point that meets a case."""
        found = tree.run(turn)
        self._nodes += found.nodes
        if self._record is not None and (found.margins > 0).all():
            self._record.close()
            self._noted = True
        margins = np.full_like(self._margins, -np.inf)
        margins[tree.asked.cases] = found.margins
        self._raise(Evidence.TREE, margins)
        return None if found.point is None else self._met([found.point])

    def _sought(self) -> Vector | None:
        """Seek a point that meets a case from many starts, for its share of the time so far."""
        taken = time.process_time() - self._processor_begun
        due = _SEEKING * taken - self._phases.seconds["attack"]
        with self._phases.timed("attack"):
            return self._seeking.widely(self._open, due)

    def _solved(self, form: StagedNetwork, bounds: list[Interval]) -> Vector | None:
        """Ask linear, then mixed-integer programs about the open cases; a point that meets one."""
        if not self._rounding <= _SOLVER_ROUNDING:
            self._reason = (
                f"float64 rounds the network's sums by up to {self._rounding:.1g}: no solver's "
                "bound is a proof"
            )
            return None
        with self._phases.timed("lp"):
            bounds, candidates = self._relaxed(form, bounds)
            point = self._met(candidates)
        for case in self._open:
            if point is not None or time_is_up():
                break
            with self._phases.timed("mip"):
                point = self._decided(form, bounds, int(case))
        return point

    def _met(self, points: NDArray[np.float64] | list[Vector]) -> Vector | None:
        return self._seeking.clear(points, self._open)

    def _near(self, points: Vector) -> Vector | None:
        return self._seeking.near(points, self._open)

    def _problem(self, form: StagedNetwork, ball: Ball, goal: Goal = NO_GOAL) -> Problem:
        domain = np.asarray(ball.lower), np.asarray(ball.upper)
        box = Box.around(self._centre, form.input_shape, *domain).within(ball.radius)
        return Problem(form, self._centre, distance_named(ball.norm), goal, box, ball.radius)

    def _formulation(self, formulation: Formulation, bounds: list[Interval]) -> Formulation:
        if self._specification.ingredients.tight:
            return formulation
        sides = [side for each in bounds[:-1] for side in (each.lower, each.upper)]
        largest = max((float(np.abs(side).max(initial=0.0)) for side in sides), default=0.0)
        return CommonBound(formulation, largest)

    def _relaxed(
        self, form: StagedNetwork, bounds: list[Interval]
    ) -> tuple[list[Interval], list[Vector]]:
        """Tighter bounds of the neurons, then of the margins; and where the margins are least."""
        triangle = self._formulation(Triangle(), bounds)
        tightened = relaxation_bounds(
            self._problem(form, self._bounded_over),
            bounds,
            formulation=triangle,
            every=not self._specification.ingredients.progressive,
            substitute=True,
        )
        bounds = bounds if tightened is None else tightened
        self._unstable = unstable_neurons(bounds)
        margins, candidates = np.full_like(self._margins, -np.inf), []
        encoding: Encoding | None = None
        program: LinearProgram | None = None
        for case in self._open:
            if time_is_up():
                break
            conditions = self._goal.cases[case]
            if encoding is None or program is None or len(conditions.asked) != 1:
                encoding = self._encoded(form, bounds, triangle, conditions)
                # All columns are bounded: from nothing, the dual simplex method starts feasible,
                # where the primal one has stalled for minutes.
                program = LinearProgram(encoding.model, "dual")
            model = _lacking(encoding, conditions)
            _, point = program.minimise(model.objective)
            if point is not None:
                bound = program.lower_bound(model.objective) + model.constant
                margins[case] = bound - self._slack(bound)
                candidates.append(self._centre + encoding.change.values(point))
        self._raise(Evidence.RELAXATION, margins)
        return bounds, candidates

    def _encoded(
        self,
        form: StagedNetwork,
        bounds: list[Interval],
        formulation: Formulation,
        conditions: Conjunction,
    ) -> Encoding:
        """The points of the region; where a case has several conditions, with what they lack."""
        several = len(conditions.asked) != 1
        problem = self._problem(form, self._ball, conditions if several else NO_GOAL)
        missed = conditions.lacking(bounds[-1]) if several else None
        return encode(problem, bounds, formulation, ball=True, substitute=True, elastic=missed)

    def _decided(self, form: StagedNetwork, bounds: list[Interval], case: int) -> Vector | None:
        """Find the sign of what a case lacks at least; a point that meets it."""
        conditions = self._goal.cases[case]
        formulation = self._formulation(BigM(), bounds)
        encoding = self._encoded(form, bounds, formulation, conditions)
        model = _lacking(encoding, conditions)
        choice = choose(self._specification.solver, model)
        self._solver, self._reason = choice.solver.name, choice.reason
        options = self._specification.options
        tolerance = self._slack(0.0) + options.feasibility * float(self._weight[case])
        solution = choice.solver.solve(model, options.deciding(seconds_left(), tolerance))
        self._nodes += solution.nodes
        margins = np.full_like(self._margins, -np.inf)
        # The program always has a point; that it had none would be a status, and no bound.
        if np.isfinite(solution.bound):
            margins[case] = solution.bound - tolerance - self._slack(solution.bound)
        self._raise(Evidence.MIXED_INTEGER, margins)
        if solution.point is None:
            return None
        return self._met([self._centre + encoding.change.values(solution.point)])

    def _slack(self, bound: float) -> float:
        """What is subtracted from a bound that a solver's program gives."""
        return _TOLERANCE * (1.0 + abs(bound))

    def _raise(self, evidence: Evidence, margins: Vector) -> None:
        """Take over what was proved; what excludes an open case is the evidence."""
        before = self._open.size
        self._margins = np.fmax(self._margins, margins)
        if self._open.size < before:
            self._evidence = evidence


def _lacking(encoding: Encoding, conditions: Conjunction) -> Model:
    """The encoded points, with what a case lacks as the objective."""
    width = len(encoding.model.lower)
    if len(encoding.shortfall):
        cost = np.zeros(width)
        cost[encoding.shortfall] = 1.0
        return encoding.model.with_objective(cost, 0.0)
    lacking = -encoding.preactivations[-1].mapped(conditions.matrix) + conditions.sides
    (cost,) = lacking.written_out(width)
    return encoding.model.with_objective(cost, float(lacking.constant[0]))


def _interval(sides: Sides) -> Interval:
    return Interval(sides.lower[0].numpy(), sides.upper[0].numpy())


def _sides(bounds: Interval) -> Sides:
    return Sides(torch.from_numpy(bounds.lower)[None], torch.from_numpy(bounds.upper)[None])


def _alive(sides: list[Sides]) -> list[NDArray[np.intp]]:
    """The neurons of each layer that may be active."""
    return [np.flatnonzero((each.upper[0] > 0).numpy()) for each in sides[:-1]]
