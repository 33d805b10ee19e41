"""The verification of one image, from cheap to dear."""

from __future__ import annotations

import time
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from advmip.checking.attacks import check_attack
from advmip.checking.replay import Precision
from advmip.margins import factor_to_usual
from advmip.mip.bounds import relaxation_bounds
from advmip.mip.bounds.balls import Ball
from advmip.mip.bounds.linear import LinearBounds, Sides, margin_forms
from advmip.mip.bounds.operators import matrix_stages
from advmip.mip.deadline import as_far_as, seconds_left, time_is_up, until
from advmip.mip.distances import Box
from advmip.mip.encoding import Interval, unstable_neurons
from advmip.mip.formulations import BigM, Formulation
from advmip.mip.formulations.common_bound import CommonBound
from advmip.mip.formulations.triangle import Triangle
from advmip.mip.goals import Goal, NoGoal, Untargeted
from advmip.mip.heuristics.ball_attack import (
    attack_in_ball,
    logits_of,
    moved_into_ball,
    scaled_into_ball,
)
from advmip.mip.margins import lead, runner_up, scale
from advmip.mip.model import Model, Vector
from advmip.mip.phases import Phases
from advmip.mip.problem import Encoding, Problem, encode
from advmip.mip.programs.linear_program import LinearProgram
from advmip.mip.solvers import choose
from advmip.mip.verification.specification import Specification
from advmip.mip.verification.verdict import Evidence, Outcome, Verdict
from advmip.networks.staged import StagedNetwork

# Subtracted from what a solver proves, relatively, besides what its tolerances may do.
_TOLERANCE = 1e-6
# Where margins are proved to be above this, rounding alone leaves their sign open.
_TIED = -1e-4
# Where the network's own sums may be rounded by more than this, no solver's word counts.
_SOLVER_ROUNDING = 1e-7
# An adversarial image must win by this share of the largest logit: by more than float64 rounds.
_CLEAR_WIN = 1e-9
# It is sought at so many times what float32 may round.
_AMPLY = 2.0


