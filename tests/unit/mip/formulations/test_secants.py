"""Secants lie above a ReLU over the whole L1 ball, and touch it at the image and at the corners."""

import numpy as np
import pytest
from brute_force import CLASSES, SHAPE, smallest
from tiny_networks import instance

from advmip.mip.bounds import interval_bounds
from advmip.mip.distances import Box, distance_named
from advmip.mip.formulations import EncodedReLUs
from advmip.mip.formulations.secants import add_secants
from advmip.mip.formulations.triangle import Triangle
from advmip.mip.goals import targeted
from advmip.mip.model import Expression, Matrix, Model, ModelBuilder, Vector
from advmip.mip.problem import Problem, encode
from advmip.mip.solvers import SOLVERS, Options, Status
from advmip.networks import staged

PIXELS, NEURONS, RADIUS = 5, 7, 2.5


def secants(seed: int) -> tuple[Model, Vector, Vector]:
    """The rows of some neurons as a model, and the neurons' w and b."""
    random = np.random.default_rng(seed)
    weights = random.normal(size=(NEURONS, PIXELS)) * (random.random((NEURONS, PIXELS)) < 0.8)
    bias = random.normal(size=NEURONS)
    builder = ModelBuilder()
    entering = Expression.of(builder.add_columns(PIXELS)).mapped(Matrix(weights)) + bias
    leaving = Expression.of(builder.add_columns(NEURONS))
    add_secants(builder, entering, EncodedReLUs(entering, leaving), RADIUS)
    return builder.build(), weights, bias


def heights(model: Model, weights: Vector, bias: Vector, at: Vector) -> tuple[Vector, Vector]:
    """What leaves the neurons at a point, and the most that the rows allow there."""
    leaving = np.maximum(weights @ at + bias, 0.0)
    allowed = model.row_upper - model.matrix[:, :PIXELS] @ at
    return leaving, allowed


@pytest.mark.parametrize("seed", range(5))
def test_no_point_of_the_ball_is_cut_off(seed: int) -> None:
    model, weights, bias = secants(seed)
    random = np.random.default_rng(seed)
    for _ in range(300):
        point = RADIUS * random.dirichlet(np.full(PIXELS + 1, 0.4))[:PIXELS]
        leaving, allowed = heights(model, weights, bias, point)
        assert np.all(leaving <= allowed + 1e-15)


@pytest.mark.parametrize("seed", range(5))
def test_they_are_exact_at_the_image_and_at_the_corners(seed: int) -> None:
    model, weights, bias = secants(seed)
    for point in np.vstack([np.zeros(PIXELS), RADIUS * np.eye(PIXELS)]):
        leaving, allowed = heights(model, weights, bias, point)
        assert allowed == pytest.approx(leaving, abs=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_they_lift_the_relaxation_but_not_the_optimum(seed: int) -> None:
    tiny, network, image, label = instance(seed, (4, 4))
    nearest, target = min(
        (smallest(tiny, image, "l1", [other], 1.0, 1e-4), other)
        for other in range(CLASSES)
        if other != label
    )
    goal = targeted(target, CLASSES, 1.0, 1e-4)
    box = Box.around(image, SHAPE)
    whole = Problem(staged(network), image, distance_named("l1"), goal, box)
    near = whole.within(1.01 * nearest)
    bounds = interval_bounds(near)
    relaxed = []
    for problem in (whole, near):
        encoding = encode(problem, bounds, Triangle())
        relaxed.append(encoding.program("dual").minimise(encoding.model.objective)[0])
    assert relaxed[0] <= relaxed[1] + 1e-7
    solution = SOLVERS["highs"].solve(encode(near, bounds).model, Options(gap=1e-6))
    assert solution.status is Status.OPTIMAL
    assert solution.value == pytest.approx(nearest, rel=1e-5)
