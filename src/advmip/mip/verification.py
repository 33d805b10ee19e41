"""From the smallest attack to no attack: proof that a whole ball of images keeps its class.

What a proof needs is found out from cheap to dear, each class that may win being dropped as soon as
it is excluded: intervals, linear forms pulled back to the image, a gradient attack, linear programs
that tighten what is open, and a mixed-integer program for each class that is left (Tjeng 2019).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from advmip.checking.attacks import check_attack
from advmip.errors import InputError
from advmip.mip.attack import pixels_of
from advmip.mip.ball_attack import attack_in_ball
from advmip.mip.bounds import relaxation_bounds
from advmip.mip.bounds.balls import Ball
from advmip.mip.bounds.linear import LinearBounds, Sides, margin_forms
from advmip.mip.bounds.operators import matrix_stages
from advmip.mip.distances import Box, distance_named
from advmip.mip.encoding import Interval, unstable_neurons
from advmip.mip.formulations import BigM, Formulation
from advmip.mip.formulations.common import CommonBound
from advmip.mip.formulations.triangle import Triangle
from advmip.mip.margins import lead, runner_up
from advmip.mip.model import Model, Vector
from advmip.mip.problem import Encoding, Problem, encode
from advmip.mip.solvers import Options, choose
from advmip.mip.solvers.linear_program import LinearProgram
from advmip.mip.targets import Anything
from advmip.networks.network import Network
from advmip.networks.staged import StagedNetwork
from advmip.networks.staging import staged

# Subtracted from what a solver proves, relatively, besides what its tolerances may do.
_TOLERANCE = 1e-6
# Where the network's own sums may be rounded by more than this, no solver's word counts.
_SOLVER_ROUNDING = 1e-7
# An adversarial image must win by this share of the largest logit: by more than float64 rounds.
_CLEAR_WIN = 1e-9


class Outcome(StrEnum):
    """What is known of a ball of images."""

    ROBUST = "robust"  # proved: every image in it keeps the class
    ATTACKABLE = "attackable"  # an image in it has another class
    UNKNOWN = "unknown"  # neither, within the time or beyond rounding
    MISCLASSIFIED = "misclassified"  # the image itself has another class


class Evidence(StrEnum):
    """What excludes the last class that might have won."""

    NONE = ""
    INTERVAL = "interval"
    LINEAR = "linear"
    RELAXATION = "lp"
    MIXED_INTEGER = "mip"


@dataclass(frozen=True)
class VerificationIngredients:
    """What verification consists of; each may be left out, as in Tjeng's Table 1.

    Attributes:
        progressive: Bounds are made tighter step by step, where a sign is still open; otherwise
            two linear programs bound every neuron.
        ball: Neurons are bounded over the ball around the image, not over all images.
        tight: Each neuron has its own bounds in the programs, not the largest of all.
        shortcuts: Linear forms and a gradient attack settle what they can before any program;
            otherwise intervals, linear and mixed-integer programs do all of it, as published.
    """

    progressive: bool = True
    ball: bool = True
    tight: bool = True
    shortcuts: bool = True

    @property
    def forms(self) -> bool:
        """Whether linear forms bound neurons and margins."""
        return self.progressive and self.shortcuts


@dataclass(frozen=True)
class Verdict:
    """Whether an image is robust.

    An image is *attackable* if some image in the ball and in [0, 1] has another class whose logit
    is at least that of the true class, and *robust* if there is none; a tie is a win for the
    attacker. (The images that are found win outright, by more than rounding.)

    Attributes:
        status: "robust", "attackable", "unknown" or "misclassified".
        adversarial: An image in the ball with another class, confirmed by the network itself; None
            unless attackable.
        predicted: The network's class of that image, or of a misclassified one; else the label.
        evidence: What a robust verdict rests on, "interval", "linear", "lp" or "mip": the dearest
            that was needed for any class. Empty otherwise.
        margins: For each class j a proved lower bound of o_y - o_j over the ball; inf for the true
            class y, -inf where nothing was proved.
        unstable: Neurons whose sign was open at the end.
        nodes: Nodes of the solver's trees.
        solver: The solver that was taken; empty if none was needed.
        reason: Why it was, or why none was allowed to decide.
        seconds: Wall time of everything.
        phases: Seconds by phase.
    """

    status: Outcome
    adversarial: NDArray[np.float64] | None
    predicted: int
    evidence: Evidence
    margins: Vector
    unstable: int
    nodes: int
    solver: str
    reason: str
    seconds: float
    phases: dict[str, float] = field(repr=False)


class Verifier:
    """Verifies images on one network, for one kind of ball.

    Args:
        network: The network.
        epsilon: The ball's radius, above 0 and at most the distance of two images.
        norm: "linf", "l1" or "l2".
        time_limit: Seconds for each image, above 0.
        solver: "auto", "gurobi", "scip" or "highs".
        threads: Threads of the solver.
        seed: Of the gradient attack and the solver.
        ingredients: What verification consists of.
        failures: The folder for an adversarial image that fails its check.

    Raises:
        InputError: A number is out of range, there is no such norm, or the network has an
            operation that is not supported.
    """

    def __init__(
        self,
        network: Network,
        epsilon: float = 0.1,
        norm: str = "linf",
        *,
        time_limit: float = 300.0,
        solver: str = "auto",
        threads: int = 1,
        seed: int = 0,
        ingredients: VerificationIngredients | None = None,
        failures: Path = Path("failures"),
    ) -> None:
        self.network = network
        self.form = staged(network)
        self.stages = matrix_stages(self.form)
        self.epsilon = epsilon
        self.norm = norm
        self.solver = solver
        self.options = Options(time_limit=time_limit, threads=threads, seed=seed)
        self.ingredients = ingredients or VerificationIngredients()
        self.failures = failures
        Ball(torch.zeros(1, 1), epsilon, norm)  # refuses norms that only distances have
        self.distance = distance_named(norm)
        farthest = {"linf": 1.0, "l1": self.form.pixels, "l2": np.sqrt(self.form.pixels)}[norm]
        for name, number, right, expected in (
            ("epsilon", epsilon, 0 < epsilon <= farthest, f"above 0, at most {farthest:g}"),
            ("time_limit", time_limit, time_limit > 0, "seconds, above 0"),
        ):
            if not right:
                raise InputError(
                    subject=f"{name} of the verification",
                    found=str(number),
                    expected=expected,
                    mend=f"correct {name}",
                )

    def verdict(self, image: NDArray[np.floating], label: int) -> Verdict:
        """Verify an image.

        Args:
            image: In [0, 1], of the network's input shape.
            label: Its true class.

        Raises:
            InputError: The image does not fit or leaves [0, 1], or there is no such class.
            CheckError: The network itself does not confirm an adversarial image.
        """
        if label not in range(self.form.classes):
            raise InputError(
                subject="label of the image",
                found=str(label),
                expected=f"a class from 0 to {self.form.classes - 1}",
                mend="correct the label",
            )
        return _Run(self, pixels_of(self.form, image), label).verdict()


def verify(
    network: Network,
    image: NDArray[np.floating],
    label: int,
    epsilon: float = 0.1,
    norm: str = "linf",
    time_limit: float = 300.0,
    solver: str = "auto",
    threads: int = 1,
    seed: int = 0,
    ingredients: VerificationIngredients | None = None,
    failures: Path = Path("failures"),
) -> Verdict:
    """Prove that a ball around an image holds no adversarial example, or find one.

    For many images on one network, a `Verifier` prepares the network once.

    Args:
        network: The network.
        image: In [0, 1], of the network's input shape.
        label: Its true class.
        epsilon: The ball's radius, above 0 and at most the distance of two images.
        norm: "linf", "l1" or "l2".
        time_limit: Seconds, above 0.
        solver: "auto", "gurobi", "scip" or "highs".
        threads: Threads of the solver.
        seed: Of the gradient attack and the solver.
        ingredients: What verification consists of.
        failures: The folder for an adversarial image that fails its check.

    Raises:
        InputError: The image does not fit or leaves [0, 1], or a name or number is not one that is
            known.
        CheckError: The network itself does not confirm an adversarial image.
    """
    verifier = Verifier(
        network,
        epsilon,
        norm,
        time_limit=time_limit,
        solver=solver,
        threads=threads,
        seed=seed,
        ingredients=ingredients,
        failures=failures,
    )
    return verifier.verdict(image, label)


class _Run:
    """The verification of one image: what is proved so far, and what it took."""

    def __init__(self, verifier: Verifier, image: Vector, label: int) -> None:
        self._verifier = verifier
        self._image = image
        self._label = label
        self._begun = time.perf_counter()
        self._deadline = self._begun + verifier.options.time_limit
        self._margins = np.full(verifier.form.classes, -np.inf)
        self._margins[label] = np.inf
        self._evidence = Evidence.NONE
        self._phases = {"interval": 0.0, "linear": 0.0, "attack": 0.0, "lp": 0.0, "mip": 0.0}
        self._unstable = self._nodes = 0
        self._solver = self._reason = ""
        # By how much margins move if every neuron's input does by 1; what rounding does to them.
        self._weight = np.full(verifier.form.classes, np.inf)
        self._rounding = np.inf
        images = torch.from_numpy(image[None])
        self._ball = Ball(images, verifier.epsilon, verifier.norm)
        bounded = verifier.epsilon if verifier.ingredients.ball else np.inf
        self._region = Ball(images, bounded, verifier.norm)

    def verdict(self) -> Verdict:
        """Go from cheap to dear until every class is excluded or one wins."""
        logits = self._verifier.form.logits(self._image)
        if lead(logits, self._label) >= 0:
            rival = runner_up(logits, self._label)
            return self._concluded(Outcome.MISCLASSIFIED, None, rival)
        form, bounds = self._bounded()
        adversarial = None
        if self._open.size and self._verifier.ingredients.shortcuts:
            with self._timed("attack"):
                seed, rivals = self._verifier.options.seed, self._open.tolist()
                network = self._verifier.network
                points = attack_in_ball(network, self._ball, self._label, rivals, seed)
                adversarial = self._won(points.numpy())
        if self._open.size and adversarial is None:
            adversarial = self._solved(form, bounds)
        if adversarial is not None:
            predicted = int(self._verifier.form.logits(adversarial).argmax())
            return self._concluded(Outcome.ATTACKABLE, adversarial, predicted)
        status = Outcome.UNKNOWN if self._open.size else Outcome.ROBUST
        return self._concluded(status, None, self._label)

    @property
    def _open(self) -> NDArray[np.intp]:
        """The classes that may still win, the most likely first."""
        ordered = np.argsort(self._margins, kind="stable")
        return ordered[self._margins[ordered] <= 0]

    @torch.no_grad()
    def _bounded(self) -> tuple[StagedNetwork, list[Interval]]:
        """The network without dead neurons, and bounds of the others, without any solver."""
        form = self._verifier.form
        with self._timed("interval"):
            sides = LinearBounds(self._verifier.stages, self._region).by_intervals()
            lower, upper = sides[-1].lower[0].numpy(), sides[-1].upper[0].numpy()
            self._raise(Evidence.INTERVAL, lower[self._label] - upper)
        with self._timed("linear"):
            alive = _alive(sides)
            form = form.keeping(alive)
            linear = LinearBounds(matrix_stages(form), self._region)
            if self._verifier.ingredients.forms and self._open.size:
                sides = linear.by_forms()
            else:
                sides = linear.by_intervals()
            labels = torch.tensor([self._label])
            forms = linear.forms(margin_forms(labels, form.classes, torch.float64))
            if self._verifier.ingredients.forms:
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
        with self._timed("lp"):
            bounds, candidates = self._relaxed(form, bounds)
            adversarial = self._won(candidates)
        for rival in self._open:
            if adversarial is not None or time.perf_counter() > self._deadline:
                break
            with self._timed("mip"):
                adversarial = self._decided(form, bounds, int(rival))
        return adversarial

    def _problem(self, form: StagedNetwork, ball: Ball) -> Problem:
        box = Box.around(self._image, form.input_shape).within(ball.radius)
        distance = self._verifier.distance
        return Problem(form, self._image, distance, Anything(), box, ball.radius)

    def _formulation(self, formulation: Formulation, bounds: list[Interval]) -> Formulation:
        if self._verifier.ingredients.tight:
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
            self._deadline,
            formulation=triangle,
            every=not self._verifier.ingredients.progressive,
            substitute=True,
        )
        bounds = bounds if tightened is None else tightened
        self._unstable = unstable_neurons(bounds)
        encoding = self._encoded(form, bounds, triangle)
        # All columns are bounded: from nothing, the dual simplex method starts feasible, where the
        # primal one has stalled for minutes.
        program = LinearProgram(encoding.model, "dual")
        program.limit_time(self._deadline - time.perf_counter())
        margins, candidates = np.full_like(self._margins, -np.inf), []
        for rival in self._open:
            if time.perf_counter() > self._deadline:
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
        choice = choose(self._verifier.solver, model)
        self._solver, self._reason = choice.solver.name, choice.reason
        options = self._verifier.options
        tolerance = self._slack(0.0) + options.feasibility * float(self._weight[rival])
        solution = choice.solver.solve(
            model, options.deciding(self._deadline - time.perf_counter(), tolerance)
        )
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
        """The point (pixels,) that wins by most, moved into ball and box; None if none does."""
        if not len(points):
            return None
        best, most = None, 0.0
        for point in np.asarray(points):
            change = np.clip(point, 0.0, 1.0) - self._image
            length = self._verifier.distance.value(change, Box.around(self._image, ()))
            moved = self._image + change * min(1.0, self._verifier.epsilon / max(length, 1e-300))
            moved = np.clip(moved, 0.0, 1.0)
            logits = self._verifier.form.logits(moved)
            win = lead(logits, self._label)
            if win > max(most, _CLEAR_WIN * (1.0 + float(np.abs(logits).max()))):
                best, most = moved, win
        return best

    def _concluded(self, status: Outcome, adversarial: Vector | None, predicted: int) -> Verdict:
        verifier = self._verifier
        shaped = None if adversarial is None else adversarial.reshape(verifier.form.input_shape)
        if shaped is not None and adversarial is not None:
            box = Box.around(self._image, verifier.form.input_shape)
            distance = verifier.distance.value(adversarial - self._image, box)
            check_attack(
                verifier.network,
                image=self._image.reshape(verifier.form.input_shape),
                adversarial=shaped,
                claimed=distance,
                measured=distance,
                surplus=lambda logits: lead(logits, self._label),
                folder=verifier.failures,
                radius=verifier.epsilon,
            )
        return Verdict(
            status=status,
            adversarial=shaped,
            predicted=predicted,
            evidence=self._evidence if status is Outcome.ROBUST else Evidence.NONE,
            margins=self._margins,
            unstable=self._unstable,
            nodes=self._nodes,
            solver=self._solver,
            reason=self._reason,
            seconds=time.perf_counter() - self._begun,
            phases=self._phases,
        )

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self._phases[phase] += time.perf_counter() - begun


def _alive(sides: list[Sides]) -> list[NDArray[np.intp]]:
    """The neurons of each layer that may be active."""
    return [np.flatnonzero((each.upper[0] > 0).numpy()) for each in sides[:-1]]
