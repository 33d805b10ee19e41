"""Out of time, every step ends with what it has, and what it has holds."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from advmip import maximise_activation, minimal_attack, verify
from advmip.mip.bounds import (
    NETWORK_BOUNDS,
    PropagatedBounds,
    network_bounds,
    relaxation_bounds,
    tightened_bounds,
    tightened_further,
)
from advmip.mip.bounds.network_bounds import whole_box
from advmip.mip.deadline import (
    OutOfTimeError,
    as_far_as,
    checkpoint,
    has_deadline,
    seconds_left,
    time_is_up,
    until,
)
from advmip.mip.distances import Box, distance_named
from advmip.mip.encoding import Interval
from advmip.mip.goals import targeted
from advmip.mip.problem import Problem, encode
from advmip.mip.programs import linear_program
from advmip.mip.solvers import SOLVERS, Options, Status
from advmip.networks import Network, staged
from advmip.networks.architectures import ARCHITECTURES
from advmip.networks.network import new_network

PASSED = 0.0
RADII = {"l0": 3.0, "l1": 0.5, "l2": 0.2, "l2-5": 0.2, "linf": 0.02, "tv": 0.5, "l1+tv": 0.5}


@pytest.fixture
def convolutional() -> Network:
    """A network whose limits are reached: 2,116 neurons."""
    return new_network(ARCHITECTURES["cnn_light"], seed=0).frozen()


@pytest.fixture
def problem() -> Problem:
    """The way from noise to another class, on a small network."""
    network = staged(new_network(ARCHITECTURES["digits_cnn_light"], seed=0).frozen())
    image = np.random.default_rng(0).random(network.pixels)
    target = int(np.argsort(network.logits(image))[-2])
    return Problem(
        network,
        image,
        distance_named("l1"),
        targeted(target, network.classes),
        Box.around(image, network.input_shape),
    )


@pytest.fixture
def no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a linear program that is solved be an error."""

    def solved(_: object) -> float:
        raise AssertionError("a program was solved after the deadline")

    monkeypatch.setattr(linear_program.LinearProgram, "resolve", solved)


def assert_hold(bounds: list[Interval], problem: Problem, images: np.ndarray) -> None:
    """Whatever enters the neurons for some images lies within bounds."""
    entering = problem.network.preactivations(images.T)
    for interval, values in zip(bounds, entering, strict=True):
        assert (interval.lower[:, None] <= values).all()
        assert (values <= interval.upper[:, None]).all()


def images_within(problem: Problem) -> np.ndarray:
    """Images near that of a problem, no farther than its radius."""
    random = np.random.default_rng(1)
    changes = random.uniform(-1.0, 1.0, (20, len(problem.image)))
    changes[:, 5:] *= random.random((20, 1)) < 0.5
    kept = []
    for change in changes:
        moved = np.clip(problem.image + change, 0.0, 1.0) - problem.image
        while problem.distance.value(moved, problem.box) > problem.radius:
            moved = (
                0.5 * moved
                if not problem.distance.counting
                else moved * (np.arange(len(moved)) < 3)
            )
        kept.append(problem.image + moved)
    return np.array(kept)


def test_the_earlier_of_two_deadlines_counts() -> None:
    assert not has_deadline()
    with until(np.inf):
        checkpoint(1e6)
    with until(time.perf_counter() + 100.0), until(time.perf_counter() + 1000.0):
        assert has_deadline()
        assert not time_is_up()
        assert 0.0 < seconds_left() <= 100.0
        checkpoint()
        with pytest.raises(OutOfTimeError):
            checkpoint(101.0)
    with until(PASSED):
        assert time_is_up()
        with pytest.raises(OutOfTimeError), until(np.inf):
            checkpoint()
    assert not has_deadline()


def test_a_step_that_is_not_needed_just_ends() -> None:
    done = []
    with as_far_as(PASSED):
        done.append("begun")
        checkpoint()
        done.append("ended")
    assert done == ["begun"]