class ImageVerification:
    """The verification of one image: what is proved so far, and what it took.

    Args:
        specification: What is asked of every image.
        image: The image (pixels,).
        label: Its true class.
    """

    def __init__(self, specification: Specification, image: Vector, label: int) -> None:
        self._specification = specification
        self._image = image
        self._label = label
        # Made once for a network, before the clock runs.
        self._stages = specification.stages
        self._begun = time.perf_counter()
        logits = specification.form.logits(image)
        # Margins are of logits of the usual scale, which tolerances are meant for.
        self._factor = factor_to_usual(scale(logits, label))
        self._logits = logits * self._factor
        self._form = specification.form.with_logits_times(self._factor)
        self._margins = np.full(specification.form.classes, -np.inf)
        self._margins[label] = np.inf
        self._evidence = Evidence.NONE
        self._phases = Phases("interval", "linear", "attack", "lp", "mip")
        self._unstable = self._nodes = 0
        self._solver = self._reason = ""
        # By how much margins move if every neuron's input does by 1; what rounding does to them.
        self._weight = np.full(specification.form.classes, np.inf)
        self._rounding = np.inf
        images = torch.from_numpy(image[None])
        self._ball = Ball(images, specification.epsilon, specification.norm)
        bounded = specification.epsilon if specification.ingredients.ball else np.inf
        self._region = Ball(images, bounded, specification.norm)

    def verdict(self) -> Verdict:
        """Go from cheap to dear until every class is excluded or one wins."""
        if lead(self._logits, self._label) >= 0:
            rival = runner_up(self._logits, self._label)
            return self._concluded(Outcome.MISCLASSIFIED, None, rival)
        with until(self._begun + self._specification.options.time_limit):
            adversarial = self._settled()
        if adversarial is not None:
            predicted = int(self._form.logits(adversarial).argmax())
            return self._concluded(Outcome.ATTACKABLE, adversarial, predicted)
        status = Outcome.UNKNOWN if self._open.size else Outcome.ROBUST
        return self._concluded(status, None, self._label)

    def _settled(self) -> Vector | None:
        """Exclude every class, as far as there is time, or find an image (pixels,) that wins."""
        form, bounds = self._bounded()
        adversarial = None
        if self._open.size and self._specification.ingredients.shortcuts:
            with self._phases.timed("attack"):
                adversarial = self._won(self._attacked())
        if self._open.size and adversarial is None:
            with as_far_as():
                adversarial = self._solved(form, bounds)
        return adversarial

    @cached_property
    def _extra_margin(self) -> float:
        """By how much an attack near the image should win, to be clear of float32's rounding."""
        shaped = self._image.reshape(self._form.input_shape)
        return _AMPLY * self._specification.replay.rounding(shaped, self._surplus)

    def _surplus(self, logits: Vector) -> float:
        """By how much the network's logits (classes,) win for the attacker."""
        return lead(logits, self._label) * self._factor

    def _attacked(self, start: Vector | None = None) -> NDArray[np.float64]:
        """Where a gradient attack in the ball ends, from the image or from a point of it."""
        wanted = Untargeted(self._label, self._form.classes, margin=self._extra_margin)
        goals: list[Goal] = [wanted.towards(int(rival)) for rival in self._open]
        logits = logits_of(self._specification.network, self._factor)
        starts = () if start is None else (start,)
        return attack_in_ball(logits, self._ball, goals, self._specification.options.seed, starts)

    @property
    def _open(self) -> NDArray[np.intp]:
        """The classes that may still win, the most likely first."""
        ordered = np.argsort(self._margins, kind="stable")
        return ordered[self._margins[ordered] <= 0]

    @torch.no_grad()
    def _bounded(self) -> tuple[StagedNetwork, list[Interval]]:
        """The network without dead neurons, and bounds of the others, without any solver."""
        form = self._form
        with self._phases.timed("interval"):
            sides = LinearBounds(self._stages, self._region).by_intervals()
            lower, upper = sides[-1].lower[0].numpy(), sides[-1].upper[0].numpy()
            self._raise(Evidence.INTERVAL, (lower[self._label] - upper) * self._factor)
        with self._phases.timed("linear"):
            alive = _alive(sides)
            form = form.keeping(alive)
            linear = LinearBounds(matrix_stages(form), self._region)
            if self._specification.ingredients.forms and self._open.size:
                sides = linear.by_forms()
            else:
                sides = linear.by_intervals()
            labels = torch.tensor([self._label])
            forms = linear.forms(margin_forms(labels, form.classes, torch.float64))
            if self._specification.ingredients.forms:
                self._raise(Evidence.LINEAR, forms.least[0].numpy())
            self._weight = forms.weight[0].numpy()
            self._rounding = linear.largest_rounding
            alive = _alive(sides)
            bounds = [
                Interval(each.lower[0].numpy()[kept], each.upper[0].numpy()[kept])
                for each, kept in zip(sides[:-1], alive, strict=True)
            ]
            bounds.append(Interval(sides[-1].lower[0].numpy(), sides[-1].upper[0].numpy()))
        self._unstable = unstable_neurons(bounds)
        return form.keeping(alive), bounds

    def _solved(self, form: StagedNetwork, bounds: list[Interval]) -> Vector | None:
        """Ask linear, then mixed-integer programs about the open classes; an image that wins."""
        if not self._rounding <= _SOLVER_ROUNDING:
            self._reason = (
                f"float64 rounds the network's sums by up to {self._rounding:.1g}: no solver's "
                "bound is a proof"
            )
            return None
        with self._phases.timed("lp"):
            bounds, candidates = self._relaxed(form, bounds)
            adversarial = self._won(candidates)
        for rival in self._open:
            if adversarial is not None or time_is_up():
                break
            with self._phases.timed("mip"):
                adversarial = self._decided(form, bounds, int(rival))
        return adversarial

    def _problem(self, form: StagedNetwork, ball: Ball) -> Problem:
        box = Box.around(self._image, form.input_shape).within(ball.radius)
        distance = self._specification.distance
        return Problem(form, self._image, distance, NoGoal(), box, ball.radius)

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
            self._problem(form, self._region),
            bounds,
            formulation=triangle,
            every=not self._specification.ingredients.progressive,
            substitute=True,
        )
        bounds = bounds if tightened is None else tightened
        self._unstable = unstable_neurons(bounds)
        encoding = self._encoded(form, bounds, triangle)
        # All columns are bounded: from nothing, the dual simplex method starts feasible, where the
        # primal one has stalled for minutes.
        program = LinearProgram(encoding.model, "dual")
        margins, candidates = np.full_like(self._margins, -np.inf), []
        for rival in self._open:
            if time_is_up():
                break
            model = self._margin_model(encoding, int(rival))
            _, point = program.minimise(model.objective)
            if point is not None:
                bound = program.lower_bound(model.objective) + model.constant
                margins[rival] = bound - self._slack(bound)
                candidates.append(self._image + encoding.change.values(point))
        self._raise(Evidence.RELAXATION, margins)
        return bounds, candidates

    def _encoded(
        self, form: StagedNetwork, bounds: list[Interval], formulation: Formulation
    ) -> Encoding:
        problem = self._problem(form, self._ball)
        return encode(problem, bounds, formulation, ball=True, substitute=True)

    def _margin_model(self, encoding: Encoding, rival: int) -> Model:
        """The encoded points, with the margin over a class as the objective."""
        logits = encoding.preactivations[-1]
        margin = logits[np.array([self._label])] - logits[np.array([rival])]
        (cost,) = margin.written_out(len(encoding.model.lower))
        return encoding.model.with_objective(cost, float(margin.constant[0]))

    def _decided(self, form: StagedNetwork, bounds: list[Interval], rival: int) -> Vector | None:
        """Find the sign of the least margin over a class; an image that wins."""
        encoding = self._encoded(form, bounds, self._formulation(BigM(), bounds))
        model = self._margin_model(encoding, rival)
        choice = choose(self._specification.solver, model)
        self._solver, self._reason = choice.solver.name, choice.reason
        options = self._specification.options
        tolerance = self._slack(0.0) + options.feasibility * float(self._weight[rival])
        solution = choice.solver.solve(model, options.deciding(seconds_left(), tolerance))
        self._nodes += solution.nodes
        margins = np.full_like(self._margins, -np.inf)
        # The program always has a point; that it had none would be a status, and no bound.
        if np.isfinite(solution.bound):
            margins[rival] = solution.bound - tolerance - self._slack(solution.bound)
        self._raise(Evidence.MIXED_INTEGER, margins)
        if solution.point is None:
            return None
        return self._won([self._image + encoding.change.values(solution.point)])

    def _slack(self, bound: float) -> float:
        """What is subtracted from a bound that a solver's program gives."""
        return _TOLERANCE * (1.0 + abs(bound))

    def _raise(self, evidence: Evidence, margins: Vector) -> None:
        """Take over what was proved; what excludes an open class is the evidence."""
        before = self._open.size
        self._margins = np.fmax(self._margins, margins)
        self._margins[self._label] = np.inf
        if self._open.size < before:
            self._evidence = evidence

    def _won(self, points: NDArray[np.float64] | list[Vector]) -> Vector | None:
        """The point (pixels,) that wins by most, moved into ball and box; None if none does.

        Where it does not win clearly in float32, a gradient attack goes on from there.
        """
        best = self._clearest(points)
        if best is None or lead(self._form.logits(best), self._label) > self._extra_margin:
            return best
        return self._clearest([best, *self._attacked(best)])

    def _clearest(self, points: NDArray[np.float64] | list[Vector]) -> Vector | None:
        """The point (pixels,) that wins by most, moved into ball and box; None if none does."""
        if not len(points):
            return None
        radius, norm = self._ball.radius, self._ball.norm
        near = scaled_into_ball(self._image, np.asarray(points), radius, norm)
        leads = [lead(logits, self._label) for logits in self._form.logits(near.T).T]
        for place in np.argsort(leads)[::-1]:
            if leads[place] <= 0:
                break
            moved = moved_into_ball(self._image, near[place], radius, norm)
            logits = self._form.logits(moved)
            if lead(logits, self._label) > _CLEAR_WIN * float(np.abs(logits).max()):
                return moved
        return None

    def _concluded(self, status: Outcome, adversarial: Vector | None, predicted: int) -> Verdict:
        specification = self._specification
        shape = specification.form.input_shape
        shaped = None if adversarial is None else adversarial.reshape(shape)
        precision = Precision.NONE
        if shaped is not None and adversarial is not None:
            box = Box.around(self._image, shape)
            distance = specification.distance.value(adversarial - self._image, box)
            precision = check_attack(
                specification.network,
                image=self._image.reshape(shape),
                adversarial=shaped,
                claimed=distance,
                measured=distance,
                surplus=self._surplus,
                folder=specification.failures,
                ball=(self._ball.radius, self._ball.norm),
            )
        return Verdict(
            status=status,
            adversarial=shaped,
            precision=precision,
            predicted=predicted,
            evidence=self._evidence if status is Outcome.ROBUST else Evidence.NONE,
            margins=self._margins / self._factor,
            tied=status is Outcome.UNKNOWN and bool(self._margins.min() > _TIED),
            unstable=self._unstable,
            nodes=self._nodes,
            solver=self._solver,
            reason=self._reason,
            seconds=time.perf_counter() - self._begun,
            phases=self._phases.seconds,
        )


def _alive(sides: list[Sides]) -> list[NDArray[np.intp]]:
    """The neurons of each layer that may be active."""
    return [np.flatnonzero((each.upper[0] > 0).numpy()) for each in sides[:-1]]
