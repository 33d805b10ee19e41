"""Good attacks before any proof: gradient steps, the best point of a pattern, nearby patterns.

Once it is fixed which neurons are active, the network is affine and the nearest point of the
pattern is a linear program (for L2 a quadratic one). Where its optimum lies on the border to a
neighbouring pattern and the border's multiplier pulls towards it, the neighbour is at least as
good: the search goes there, and on, until no border pulls.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from advmip.mip.bounds.balls import Ball
from advmip.mip.bounds.form_bounds import FormBounds
from advmip.mip.deadline import as_far_as, checkpoint, is_up, until
from advmip.mip.distances.no_distance import NoDistance
from advmip.mip.encoding import Interval
from advmip.mip.formulations.complementarity import Parts
from advmip.mip.heuristics.ball_attack import Logits, attack_in_ball
from advmip.mip.model import Flags, Indices, Model, Vector
from advmip.mip.problem import Problem, encode
from advmip.mip.programs.linear_program import LinearProgram
from advmip.mip.programs.quadratic_program import QuadraticProgram
from advmip.mip.projection import Projection, projected

# A point may miss the goal's margin by so much, but by no more than half of it.
_MISSED = 1e-6
_STEPS = 60
_FLIPS = 200
# A neuron whose input is this close to 0 lies on the border of its pattern.
_BORDER = 1e-7
_PULL = 1e-9
# A point that misses the goal by a solver's tolerances is across it after a step or two.
_CORRECTIONS = 4
# A chain from a neighbouring pattern is given up where it is worse by more than this factor.
_PROMISING = 1.1
# So many neighbours are tried, those first whose neuron is nearest to its border.
_NEIGHBOURS = 100
# A radius within which gradient steps lead to an attack is known to this share.
_CLOSE = 0.95
# Where attacks are sought in balls; in L1 gradient steps for few pixels are as good and cheaper.
_BALLS = ("linf", "l2")
# In a ball this much larger than the smallest with an attack, attacks on all classes are sought.
_BESIDE = 1.3
# For an attack nearer by this factor, the programs of patterns are made anew.
_SMALLER = 0.9
# A neighbouring pattern is moved to if it is better by this factor.
_CLEARLY = 1e-4


@dataclass(frozen=True)
class Incumbent:
    """An attack that is known.

    Attributes:
        change: The perturbation (pixels,).
        value: Its distance.
    """

    change: Vector
    value: float


def search(
    problem: Problem,
    logits: Logits,
    *,
    starts: int = 8,
    seed: int = 0,
    deadline: float = np.inf,
) -> Incumbent | None:
    """A good attack, without proof.

    Args:
        problem: The problem.
        logits: The problem's network, to be differentiated.
        starts: Gradient searches; the better half of their ends is improved by patterns.
        seed: Of the starts.
        deadline: When to stop at the latest, by `time.perf_counter`.

    Returns:
        The best attack found, or None.
    """

    def order(change: Vector) -> tuple[float, float]:
        return _shortfall(problem, change), _distance(problem, change)

    with until(deadline):
        changes = [point - problem.image for point in gradient_points(problem, starts, seed)]
        changes += ball_changes(problem, logits, best_of(problem, changes), seed)
    candidates = changes[:]
    with as_far_as(deadline):
        checkpoint()
        near = _Ball(problem, changes, deadline)
        changes += relaxed_points(near.problem, near.bounds, deadline)
        changes.sort(key=order)
        candidates = changes[:]
        for change in _to_improve(problem, changes, -(-starts // 2)):
            checkpoint()
            candidates.append(near.patterns(change).descend(change))
            near = near.shrunken(candidates[-1])
        best = min(candidates, key=order)
        if near.patterns(best).linear:
            # The programs of a stand-in are larger, and their optimum is another one; with squares,
            # the tree is faster than so many programs.
            candidates.append(near.patterns(best).around(best))
    return best_of(problem, candidates)


class _Ball:
    """The patterns no farther than the nearest attack: those of a network with few open neurons.

    Args:
        problem: The problem.
        changes: Perturbations (pixels,); where one meets the goal, the nearest is the radius.
        deadline: When to stop at the latest, by `time.perf_counter`.

    Attributes:
        problem: The problem within the ball.
        bounds: Bounds that hold in it.
    """

    def __init__(self, problem: Problem, changes: list[Vector], deadline: float) -> None:
        nearest = best_of(problem, changes)
        self.problem = problem if nearest is None else problem.within(nearest.value)
        self.bounds = FormBounds(self.problem).intervals
        self._deadline = deadline
        self._programs: dict[int, PatternProgram] = {}

    def patterns(self, change: Vector) -> PatternProgram:
        """Those towards the class that a perturbation makes win, or brings nearest to it."""
        problem = self.problem
        rival = problem.goal.rival(problem.network.logits(problem.image + change))
        if rival not in self._programs:
            towards = problem.towards(rival)
            self._programs[rival] = PatternProgram(towards, self.bounds, self._deadline)
        return self._programs[rival]

    def shrunken(self, change: Vector) -> _Ball:
        """The ball of an attack that is clearly nearer, or this one."""
        if not meets(self.problem, change):
            return self
        if _distance(self.problem, change) > _SMALLER * self.problem.radius:
            return self
        return _Ball(self.problem, [change], self._deadline)


def _to_improve(problem: Problem, changes: list[Vector], count: int) -> list[Vector]:
    """So many of the points, best first, of as many classes as can be; all if none is an attack."""
    if not meets(problem, changes[0]):
        return changes
    winners = [problem.goal.rival(problem.network.logits(problem.image + each)) for each in changes]
    firsts = [winners.index(winner) for winner in dict.fromkeys(winners)]
    others = [place for place in range(len(changes)) if place not in firsts]
    return [changes[place] for place in sorted([*firsts, *others][:count])]


def best_of(problem: Problem, changes: list[Vector]) -> Incumbent | None:
    """The nearest of those perturbations that meet the goal, or None."""
    met = [change for change in changes if meets(problem, change)]
    if not met:
        return None
    best = min(met, key=lambda change: _distance(problem, change))
    return Incumbent(best, _distance(problem, best))


def _distance(problem: Problem, change: Vector) -> float:
    return problem.distance.value(change, problem.box)


def meets(problem: Problem, change: Vector) -> bool:
    """Whether a perturbation meets the goal, up to a small part of the goal's margin."""
    return _shortfall(problem, change) == 0.0


