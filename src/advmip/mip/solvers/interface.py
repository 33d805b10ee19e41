"""What every solver takes and gives."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import wraps

import numpy as np

from advmip.mip.deadline import OutOfTimeError, seconds_left, until
from advmip.mip.model import Model, Vector

# A solver that does not stop is left behind after so many times its limit, and seconds more.
_OVERRUN, _PATIENCE = 2.0, 60.0

_log = logging.getLogger(__name__)


class Status(StrEnum):
    """How a solve ended."""

    OPTIMAL = "optimal"  # a point and a proof, up to the gap
    INFEASIBLE = "infeasible"  # proved: no point at all, or none better than the cutoff
    FEASIBLE = "feasible"  # a point without proof
    UNKNOWN = "unknown"  # neither; the dual bound still holds


class UnsupportedModelError(ValueError):
    """A solver cannot take a model, and why: a missing construct, or a licence too small."""


@dataclass(frozen=True)
class Options:
    """How to solve.

    Attributes:
        time_limit: Seconds.
        threads: Threads of the solver.
        gap: Relative gap between primal value and dual bound at which it may stop.
        cutoff: Only points with a smaller objective are of interest.
        decided: Stop as soon as a point's objective is below the first number, or the dual bound
            above the second: the sign of the optimum is all that is asked. HiGHS goes on.
        seed: The solver's random seed.
        integrality: How far an integer column may be from an integer.
        feasibility: How far a row or bound may be violated.
    """

    time_limit: float = 300.0
    threads: int = 1
    gap: float = 1e-4
    cutoff: float = np.inf
    decided: tuple[float, float] = (-np.inf, np.inf)
    seed: int = 0
    integrality: float = 1e-6
    feasibility: float = 1e-7

    def within(self, time_limit: float, cutoff: float) -> Options:
        """The same for so many seconds, and for points below a cutoff only."""
        return replace(self, time_limit=time_limit, cutoff=cutoff)

    def deciding(self, time_limit: float, tolerance: float) -> Options:
        """The same for so many seconds, and until the optimum's sign is clear by a tolerance."""
        return replace(self, time_limit=time_limit, decided=(-tolerance, 3.0 * tolerance))


@dataclass(frozen=True)
class Solution:
    """What a solver found and proved.

    Attributes:
        status: How it ended.
        point: The best point (columns,), or None.
        value: Its objective as the solver says, inf without a point.
        bound: No point has a smaller objective; inf if there is none at all. With a cutoff, no
            point below the cutoff has.
        nodes: Nodes of the search tree.
        seconds: Wall time.
        trace: Seconds, primal value and dual bound, whenever one of them changed.
    """

    status: Status
    point: Vector | None
    value: float
    bound: float
    nodes: int
    seconds: float
    trace: tuple[tuple[float, float, float], ...] = field(default=(), repr=False)


def unknown_solution(begun: float) -> Solution:
    """The solution of a search that ran out of time before its first node."""
    return Solution(Status.UNKNOWN, None, np.inf, -np.inf, 0, time.perf_counter() - begun)


def within_limit(
    solve: Callable[[Model, Options], Solution],
) -> Callable[[Model, Options], Solution]:
    """Let the time limit of a solver hold for writing the model too, and end at every deadline.

    A solver that does not stop long after its limit is left behind in its thread, and has found
    nothing.

    Args:
        solve: Goes by `seconds_left`, and by checkpoints before that. It does not hold Python's
            lock while it solves.
    """

    @wraps(solve)
    def limited(model: Model, options: Options) -> Solution:
        begun = time.perf_counter()
        with until(begun + options.time_limit):
            solving = _Solving(lambda: solve(model, options))
            patience = _OVERRUN * seconds_left() + _PATIENCE
            try:
                solution = solving.result(min(patience, threading.TIMEOUT_MAX))
            except OutOfTimeError:
                solution = None
            else:
                if solution is None:
                    _log.warning(
                        "%s does not stop %.0f s after it was begun, with a limit of %g s: "
                        "it is left behind, and nothing is known of what it found",
                        *(solve.__module__.rpartition(".")[2], patience, options.time_limit),
                    )
            return solution or unknown_solution(begun)

    return limited


class _Solving:
    """A call in a thread of its own, with the context of this one."""

    def __init__(self, call: Callable[[], Solution]) -> None:
        self._call = call
        self._solution: Solution | None = None
        self._error: BaseException | None = None
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._run,), daemon=True)
        self._thread.start()

    def result(self, seconds: float) -> Solution | None:
        """What the call returned or raised; None if it has not ended in so many seconds."""
        self._thread.join(seconds)
        if self._error is not None:
            raise self._error
        return self._solution

    def _run(self) -> None:
        try:
            self._solution = self._call()
        except BaseException as error:
            self._error = error


class Trace:
    """Keeps primal value and dual bound whenever one of them changed."""

    def __init__(self) -> None:
        self._steps: list[tuple[float, float, float]] = []

    def add(self, seconds: float, value: float, bound: float) -> None:
        """Note the state after some seconds, if it is a new one."""
        if not self._steps or self._steps[-1][1:] != (value, bound):
            self._steps.append((seconds, value, bound))

    def steps(self) -> tuple[tuple[float, float, float], ...]:
        """All states, in order."""
        return tuple(self._steps)


def heuristics_redundant(model: Model, options: Options) -> bool:
    """Whether heuristics would only do again what was done before there was a model.

    Whoever knows a cutoff has searched already; but for a distance with integers of its own, whose
    number is what it costs, that search was by a stand-in.
    """
    return bool(np.isfinite(options.cutoff)) and not model.objective[model.integer].any()


def conclude(
    options: Options,
    *,
    proved: bool,
    point: Vector | None,
    value: float,
    bound: float,
    nodes: int,
    begun: float,
    trace: Trace,
) -> Solution:
    """The solution that a finished search stands for.

    Args:
        options: How it was asked to solve.
        proved: Whether the search came to its end.
        point: The best point, or None.
        value: The point's objective.
        bound: The search's dual bound.
        nodes: Nodes of its tree.
        begun: When it began, by `time.perf_counter`.
        trace: What it went through.
    """
    if point is None or value >= options.cutoff:
        point, value = None, np.inf
        if proved:
            bound = options.cutoff
    if point is None:
        status = Status.INFEASIBLE if proved else Status.UNKNOWN
    else:
        status = Status.OPTIMAL if proved else Status.FEASIBLE
    seconds = time.perf_counter() - begun
    trace.add(seconds, value, bound)
    return Solution(status, point, value, bound, nodes, seconds, trace.steps())
