"""The smallest perturbation that changes a network's decision, with proof."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advmip.checking.attacks import check_attack
from advmip.errors import InputError
from advmip.mip.bounds import interval_bounds, network_bounds, relaxation_bounds
from advmip.mip.distances import Box, Distance, distance_named
from advmip.mip.encoding import Interval
from advmip.mip.formulations import Formulation, formulation_named
from advmip.mip.incumbents import Incumbent, PatternProgram, best_of, search
from advmip.mip.model import Vector
from advmip.mip.problem import Problem, encode
from advmip.mip.solvers import Options, Status, choose
from advmip.mip.targets import Goal, Targeted, Untargeted
from advmip.networks.network import Network
from advmip.networks.staged import StagedNetwork
from advmip.networks.staging import staged

PROGRESSIVE = "progressive"

# Bounds are tightened again as long as this share of the unstable neurons becomes stable.
_WORTH_ANOTHER_ROUND = 0.1
_ROUNDS = 4
# An attack nearer by this factor is worth tightening the bounds for it, and starting again.
_WORTH_A_RESTART = 0.98
_FIRST_SLICE = 1.0

# One model for every class that may win.
_ALL = -1

_log = logging.getLogger(__name__)

Trace = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Attack:
    """The answer to one question: how near is the nearest adversarial example?

    Attributes:
        status: "optimal" (with proof), "feasible" (an attack without proof), "infeasible" (proved
            that there is none), "unknown" (neither within the time).
        distance: Of the attack; inf without one.
        lower_bound: No attack is nearer than this.
        adversarial: The attacked image, in the image's shape; None without one.
        predicted: The class that the network gives it; None without one.
        nodes: Nodes of the solver's search trees.
        seconds: Wall time of everything.
        phases: Seconds of the search, of the bounds and of the solver.
        unstable: How many of the network's neurons kept a binary, in the largest model.
        solver: The solver that was taken; empty if none was needed.
        reason: Why it was.
        trace: Seconds, best distance and lower bound, whenever one of them changed.
    """

    status: Status
    distance: float
    lower_bound: float
    adversarial: NDArray[np.float64] | None
    predicted: int | None
    nodes: int
    seconds: float
    phases: dict[str, float]
    unstable: int
    solver: str
    reason: str
    trace: Trace = field(repr=False)


def minimal_attack(
    network: Network,
    image: NDArray[np.floating],
    label: int,
    distance: str | Distance = "linf",
    target: int | None = None,
    ratio: float = 1.0,
    margin: float = 1e-6,
    formulation: str | Formulation = "big-m",
    bounds: str | Sequence[Interval] = PROGRESSIVE,
    solver: str = "auto",
    time_limit: float = 300.0,
    gap: float = 1e-4,
    threads: int = 1,
    seed: int = 0,
    failures: Path = Path("failures"),
) -> Attack:
    """Find the nearest image that the network classifies otherwise.

    With bounds "progressive", a gradient search and the linear programs of activation patterns
    give a first attack. Its distance U cuts the box to the ball {distance <= U}, over which the
    neurons are bounded by intervals, then by linear programs over the whole problem; what becomes
    stable loses its binary. The solver must only beat U. When it finds a clearly nearer attack
    early, the ball shrinks again.

    Args:
        network: The network.
        image: In [0, 1], of the network's input shape.
        label: Its true class, which the network must predict.
        distance: "l0", "l1", "l2", "l2-K" (K breakpoints), "linf", "tv", "tv-isotropic", "l1+tv",
            or a `Distance`.
        target: The class to be reached; any other class if left out.
        ratio: The factor by which the winner's logit must exceed the others', at least 1 (1.2 in
            Fischetti & Jo and in Zhu, equation (15)).
        margin: By how much it must exceed them besides, above 0.
        formulation: "big-m", "indicator", "partition", or a `Formulation`.
        bounds: "progressive", a method of `network_bounds`, or bounds that hold over [0, 1].
        solver: "auto", "gurobi", "scip" or "highs".
        time_limit: Seconds, above 0; bounds over the whole box that are named come on top.
        gap: The relative gap that counts as proof.
        threads: Threads of the solver.
        seed: Of the search and the solver.
        failures: The folder for an answer that fails its check.

    Raises:
        InputError: The image does not fit or leaves [0, 1], the network does not predict the
            label, the target is the label, or a name or number is not one that is known.
        CheckError: The network itself does not confirm the answer.
    """
    begun = time.perf_counter()
    form = staged(network)
    _check_numbers(ratio=ratio, margin=margin, time_limit=time_limit, gap=gap)
    pixels = _pixels(form, image)
    goal = _goal(form, pixels, label, target, ratio, margin)
    measure = distance_named(distance) if isinstance(distance, str) else distance
    shape = formulation_named(formulation) if isinstance(formulation, str) else formulation
    problem = Problem(form, pixels, measure, goal, Box.around(pixels, form.input_shape))
    options = Options(time_limit=time_limit, threads=threads, gap=gap, seed=seed)
    hunt = _Hunt(problem, shape, solver, options, begun)
    if isinstance(bounds, str) and bounds == PROGRESSIVE:
        hunt.progressively()
    else:
        hunt.plainly(network_bounds(form, bounds) if isinstance(bounds, str) else list(bounds))
    attack = hunt.answer()
    if attack.adversarial is not None:
        check_attack(
            network,
            image=pixels.reshape(form.input_shape),
            adversarial=attack.adversarial,
            claimed=attack.distance,
            measured=measure.value(attack.adversarial.ravel() - pixels, problem.box),
            surplus=lambda logits: float(goal.surplus(logits)) + margin,
            folder=failures,
        )
    return attack


class _Hunt:
    """One attack under way: the best attack and the bound so far, and what they took."""

    def __init__(
        self,
        problem: Problem,
        formulation: Formulation,
        solver: str,
        options: Options,
        begun: float,
    ) -> None:
        self._problem = problem
        self._formulation = formulation
        self._solver = solver
        self._options = options
        self._begun = begun
        self._incumbent: Incumbent | None = None
        # By the class that may win: no attack towards it is nearer.
        self._bounds = {_ALL: 0.0}
        self._proved = False
        self._nodes = 0
        self._unstable = 0
        self._taken = ("", "")
        self._phases = {"search": 0.0, "bounds": 0.0, "solver": 0.0}
        self._trace: list[tuple[float, float, float]] = []

    def plainly(self, bounds: list[Interval]) -> None:
        """Give the whole problem to the solver, as one model."""
        self._proved = self._solve(self._problem, bounds, self._left, _ALL)

    def progressively(self) -> None:
        """Search; then, for each class that may win, shrink the ball, tighten and solve."""
        problem = self._problem
        with self._timed("search"):
            bounds = interval_bounds(problem)
            self._improve(search(problem, bounds, seed=self._options.seed))
        _log.info("search: best distance %.6g (%.1f s)", self._radius, self._phases["search"])
        rivals = problem.goal.rivals(problem.network.logits(problem.image))
        self._bounds = dict.fromkeys(rivals, 0.0)
        self._proved = all([self._settled(rival) for rival in rivals])

    def _settled(self, rival: int) -> bool:
        """Find the best attack towards one class, or that none is nearer; whether in time."""
        towards = self._problem.towards(rival)
        while self._left > 0:
            problem = towards.within(self._radius)
            with self._timed("bounds"):
                tightened = self._tightened(problem)
            if tightened is None:
                self._raise_bound(rival, self._radius)
                return True
            _log.info(
                "class %d: %d of %d neurons open",
                rival,
                _unstable(tightened),
                problem.network.neurons,
            )
            if self._solve(problem, tightened, min(_FIRST_SLICE, self._left), rival):
                return True
            if not self._radius < _WORTH_A_RESTART * problem.radius:
                return self._solve(problem, tightened, self._left, rival)
        return False

    def answer(self) -> Attack:
        """What was found and proved."""
        found = self._incumbent
        if found is None:
            status = Status.INFEASIBLE if self._proved else Status.UNKNOWN
            adversarial, predicted = None, None
        else:
            status = Status.OPTIMAL if self._proved else Status.FEASIBLE
            # Rounding of the sum may leave the box by the last bit.
            shown = np.clip(self._problem.image + found.change, 0.0, 1.0)
            adversarial = shown.reshape(self._problem.network.input_shape)
            predicted = int(np.argmax(self._problem.network.logits(shown)))
        return Attack(
            status=status,
            distance=self._radius,
            lower_bound=self._lower_bound,
            adversarial=adversarial,
            predicted=predicted,
            nodes=self._nodes,
            seconds=time.perf_counter() - self._begun,
            phases=self._phases,
            unstable=self._unstable,
            solver=self._taken[0],
            reason=self._taken[1],
            trace=tuple(self._trace),
        )

    @property
    def _left(self) -> float:
        return self._options.time_limit - (time.perf_counter() - self._begun)

    @property
    def _lower_bound(self) -> float:
        return min(*self._bounds.values(), self._radius)

    def _raise_bound(self, rival: int, bound: float) -> None:
        self._bounds[rival] = max(self._bounds[rival], bound)

    @property
    def _radius(self) -> float:
        return np.inf if self._incumbent is None else self._incumbent.value

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self._phases[phase] += time.perf_counter() - begun

    def _improve(self, found: Incumbent | None) -> None:
        if found is not None and found.value < self._radius:
            self._incumbent = found
            self._note(time.perf_counter() - self._begun, found.value, self._lower_bound)

    def _note(self, seconds: float, distance: float, lower_bound: float) -> None:
        state = (min(distance, self._radius), lower_bound)
        if not self._trace or self._trace[-1][1:] != state:
            self._trace.append((seconds, *state))

    def _tightened(self, problem: Problem) -> list[Interval] | None:
        """Bounds over the ball; None if nothing nearer exists."""
        bounds = interval_bounds(problem)
        for _ in range(_ROUNDS):
            before = _unstable(bounds)
            if self._left <= 0 or not before:
                break
            found = relaxation_bounds(problem, bounds)
            if found is None:
                return None
            bounds = found
            if _unstable(bounds) > (1 - _WORTH_ANOTHER_ROUND) * before:
                break
        return bounds

    def _solve(self, problem: Problem, bounds: list[Interval], seconds: float, rival: int) -> bool:
        """Give a problem to the solver and take over what it finds; whether it came to an end."""
        _check_bounds(bounds, self._formulation)
        measure = problem.distance
        with self._timed("solver"):
            encoding = encode(problem, bounds, self._formulation)
            choice = choose(self._solver, encoding.model)
            options = self._options.within(
                seconds, cutoff=measure.cutoff(self._radius, self._options.gap)
            )
            _log.info(
                "%s: at most %.0f s (%s)", choice.solver.name, options.time_limit, choice.reason
            )
            started = time.perf_counter() - self._begun
            solution = choice.solver.solve(encoding.model, options)
            for passed, value, bound in solution.trace:
                self._raise_bound(rival, min(measure.distance(bound), self._radius))
                self._note(started + passed, measure.distance(value), self._lower_bound)
            if solution.point is not None:
                self._improve(self._polished(problem, encoding.change.values(solution.point)))
        self._unstable = max(self._unstable, _unstable(bounds))
        self._taken = choice.solver.name, choice.reason
        self._nodes += solution.nodes
        return solution.status in (Status.OPTIMAL, Status.INFEASIBLE)

    def _polished(self, problem: Problem, change: Vector) -> Incumbent | None:
        """The solver's point, or a better one of its pattern, free of the solver's tolerances."""
        rival = problem.goal.rival(problem.network.logits(problem.image + change))
        program = PatternProgram(problem.towards(rival), interval_bounds(problem))
        clipped = np.clip(change, problem.box.lower, problem.box.upper)
        return best_of(problem, [clipped, program.descend(change)])


def _unstable(bounds: Sequence[Interval]) -> int:
    """How many neurons need a binary."""
    return sum(interval.unstable.size for interval in bounds[:-1])


def _check_bounds(bounds: Sequence[Interval], formulation: Formulation) -> None:
    """Without bounds a neuron has no M; indicators alone do without."""
    finite = all(np.isfinite([each.lower, each.upper]).all() for each in bounds[:-1])
    if not finite and formulation.needs_bounds:
        raise InputError(
            subject=f"formulation {formulation.name}",
            found="neurons without bounds",
            expected="finite bounds of every neuron",
            mend='choose bounds "interval" or tighter, or formulation "indicator"',
        )


def _pixels(network: StagedNetwork, image: NDArray[np.floating]) -> Vector:
    """The image (pixels,) in float64, checked."""
    array = np.asarray(image, np.float64)
    if array.shape != network.input_shape:
        raise InputError(
            subject="image to attack",
            found=f"an array of shape {array.shape}",
            expected=f"shape {network.input_shape}, the network's input without a batch axis",
            mend="reshape the image, or name another network",
        )
    if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
        raise InputError(
            subject="image to attack",
            found=f"pixels from {array.min():.6g} to {array.max():.6g}",
            expected="finite pixels in [0, 1]",
            mend="divide by 255 if the pixels are bytes; undo a normalisation",
        )
    return array.ravel()


def _goal(
    network: StagedNetwork,
    image: Vector,
    label: int,
    target: int | None,
    ratio: float,
    margin: float,
) -> Goal:
    for name, number in (("label", label), ("target", target)):
        if number is not None and number not in range(network.classes):
            raise InputError(
                subject=f"{name} of the attack",
                found=str(number),
                expected=f"a class from 0 to {network.classes - 1}",
                mend=f"correct the {name}",
            )
    predicted = int(np.argmax(network.logits(image)))
    if predicted != label:
        raise InputError(
            subject="image to attack",
            found=f"an image of class {label} that the network takes for {predicted}",
            expected="an image that the network classifies correctly",
            mend="choose another image: this one needs no attack",
        )
    if target is None:
        return Untargeted(label, network.classes, ratio, margin)
    if target == label:
        raise InputError(
            subject="target of the attack",
            found=f"{target}, the true class",
            expected="another class, or none for any other class",
            mend="choose another target",
        )
    return Targeted(target, network.classes, ratio, margin)


def _check_numbers(*, ratio: float, margin: float, time_limit: float, gap: float) -> None:
    for name, number, right, expected in (
        ("ratio", ratio, 1 <= ratio < np.inf, "1 or more"),
        ("margin", margin, 0 < margin < np.inf, "a number above 0"),
        ("time_limit", time_limit, time_limit > 0, "seconds, above 0"),
        ("gap", gap, 0 <= gap < 1, "from 0 to below 1"),
    ):
        if not right:
            raise InputError(
                subject=f"{name} of the attack",
                found=str(number),
                expected=expected,
                mend=f"correct {name}",
            )