def _shortfall(problem: Problem, change: Vector) -> float:
    """By how much a perturbation misses the goal, less what solvers' tolerances may miss."""
    logits = problem.network.logits(problem.image + change)
    allowed = min(0.5 * problem.goal.margin, _MISSED)
    return max(0.0, -allowed - float(problem.goal.surplus(logits)))


_Improvement = Callable[["_Phase", Flags, Vector], tuple[float, Vector]]


class PatternProgram:
    """The nearest point of one activation pattern after another.

    A neuron's input is x - s; it is active where s is fixed to 0 and inactive where x is. Patterns
    differ in these bounds only, so each program starts from the last one's basis.

    Args:
        problem: The problem.
        bounds: Bounds that hold over the problem's box.
        deadline: When to stop at the latest, by `time.perf_counter`.

    Attributes:
        linear: Whether linear programs minimise the distance itself, not a stand-in.
    """

    def __init__(self, problem: Problem, bounds: list[Interval], deadline: float = np.inf) -> None:
        self._problem = problem
        self._deadline = deadline
        self._unstable = [interval.unstable for interval in bounds[:-1]]
        projection = projected(problem)
        if projection is None:
            self._nearest = _Patterns.of(Projection(problem.linear(), _as_it_is), bounds, deadline)
            self._reached = self._nearest
        else:
            # Which coordinates the box has, only pixels know before there are cuts.
            anywhere = replace(problem, distance=NoDistance())
            self._reached = _Patterns.of(Projection(anywhere, _as_it_is), bounds, deadline)
            self._nearest = _Patterns.of(projection, bounds, deadline)
        self.linear = projection is None and problem.distance.linear is problem.distance

    def descend(self, change: Vector) -> Vector:
        """The best point of a chain of neighbouring patterns, from the one of a perturbation.

        As long as no point of the pattern meets the goal, the chain makes the shortfall smaller,
        then the distance.
        """
        return self._in_two_phases(self._chain, change)

    def around(self, change: Vector) -> Vector:
        """The best point of the chains from all patterns beside that of a perturbation.

        Where a chain leads to a better point, those beside its pattern are next. Like `descend`,
        it makes the shortfall smaller first.
        """
        return self._in_two_phases(self._chains, change)

    def _in_two_phases(self, improved: _Improvement, change: Vector) -> Vector:
        active = self._pattern(change)
        missing = np.zeros_like(self._reached.model.objective)
        missing[self._reached.shortfall] = 1.0
        shortfall, change = improved(_Phase(self._reached, missing, np.inf), active, change)
        if shortfall > _BORDER:
            return change
        nearest = _Phase(self._nearest, self._nearest.model.objective, 0.0)
        return corrected(self._problem, improved(nearest, active, change)[1])

    def _chains(self, phase: _Phase, active: Flags, change: Vector) -> tuple[float, Vector]:
        """Chain after chain from the neighbours of the best pattern, which `active` follows."""
        best, change = self._chain(phase, active, change)
        waiting = self._by_border(change)
        while best > _BORDER and waiting and time.perf_counter() < self._deadline:
            neuron = waiting.pop()
            beside = active.copy()
            beside[neuron] = ~beside[neuron]
            value, moved = self._chain(phase, beside, change, _PROMISING * best)
            if value < best * (1.0 - _CLEARLY):
                best, change = value, moved
                active[:] = beside
                waiting = self._by_border(change)
        return best, change

    def _by_border(self, change: Vector) -> list[int]:
        """The unstable neurons whose border a perturbation is nearest to, the nearest last."""
        order = np.argsort(np.abs(self._entering(change)))
        return [int(neuron) for neuron in order[:_NEIGHBOURS][::-1]]

    def _pattern(self, change: Vector) -> Flags:
        """Which of the unstable neurons a perturbation makes active."""
        return self._entering(change) > 0

    def _entering(self, change: Vector) -> Vector:
        """What enters the unstable neurons."""
        entering = self._problem.network.preactivations(self._problem.image + change)
        each = (values[kept] for values, kept in zip(entering[:-1], self._unstable, strict=True))
        return np.concatenate([np.empty(0), *each])

    def _chain(
        self, phase: _Phase, active: Flags, change: Vector, cutoff: float = np.inf
    ) -> tuple[float, Vector]:
        """From pattern to pattern, which `active` follows, while the objective becomes smaller.

        It ends where a pattern's objective exceeds a cutoff.
        """
        patterns = phase.patterns
        patterns.program.stop_above(cutoff)
        best = np.inf
        for _ in range(_FLIPS):
            patterns.hold(active, phase.shortfall)
            value, point = patterns.program.minimise(phase.objective)
            if point is None or not value < best - _PULL:
                break
            best, change = value, patterns.change(point)
            if time.perf_counter() > self._deadline:
                break
            pull = patterns.pull(point, active)
            if not pull.size or pull.min() > -_PULL:
                break
            strongest = int(pull.argmin())
            active[strongest] = ~active[strongest]
        return best, change


