"""Local search over activation patterns: the nearest point of one, then of those beside it.

Once it is fixed which neurons are active, the network is affine and the nearest point of the
pattern is a linear program (for L2 a quadratic one). Where its optimum lies on the border to a
neighbouring pattern and the border's multiplier pulls towards it, the neighbour is at least as
good: the search goes there, and on, until no border pulls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from advmip.mip.deadline import time_is_up
from advmip.mip.distances.no_distance import NoDistance
from advmip.mip.encoding import Interval
from advmip.mip.formulations.complementarity import Complementarity
from advmip.mip.heuristics.incumbent import corrected
from advmip.mip.model import Flags, Indices, Model, Vector
from advmip.mip.problem import Problem, encode
from advmip.mip.programs.linear_program import LinearProgram
from advmip.mip.programs.quadratic_program import QuadraticProgram
from advmip.mip.projection import Projection, projected

_FLIPS = 200
# A neuron whose input is this close to 0 lies on the border of its pattern.
_BORDER = 1e-7
_PULL = 1e-9
# A chain from a neighbouring pattern is given up where it is worse by more than this factor.
_PROMISING = 1.1
# So many neighbours are tried, those first whose neuron is nearest to its border.
_NEIGHBOURS = 100
# A neighbouring pattern is moved to if it is better by this factor.
_CLEARLY = 1e-4

_Improvement = Callable[["_Phase", Flags, Vector], tuple[float, Vector]]


class PatternSearch:
    """The nearest point of one activation pattern after another.

    A neuron's input is x - s; it is active where s is fixed to 0 and inactive where x is. Patterns
    differ in these bounds only, so each program starts from the last one's basis.

    Args:
        problem: The problem.
        bounds: Bounds that hold over the problem's box.

    Attributes:
        linear: Whether linear programs minimise the distance itself, not a stand-in.
    """

    def __init__(self, problem: Problem, bounds: list[Interval]) -> None:
        self._problem = problem
        self._unstable = [interval.unstable for interval in bounds[:-1]]
        projection = projected(problem)
        if projection is None:
            self._nearest = _PatternProgram.of(Projection(problem.linear()), bounds)
            self._reached = self._nearest
        else:
            # Which coordinates the box has, only pixels know before there are cuts.
            without_distance = Projection(replace(problem, distance=NoDistance()))
            self._reached = _PatternProgram.of(without_distance, bounds)
            self._nearest = _PatternProgram.of(projection, bounds)
        self.linear = projection is None and problem.distance.linear is problem.distance

    def descend(self, change: Vector) -> Vector:
        """The best point of a chain of neighbouring patterns, from the one of a perturbation.

        As long as no point of the pattern meets the goal, the chain makes the shortfall smaller,
        then the distance.
        """
        return self._in_two_phases(self._chain, change)

    def descend_from_neighbours(self, change: Vector) -> Vector:
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
        while best > _BORDER and waiting and not time_is_up():
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
        order = np.argsort(np.abs(self._preactivations(change)))
        return [int(neuron) for neuron in order[:_NEIGHBOURS][::-1]]

    def _pattern(self, change: Vector) -> Flags:
        """Which of the unstable neurons a perturbation makes active."""
        return self._preactivations(change) > 0

    def _preactivations(self, change: Vector) -> Vector:
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
            if time_is_up():
                break
            pull = patterns.pull(point, active)
            if not pull.size or pull.min() > -_PULL:
                break
            strongest = int(pull.argmin())
            active[strongest] = ~active[strongest]
        return best, change


@dataclass(frozen=True)
class _PatternProgram:
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
    def of(projection: Projection, bounds: list[Interval]) -> _PatternProgram:
        """That of a problem, in pixels or coordinates."""
        parts = Complementarity()
        encoding = encode(projection.problem, bounds, parts, elastic=(0.0, np.inf))
        program = encoding.convex_program()
        return _PatternProgram(
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

    patterns: _PatternProgram
    objective: Vector
    shortfall: float
