"""The search for the nearest attack and its proof: attack, ball, bounds, solver, and again.

What is open at the end has some time for its lower bound alone, in small balls that grow.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from advmip.checking.replay import Precision
from advmip.errors import InputError
from advmip.mip.attack_tree import STRATEGIES
from advmip.mip.bounds import (
    FormBounds,
    interval_bounds,
    patience,
    tightened_bounds,
    tightened_further,
)
from advmip.mip.deadline import OutOfTimeError, as_far_as, checkpoint, until
from advmip.mip.encoding import Interval, unstable_neurons
from advmip.mip.formulations import Formulation
from advmip.mip.heuristics.ball_attack import Logits
from advmip.mip.heuristics.incumbents import Incumbent, PatternProgram, best_of, corrected, search
from advmip.mip.model import Vector
from advmip.mip.preparation import prepare
from advmip.mip.problem import Problem
from advmip.mip.solvers import Options, Status

# An attack nearer by this factor is worth tightening the bounds for it, and starting again.
_WORTH_A_RESTART = 0.98
# The search has this share of the time at most: a proof needs the rest.
_SEARCH_SHARE = 0.25
# Distance cuts and the bounds under them have this share of the time left at most.
_DISTANCE_CUTS_SHARE = 0.25
# This share of the time, the last, is for bounds that are still open, in balls that grow by this
# factor, from this share of the radius on.
_CLIMBING_SHARE = 0.15
_GROWTH = 1.1
_LEAST = 0.01
# The largest ball that linear forms settle is known to this share.
_CLOSE = 0.95

# What the tolerances of solvers may take from a bound.
_TOLERANCE = 1e-5

# One model for every class that may win.
_ALL = -1

_log = logging.getLogger(__name__)

Trace = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Attack:
    """What an exact attack found and proved: how near is the nearest adversarial example?

    Attributes:
        status: "optimal" (with proof), "feasible" (an attack without proof), "infeasible" (proved
            that there is none), "unknown" (neither within the time).
        distance: Of the attack; inf without one.
        lower_bound: No attack is nearer than this.
        adversarial: The attacked image, in the network's input shape; None without one.
        precision: In which arithmetic the network itself confirms it: "float32", in float64 and in
            float32 by more than any library rounds; "float64", in float64 alone; else empty.
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
    precision: Precision
    predicted: int | None
    nodes: int
    seconds: float
    phases: dict[str, float]
    unstable: int
    solver: str
    reason: str
    trace: Trace = field(repr=False)


@dataclass(frozen=True)
class Ingredients:
    """What the progressive exact attack consists of; each may be left out, to see what it is worth.

    Attributes:
        search: A gradient search and the programs of activation patterns give a first attack.
        ball: The neurons are bounded over the ball of the best attack, not over the whole box.
        relaxation: They are bounded by linear forms and programs, not by intervals alone.
        restart: After a clearly nearer attack, the ball shrinks and the solver starts again.
        distance_cuts: Where the solver takes long, it starts again with rows that fall towards the
            image, or in exact L2 with priced products, and with the bounds that follow from them.
    """

    search: bool = True
    ball: bool = True
    relaxation: bool = True
    restart: bool = True
    distance_cuts: bool = True


# The whole exact attack, and the exact attack without one of its ingredients, by name.
PROGRESSIVE = "progressive"
PROGRESSIVE_VARIANTS = {
    PROGRESSIVE: Ingredients(),
    **{
        f"{PROGRESSIVE}-without-{each.name}": Ingredients(**{each.name: False})
        for each in fields(Ingredients)
    },
}


