"""General solvers under a cutoff: nothing above it, and nothing below it lost."""

import threading
from functools import cache
from types import ModuleType

import numpy as np
import pytest
from brute_force import CLASSES, SHAPE, smallest
from scipy.sparse import csr_matrix
from tiny_networks import instance

from advmip.mip.bounds import interval_bounds
from advmip.mip.distances import Box, distance_named
from advmip.mip.goals import targeted
from advmip.mip.model import Model
from advmip.mip.problem import Problem, encode
from advmip.mip.solvers import SOLVERS, Options, Solution, Status, gurobi, highs, interface, scip
from advmip.mip.solvers.interface import heuristics_redundant
from advmip.networks import staged

MARGIN = 1e-4
# Seeds of images that some change takes to another class.
ATTACKABLE = (1, 4, 6)


@cache
def model_of(seed: int, distance: str) -> tuple[Model, float]:
    """The model of the nearest attack towards the nearest class, and its optimum."""
    tiny, network, image, label = instance(seed)
    nearest, target = min(
        (smallest(tiny, image, distance, [other], 1.0, MARGIN), other)
        for other in range(CLASSES)
        if other != label
    )
    goal = targeted(target, CLASSES, 1.0, MARGIN)
    measure, box = distance_named(distance), Box.around(image, SHAPE)
    problem = Problem(staged(network), image, measure, goal, box)
    return encode(problem, interval_bounds(problem)).model, nearest


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("distance", ["l1", "linf", "l0"])
@pytest.mark.parametrize("seed", ATTACKABLE)
def test_a_cutoff_keeps_the_optimum_below_it(seed: int, distance: str, solver: str) -> None:
    model, nearest = model_of(seed, distance)
    solution = SOLVERS[solver].solve(model, Options(cutoff=1.1 * nearest, gap=1e-6))
    assert solution.status is Status.OPTIMAL
    assert solution.value == pytest.approx(nearest, abs=1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("distance", ["l1", "linf", "l0"])
@pytest.mark.parametrize("seed", ATTACKABLE)
def test_below_the_optimum_nothing_is_found(seed: int, distance: str, solver: str) -> None:
    model, nearest = model_of(seed, distance)
    cutoff = 0.9 * nearest
    solution = SOLVERS[solver].solve(model, Options(cutoff=cutoff))
    assert solution.status is Status.INFEASIBLE
    assert solution.point is None
    assert solution.bound == pytest.approx(cutoff)


def test_heuristics_rest_where_the_search_was_by_the_distance_itself() -> None:
    known = Options(cutoff=1.0)
    assert heuristics_redundant(model_of(1, "l1")[0], known)
    assert not heuristics_redundant(model_of(1, "l0")[0], known)
    assert not heuristics_redundant(model_of(1, "l1")[0], Options())


@pytest.mark.parametrize("solver", [gurobi, highs, scip])
def test_a_solver_that_does_not_stop_is_left_behind(
    solver: ModuleType, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(interface, "_PATIENCE", 0.1)
    hanging, going_on = threading.Event(), threading.Event()

    def hang(model: Model, options: Options) -> Solution:
        hanging.set()
        going_on.wait()
        raise AssertionError("nobody waits for this")

    hang.__module__ = solver.__name__
    solution = interface.within_limit(hang)(model_of(1, "l1")[0], Options(time_limit=0.1))
    going_on.set()
    assert hanging.is_set()
    assert (solution.status, solution.point, solution.bound) == (Status.UNKNOWN, None, -np.inf)
    assert f"{solver.__name__.rpartition('.')[2]} does not stop" in caplog.text


@pytest.mark.parametrize("solver", SOLVERS)
def test_other_threads_go_on_while_a_solver_is_at_work(solver: str) -> None:
    """Those that end a job with its run, and that leave a solver behind, are among them."""
    ended, ticks = threading.Event(), [0]

    def tick() -> None:
        while not ended.wait(0.001):
            ticks[0] += 1

    thread = threading.Thread(target=tick)
    thread.start()
    SOLVERS[solver].solve(market_split(), Options(time_limit=1.0))
    ended.set()
    thread.join()
    assert ticks[0] > 10


def market_split() -> Model:
    """A program that no solver solves in a second: subsets whose sums are all the half."""
    shares = np.random.default_rng(0).integers(0, 100, (4, 40)).astype(float)
    rows, items = shares.shape
    slack = np.eye(rows)
    columns = items + 2 * rows
    half = np.floor(shares.sum(axis=1) / 2)
    places = np.arange(columns)
    return Model(
        lower=np.zeros(columns),
        upper=np.where(places < items, 1.0, 1e4),
        objective=np.where(places < items, 0.0, 1.0),
        squares=np.zeros(columns),
        constant=0.0,
        integer=places < items,
        matrix=csr_matrix(np.hstack([shares, slack, -slack])),
        row_lower=half,
        row_upper=half,
    )


def test_memory_that_runs_out_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from highspy import Highs, HighsModelStatus

    monkeypatch.setattr(Highs, "getModelStatus", lambda inner: HighsModelStatus.kMemoryLimit)
    with pytest.raises(MemoryError):
        highs.solve(model_of(1, "l1")[0], Options())