@dataclass(frozen=True)
class _Patterns:
    """The program of a problem whose neurons are all held on either side.

    Attributes:
        model: The model.
        program: Its program.
        change: The perturbation (pixels,) at a point of the model.
        shortfall: The column by which the goal may be missed.
        positive: The columns x of the unstable neurons.
        negative: Their columns s.
    """

    model: Model
    program: LinearProgram | QuadraticProgram
    change: Callable[[Vector], Vector]
    shortfall: Indices
    positive: Indices
    negative: Indices

    @staticmethod
    def of(projection: Projection, bounds: list[Interval], deadline: float) -> _Patterns:
        """That of a problem, in pixels or coordinates, solved until a deadline."""
        parts = Parts()
        encoding = encode(projection.problem, bounds, parts, elastic=True)
        program = encoding.convex_program()
        program.limit_time(deadline - time.perf_counter())
        return _Patterns(
            encoding.model,
            program,
            lambda point: projection.lifted(encoding.change.values(point)),
            encoding.shortfall,
            parts.positive,
            parts.negative,
        )

    def hold(self, active: Flags, shortfall: float) -> None:
        """Hold each neuron, and let the goal be missed by so much at most."""
        columns = np.concatenate([self.positive, self.negative, self.shortfall])
        upper = self.model.upper[columns]
        upper[np.concatenate([~active, active, [False]])] = 0.0
        upper[-1] = shortfall
        self.program.set_bounds(self.model.lower[columns], upper, columns)

    def pull(self, point: Vector, active: Flags) -> Vector:
        """The reduced cost of each neuron's other side, where the neuron lies on its border."""
        costs = self.program.reduced_costs()
        held = np.where(active, self.negative, self.positive)
        free = np.where(active, self.positive, self.negative)
        return np.where(point[free] < _BORDER, costs[held], 0.0)


@dataclass(frozen=True)
class _Phase:
    """What a chain of patterns makes smaller.

    Attributes:
        patterns: The program of the patterns.
        objective: Of each of its columns.
        shortfall: By how much the goal may be missed.
    """

    patterns: _Patterns
    objective: Vector
    shortfall: float