class ExactAttack:
    """One attack under way: the best attack and the bound so far, and what they took.

    Args:
        problem: The problem.
        formulation: Of the unstable neurons.
        solver: A solver's name, "auto", "mipverify", or one of `attack_tree.STRATEGIES`.
        options: For the solver; its time limit is that of everything.
        logits: The problem's network, to be differentiated.
        room: By how much attacks should exceed the goal besides, to be clear of rounding.
        begun: When the attack began, by `time.perf_counter`.
    """

    def __init__(
        self,
        problem: Problem,
        formulation: Formulation,
        solver: str,
        options: Options,
        logits: Logits,
        room: float,
        begun: float,
    ) -> None:
        self._problem = problem
        self._formulation = formulation
        self._solver = solver
        self._options = options
        self._logits = logits
        self._room = room
        self._begun = begun
        self._incumbent: Incumbent | None = None
        # By the class that may win: no attack towards it is nearer.
        self._bounds = {_ALL: 0.0}
        self._proved = False
        # Bounds within the ball of the best attack, and how many seconds they took.
        self._forms: FormBounds | None = None
        self._shared: list[Interval] | None = None
        self._bounding = 0.0
        self._nodes = 0
        self._unstable = 0
        self._taken = ("", "")
        self._phases = {"search": 0.0, "bounds": 0.0, "solver": 0.0}
        self._trace: list[tuple[float, float, float]] = []

    def plainly(self, bounds: list[Interval]) -> None:
        """Give the whole problem to the solver, as one model, or as a tree for each winner."""
        if self._solver not in STRATEGIES:
            self._proved = self._solve(self._problem, bounds, self._left, _ALL)
            return
        rivals = self._rivals()
        self._bounds = dict.fromkeys(rivals, 0.0)
        self._proved = all(
            [self._solve(self._problem.towards(each), bounds, self._left, each) for each in rivals]
        )

    def progressively(self, ingredients: Ingredients) -> None:
        """Search; then, for each class that may win, shrink the ball, tighten and solve."""
        problem = self._problem
        if ingredients.search:
            with self._timed("search"):
                until = self._begun + _SEARCH_SHARE * self._options.time_limit
                clear, seed = problem.clear_by(self._room), self._options.seed
                self._improve(search(clear, self._logits, seed=seed, deadline=until))
            _log.info("search: best distance %.6g (%.1f s)", self._radius, self._phases["search"])
        rivals = self._rivals()
        self._bounds = dict.fromkeys(rivals, 0.0)
        settled = all([self._settled(rival, ingredients) for rival in rivals])
        self._proved = settled or self._climbed()

    def _rivals(self) -> list[int]:
        """The classes that may win, the nearest first."""
        return self._problem.goal.rivals(self._problem.network.logits(self._problem.image))

    def _settled(self, rival: int, ingredients: Ingredients) -> bool:
        """Find the best attack towards one class, or that none is nearer; whether in time."""
        towards = self._problem.towards(rival)
        while self._left_to_settle > 0:
            problem = towards.within(self._radius) if ingredients.ball else towards
            with self._timed("bounds"), until(self._settling_until):
                tightened = (
                    self._tightened(problem, self._settling_until)
                    if ingredients.relaxation
                    else interval_bounds(problem)
                )
            if tightened is None:
                self._raise_bound(rival, self._radius)
                return True
            _log.info(
                "class %d: %d of %d neurons open",
                rival,
                unstable_neurons(tightened),
                problem.network.neurons,
            )
            if not ingredients.restart:
                return self._solve(problem, tightened, self._left_to_settle, rival)
            first = min(patience(problem, self._bounding), self._left_to_settle)
            farther = self._radius
            if self._solve(problem, tightened, first, rival):
                return True
            if self._radius < _WORTH_A_RESTART * farther:
                continue
            if ingredients.distance_cuts:
                with self._timed("bounds"):
                    share = time.perf_counter() + _DISTANCE_CUTS_SHARE * self._left_to_settle
                    found = tightened_further(problem, tightened, share)
                if found is None:
                    self._raise_bound(rival, self._radius)
                    return True
                problem, tightened = found
            return self._solve(problem, tightened, self._left_to_settle, rival)
        return False

    def _climbed(self) -> bool:
        """Raise the bounds that are left in balls that grow; whether all came to the best attack.

        Relaxations over the whole ball may have nothing to say, and depth first a tree's bound is
        its root's, but in a small ball few neurons are open.
        """
        if not np.isfinite(self._radius):
            return False
        self._raise_bounds_by_forms()
        done: set[int] = set()
        while self._left > 0:
            bounds = {
                rival: bound
                for rival, bound in self._bounds.items()
                if bound < self._radius and rival not in done
            }
            if not bounds:
                return True
            rival = min(bounds, key=bounds.__getitem__)
            smallest = max(bounds[rival], _LEAST * self._radius)
            radius = self._problem.distance.grown(smallest, _GROWTH)
            problem = self._problem.towards(rival).within(min(radius, self._radius))
            with self._timed("bounds"), until(self._deadline):
                tightened = self._tightened(problem, self._deadline)
            if tightened is None:
                self._raise_bound(rival, problem.radius)
                self._note(time.perf_counter() - self._begun, self._radius, self._lower_bound)
            elif not self._solve(problem, tightened, self._left, rival):
                break
            if problem.radius >= self._radius:
                done.add(rival)
        return False

    def _raise_bounds_by_forms(self) -> None:
        """Bisect the largest ball in which linear forms exclude every class."""
        excluded, open_ = self._lower_bound, self._radius
        while excluded < _CLOSE * open_ and open_ > _LEAST * self._radius and self._left > 0:
            middle = 0.5 * (excluded + open_)
            with self._timed("bounds"), until(self._deadline):
                forms = FormBounds(self._problem.within(middle))
                left = [
                    rival
                    for rival in self._bounds
                    if not forms.excludes(self._problem.towards(rival).goal)
                ]
            for rival in self._bounds.keys() - left:
                self._raise_bound(rival, middle)
            if left:
                open_ = middle
            else:
                excluded = middle
        self._note(time.perf_counter() - self._begun, self._radius, self._lower_bound)

    def _tightened(self, problem: Problem, deadline: float) -> list[Interval] | None:
        """Bounds within the ball; None if no attack towards the problem's class is in it.

        Where the goal is no part of them, they are the same for every class.
        """
        if self._forms is None or self._forms.radius != problem.radius:
            self._forms, self._shared, self._bounding = FormBounds(problem), None, 0.0
        if self._forms.excludes(problem.goal):
            return None
        if self._shared is None or problem.distance.counting:
            begun = time.perf_counter()
            self._shared = tightened_bounds(problem, self._forms.intervals, deadline)
            self._bounding = time.perf_counter() - begun
        return self._shared

    def clear_of_rounding(self, room: float) -> None:
        """Move the best attack to where it exceeds the goal by more, if that is within the gap."""
        found = self._incumbent
        if found is not None:
            clear = self._problem.clear_by(room).within(found.value * (1.0 + self._options.gap))
            if clear.distance.counting:
                clear = replace(clear, box=clear.box.on(found.change != 0.0))
            moved = self._nearest_of_pattern(clear, found.change)
            if moved is not None and moved.value <= clear.radius:
                self._incumbent = moved

    def answer(self) -> Attack:
        """What was found and proved."""
        found = self._incumbent
        if found is None:
            status = Status.INFEASIBLE if self._proved else Status.UNKNOWN
            adversarial, predicted = None, None
        else:
            status = Status.OPTIMAL if self._proved and self._tight else Status.FEASIBLE
            # Rounding of the sum may leave the box by the last bit.
            shown = np.clip(self._problem.image + found.change, 0.0, 1.0)
            adversarial = shown.reshape(self._problem.network.input_shape)
            predicted = int(np.argmax(self._problem.network.logits(shown)))
        return Attack(
            status=status,
            distance=self._radius,
            lower_bound=self._lower_bound,
            adversarial=adversarial,
            precision=Precision.NONE if found is None else Precision.FLOAT64,
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
    def _tight(self) -> bool:
        """Whether the bound has come to the best attack.

        A solver may end with a point that misses the goal by its tolerances, and that could not be
        mended: then its bound stands, and the attack that is known is farther.
        """
        measure = self._problem.distance
        asked = measure.cutoff(self._radius, self._options.gap)
        return measure.objective(self._lower_bound) >= asked * (1.0 - _TOLERANCE) - _TOLERANCE

    @property
    def _deadline(self) -> float:
        return self._begun + self._options.time_limit

    @property
    def _left(self) -> float:
        return self._deadline - time.perf_counter()

    @property
    def _settling_until(self) -> float:
        return self._begun + (1.0 - _CLIMBING_SHARE) * self._options.time_limit

    @property
    def _left_to_settle(self) -> float:
        return self._settling_until - time.perf_counter()

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
        try:
            yield
        finally:
            self._phases[phase] += time.perf_counter() - begun

    def _improve(self, found: Incumbent | None) -> None:
        if found is not None and found.value < self._radius:
            self._incumbent = found
            self._note(time.perf_counter() - self._begun, found.value, self._lower_bound)

    def _note(self, seconds: float, distance: float, lower_bound: float) -> None:
        state = (min(distance, self._radius), lower_bound)
        if not self._trace or self._trace[-1][1:] != state:
            self._trace.append((seconds, *state))

    def _solve(self, problem: Problem, bounds: list[Interval], seconds: float, rival: int) -> bool:
        """Give a problem to the solver and take over what it finds; whether it came to an end."""
        _check_bounds(bounds, self._formulation)
        measure = problem.distance
        with self._timed("solver"), until(self._deadline):
            try:
                checkpoint()
                prepared = prepare(problem, bounds, self._formulation, self._solver)
            except OutOfTimeError:
                return False
            # A ball smaller than that of the best attack has no attack to come near to.
            radius = min(problem.radius, self._radius)
            gap = self._options.gap if radius == self._radius else 0.0
            options = self._options.within(seconds, cutoff=measure.cutoff(radius, gap))
            _log.info(
                "%s: at most %.0f s (%s)", prepared.solver, options.time_limit, prepared.reason
            )
            started = time.perf_counter() - self._begun
            solution = prepared.solve(options)
            found = None
            if solution.point is not None:
                found = self._polished(problem, prepared.lifted(solution.point))
            # The solver's points count as far as the network confirms the last of them.
            nearest = self._radius if found is None else found.value
            for passed, value, bound in solution.trace:
                self._raise_bound(rival, min(measure.distance(bound), radius))
                distance = max(measure.distance(value), nearest)
                self._note(started + passed, distance, self._lower_bound)
            self._improve(found)
        self._unstable = max(self._unstable, unstable_neurons(bounds))
        self._taken = prepared.solver, prepared.reason
        self._nodes += solution.nodes
        return solution.status in (Status.OPTIMAL, Status.INFEASIBLE)

    def _polished(self, problem: Problem, change: Vector) -> Incumbent | None:
        """The solver's point, or a better one of its pattern, free of the solver's tolerances.

        Where none that is clear of rounding is as near, one that is not.
        """
        clear = self._nearest_of_pattern(problem.clear_by(self._room), change)
        reached = problem.distance.value(change, problem.box) * (1.0 + self._options.gap)
        if clear is not None and clear.value <= reached:
            return clear
        nearest = self._nearest_of_pattern(problem, change)
        return min(filter(None, (clear, nearest)), key=lambda each: each.value, default=None)

    def _nearest_of_pattern(self, problem: Problem, change: Vector) -> Incumbent | None:
        """The best point of a perturbation's pattern, or that point moved across the border."""
        candidates = [corrected(problem, problem.box.clipped(change))]
        with as_far_as(self._deadline):
            checkpoint()
            rival = problem.goal.rival(problem.network.logits(problem.image + change))
            bounds = FormBounds(problem).intervals
            program = PatternProgram(problem.towards(rival), bounds, self._deadline)
            candidates.append(program.descend(change))
        return best_of(problem, candidates)


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
