"""General solvers under a cutoff: nothing above it, and nothing below it lost."""

from functools import cache

import pytest
from brute_force import CLASSES, SHAPE, smallest
from tiny_networks import instance

from advmip.mip.bounds import interval_bounds
from advmip.mip.distances import Box, distance_named
from advmip.mip.goals import targeted
from advmip.mip.model import Model
from advmip.mip.problem import Problem, encode
from advmip.mip.solvers import SOLVERS, Options, Status
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