def _as_it_is(change: Vector) -> Vector:
    return change


def ball_changes(
    problem: Problem, logits: Logits, nearest: Incumbent | None, seed: int
) -> list[Vector]:
    """Perturbations (pixels,) that meet the goal: the nearest towards each of the nearest classes.

    The radius within which gradient steps lead to an attack is bisected.

    Args:
        problem: The problem; none are sought but in L-infinity and L2.
        logits: Its network.
        nearest: The nearest attack that is known.
        seed: Of the starts.
    """
    norm, image = problem.distance.name, problem.image
    if norm not in _BALLS:
        return []
    rivals = problem.goal.rivals(problem.network.logits(image))
    goals = [problem.goal.towards(rival) for rival in rivals]
    images = torch.from_numpy(image[None])
    corner = np.maximum(problem.box.upper, -problem.box.lower)
    missed, met = 0.0, _distance(problem, corner) if nearest is None else nearest.value
    while missed < _CLOSE * met and not is_up():
        radius = 0.5 * (missed + met)
        points = attack_in_ball(logits, Ball(images, radius, norm), goals, seed)
        nearer = best_of(problem, [problem.box.clipped(point - image) for point in points])
        if nearest is None and nearer is None:
            return []
        if nearer is None or nearer.value >= met:
            missed = radius
        else:
            nearest, met = nearer, nearer.value
    beside = Ball(images, _BESIDE * met, norm)
    points = attack_in_ball(logits, beside, goals, seed, enough=len(goals))
    changes = [problem.box.clipped(point - image) for point in points]
    return changes if nearest is None else [nearest.change, *changes]


def gradient_points(problem: Problem, count: int, seed: int) -> list[Vector]:
    """Where gradient steps lead from the image and from near it, in the best case to the goal.

    Half of the starts move every pixel by the gradient's sign, half only the two pixels of the
    largest effect; each stops as soon as it meets the goal.

    Args:
        problem: The problem.
        count: How many starts.
        seed: Of the starts.

    Returns:
        Images (pixels,).
    """
    random = np.random.default_rng(seed)
    box = problem.box
    lower, upper = problem.image + box.lower, problem.image + box.upper
    start = problem.image[:, None] + 0.05 * random.standard_normal((len(problem.image), count))
    start[:, 0] = problem.image
    points = np.clip(start, lower[:, None], upper[:, None])
    sparse = np.arange(count) >= count // 2
    for _ in range(_STEPS):
        logits, gradient = surplus_gradient(problem, points)
        going = problem.goal.surplus(logits) < 0
        if not going.any() or is_up():
            break
        room = np.where(gradient > 0, upper[:, None] - points, points - lower[:, None])
        effect = np.abs(gradient) * room
        kept = effect >= np.where(sparse, np.sort(effect, axis=0)[-2:][0], 0.0)
        step = np.where(sparse, 1.0, 0.02) * np.sign(gradient) * kept
        points = np.where(going, np.clip(points + step, lower[:, None], upper[:, None]), points)
    return list(points.T)


def relaxed_points(
    problem: Problem, bounds: list[Interval], deadline: float = np.inf
) -> list[Vector]:
    """The perturbation at the optimum of the linear relaxation, if it is found in time."""
    point = None
    with as_far_as(deadline):
        encoding = encode(problem.linear(), bounds)
        _, point = encoding.program("dual").minimise(encoding.model.objective)
    return [] if point is None else [encoding.change.values(point)]


def corrected(problem: Problem, change: Vector) -> Vector:
    """A perturbation that misses the goal by a solver's tolerances, moved across the border.

    It goes along the gradient of the goal's surplus, as far as the surplus lacks, within the box.
    """
    box = problem.box
    for _ in range(_CORRECTIONS):
        if meets(problem, change):
            break
        logits, gradient = surplus_gradient(problem, (problem.image + change)[:, None])
        slope = gradient[:, 0]
        free = np.where(slope > 0, change < box.upper, change > box.lower)
        slope = np.where(free, slope, 0.0)
        if not slope.any():
            break
        missing = -float(problem.goal.surplus(logits[:, 0]))
        step = change + missing * slope / (slope @ slope)
        change = box.clipped(step)
    return change


def surplus_gradient(problem: Problem, points: Vector) -> tuple[Vector, Vector]:
    """The logits (classes, N) of points (pixels, N), and the gradient of the goal's surplus."""
    entering = problem.network.preactivations(points)
    weights = problem.goal.ascent(entering[-1])
    return entering[-1], problem.network.pulled_back(entering, weights)
