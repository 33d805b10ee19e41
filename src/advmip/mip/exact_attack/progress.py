"""An attack under way: the best attack, a lower bound for each case of the goal, the time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from advmip.checking.replay import Precision
from advmip.mip.exact_attack.result import Attack
from advmip.mip.heuristics.incumbent import Incumbent
from advmip.mip.phases import Phases
from advmip.mip.problem import Problem
from advmip.mip.solvers import Options, Status
from advmip.mip.solvers.interface import Trace

# This share of the time, the last, is for lower bounds that are still open.
_LOWER_BOUNDS_SHARE = 0.15
# What the tolerances of solvers may take from a bound.
_TOLERANCE = 1e-5

# One model for every case.
ALL_CASES = -1


class Progress:
    """What is known so far, and what it took.

    Args:
        problem: The problem.
        options: Time limit and gap.
        begun: When the attack began, by `time.perf_counter`.

    Attributes:
        deadline: When everything must end, by `time.perf_counter`.
        settling_until: When what is open has the rest of the time for its lower bound, or when a
            turn ends.
        incumbent: The nearest attack; None without one.
        bounds: By case of the goal: no attack that meets it is nearer.
        proved: Whether the search for nearer attacks came to its end.
        phases: Seconds by phase.
        nodes: Nodes of the solver's trees.
        unstable: How many neurons kept a binary, in the largest model.
        solver: The last solver that was taken, and why.
    """

    def __init__(self, problem: Problem, options: Options, begun: float) -> None:
        self._problem = problem
        self._gap = options.gap
        self._begun = begun
        self._processor_begun = time.process_time()
        self._trace = Trace()
        self.deadline = begun + options.time_limit
        self.settling_until = begun + (1.0 - _LOWER_BOUNDS_SHARE) * options.time_limit
        self.incumbent: Incumbent | None = None
        self.bounds = {ALL_CASES: 0.0}
        self.proved = False
        self.phases = Phases("search", "bounds", "solver")
        self.nodes = self.unstable = 0
        self.solver = ("", "")

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - time.perf_counter()

    @property
    def left_to_settle(self) -> float:
        """Seconds until what is open turns to its lower bound, or a turn ends."""
        return self.settling_until - time.perf_counter()

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Settle what is open for so many seconds at most; what is found may take longer."""
        whole = self.settling_until
        self.settling_until = min(whole, time.perf_counter() + seconds)
        try:
            yield
        finally:
            self.settling_until = whole

    @property
    def seconds(self) -> float:
        """Seconds since the attack began."""
        return time.perf_counter() - self._begun

    @property
    def radius(self) -> float:
        """The distance of the nearest attack; inf without one."""
        return np.inf if self.incumbent is None else self.incumbent.value

    @property
    def lower_bound(self) -> float:
        """No attack is nearer than this."""
        return min(*self.bounds.values(), self.radius)

    def separate(self, cases: Iterable[int]) -> None:
        """Keep a lower bound for each of these cases of the goal."""
        self.bounds = dict.fromkeys(cases, 0.0)

    def raise_bound(self, case: int, bound: float) -> None:
        """No attack that meets a case is nearer than this."""
        self.bounds[case] = max(self.bounds[case], bound)

    def improve(self, found: Incumbent | None) -> None:
        """Take over an attack if it is nearer than the best one."""
        if found is not None and found.value < self.radius:
            self.incumbent = found
            self.note()

    def note(self, seconds: float | None = None, distance: float = np.inf) -> None:
        """Note the state, if it is a new one, for the trace.

        Args:
            seconds: When it was reached; now if left out.
            distance: Of an attack that is nearer than the best one and not yet taken over.
        """
        at = self.seconds if seconds is None else seconds
        self._trace.add(at, min(distance, self.radius), self.lower_bound)

    def result(self) -> Attack:
        """What was found and proved."""
        found = self.incumbent
        if found is None:
            status = Status.INFEASIBLE if self.proved else Status.UNKNOWN
            adversarial, predicted = None, None
        else:
            status = Status.OPTIMAL if self.proved and self._tight else Status.FEASIBLE
            problem = self._problem
            # Rounding of the sum may leave the domain by the last bit.
            shown = np.clip(problem.image + found.change, problem.lower, problem.upper)
            adversarial = shown.reshape(problem.network.input_shape)
            predicted = int(np.argmax(problem.network.logits(shown)))
        return Attack(
            status=status,
            distance=self.radius,
            lower_bound=self.lower_bound,
            adversarial=adversarial,
            precision=Precision.NONE if found is None else Precision.FLOAT64,
            predicted=predicted,
            nodes=self.nodes,
            seconds=self.seconds,
            processor_seconds=time.process_time() - self._processor_begun,
            phases=self.phases.seconds,
            unstable=self.unstable,
            solver=self.solver[0],
            reason=self.solver[1],
            trace=self._trace.steps(),
        )

    @property
    def _tight(self) -> bool:
        """Whether the bound has come to the best attack, by the gap of their distances.

        A solver may end with a point that misses the goal by its tolerances, and that could not be
        mended, or not clear of rounding: then its bound stands, and the attack that is known is
        farther.
        """
        asked = self.radius * (1.0 - self._gap)
        return self.lower_bound >= asked * (1.0 - _TOLERANCE) - _TOLERANCE