@pytest.mark.parametrize("distance", RADII)
def test_linear_forms_hold_after_a_deadline(problem: Problem, distance: str) -> None:
    near = Problem(
        problem.network, problem.image, distance_named(distance), problem.goal, problem.box
    ).within(RADII[distance])
    with until(PASSED):
        late = PropagatedBounds(near).intervals
    assert_hold(late, near, images_within(near))
    for wider, tighter in zip(late, PropagatedBounds(near).intervals, strict=True):
        assert (wider.lower <= tighter.lower + 1e-6).all()
        assert (wider.upper >= tighter.upper - 1e-6).all()


@pytest.mark.usefixtures("no_program")
@pytest.mark.parametrize("method", NETWORK_BOUNDS)
def test_bounds_over_all_images_hold_after_a_deadline(problem: Problem, method: str) -> None:
    with until(PASSED):
        bounds = network_bounds(problem.network, method)
    everywhere = np.random.default_rng(2).random((20, problem.network.pixels))
    assert_hold(bounds, whole_box(problem.network), everywhere)


@pytest.mark.usefixtures("no_program")
@pytest.mark.parametrize(
    "tighten",
    [
        relaxation_bounds,
        tightened_bounds,
        lambda problem, bounds: tightened_further(problem, bounds)[1],
    ],
)
@pytest.mark.parametrize("distance", ["l0", "l1", "l2", "linf"])
def test_programs_leave_bounds_as_they_are_after_a_deadline(
    problem: Problem, distance: str, tighten: Callable[..., list[Interval]]
) -> None:
    near = Problem(
        problem.network, problem.image, distance_named(distance), problem.goal, problem.box
    ).within(RADII[distance])
    bounds = PropagatedBounds(near).intervals
    with until(PASSED):
        late = tighten(near, bounds)
    assert_hold(late, near, images_within(near))


@pytest.mark.parametrize("solver", [name for name, each in SOLVERS.items()])
def test_a_solver_without_time_knows_nothing(problem: Problem, solver: str) -> None:
    bounds = network_bounds(problem.network, "interval")
    model = encode(problem, bounds).model
    if SOLVERS[solver].refusal(model.size) is not None:
        pytest.skip("its licence is too small")
    found = SOLVERS[solver].solve(model, Options(time_limit=0.0))
    assert found.status is Status.UNKNOWN
    assert found.point is None
    assert found.bound == -np.inf


@pytest.mark.parametrize("bounds", ["progressive", "exact", "weaker", "lp", "interval"])
@pytest.mark.parametrize("distance", ["l0", "l1", "l2", "linf"])
def test_an_attack_without_proof_in_half_a_second(
    convolutional: Network, distance: str, bounds: str
) -> None:
    image = np.random.default_rng(0).random((1, 28, 28))
    label = convolutional.answer(image)
    found = minimal_attack(convolutional, image, label, distance, bounds=bounds, time_limit=0.5)
    assert found.status in ("feasible", "unknown", "optimal")
    assert 0.0 <= found.lower_bound <= found.distance
    assert (found.adversarial is None) == (found.status == "unknown")


@pytest.mark.parametrize("norm", ["linf", "l1", "l2"])
def test_an_image_that_is_not_decided_in_time_is_unknown(convolutional: Network, norm: str) -> None:
    image = np.random.default_rng(0).random((1, 28, 28))
    label = convolutional.answer(image)
    verdict = verify(convolutional, image, label, 0.5, norm, time_limit=1e-6)
    assert verdict.status in ("unknown", "attackable")


@pytest.mark.parametrize("bounds", ["exact", "weaker", "lp", "interval"])
def test_a_neuron_that_is_not_excited_in_time_has_a_bound(
    convolutional: Network, bounds: str
) -> None:
    found = maximise_activation(convolutional, 3, 0, bounds=bounds, time_limit=1e-6)
    assert found.status == "unknown"
    assert found.image is None
    assert found.solver == ""
    everywhere = np.random.default_rng(0).random((784, 50))
    reached = staged(convolutional).preactivations(everywhere)[2][0]
    assert reached.max() <= found.upper_bound < np.inf
