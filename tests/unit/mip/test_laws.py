"""What no answer depends on: scales, names of classes and pixels, idle neurons; and balls in order.

Networks are drawn at random; each law compares two answers, neither of which need be known.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest
from brute_force import CLASSES, SHAPE, TinyNetwork
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_networks import as_network, instance

from advmip import InputError, maximise_activation, minimal_attack, verify

DISTANCES = ("l0", "l1", "l2", "linf")
NORMS = ("l1", "l2", "linf")
SEEDS = st.integers(0, 400)

few = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def nearest(tiny: TinyNetwork, image: np.ndarray, label: int, distance: str):
    return minimal_attack(as_network(tiny), image.reshape(SHAPE), label, distance, gap=1e-7)


def scaled(tiny: TinyNetwork, factor: float) -> TinyNetwork:
    other = copy.deepcopy(tiny)
    other.weights[-1] = factor * other.weights[-1]
    other.biases[-1] = factor * other.biases[-1]
    return other


def same(first, second, relative: float = 1e-6) -> None:
    assert first.status == second.status
    assert first.distance == pytest.approx(second.distance, rel=relative)


@few
@given(SEEDS, st.integers(-9, 9), st.sampled_from(DISTANCES))
def test_the_scale_of_the_logits_changes_no_attack(seed: int, power: int, distance: str) -> None:
    _, network, image, label = instance(seed)
    # In float64 the two are the same network; float32 would round their weights apart.
    double = copy.deepcopy(network).double()
    other = copy.deepcopy(double)
    last = other.body[-1]
    last.weight.data *= 10.0**power
    last.bias.data *= 10.0**power
    first, second = (
        minimal_attack(each, image.reshape(SHAPE), label, distance, gap=1e-7)
        for each in (double, other)
    )
    same(first, second)


@few
@given(SEEDS, st.integers(-9, 9), st.sampled_from(NORMS), st.floats(0.02, 0.4))
def test_the_scale_of_the_logits_changes_no_verdict(
    seed: int, power: int, norm: str, epsilon: float
) -> None:
    tiny, network, image, label = instance(seed)
    other = as_network(scaled(tiny, 10.0**power))
    shaped = image.reshape(SHAPE)
    first, second = (verify(each, shaped, label, epsilon, norm) for each in (network, other))
    assert first.status == second.status


@few
@given(SEEDS, st.integers(-9, 9))
def test_the_scale_of_a_neuron_changes_no_strongest_input(seed: int, power: int) -> None:
    tiny, network, _, _ = instance(seed)
    other = as_network(scaled(tiny, 10.0**power))
    first, second = (maximise_activation(each, 3, 1) for each in (network, other))
    assert first.status == second.status == "optimal"
    assert second.activation == pytest.approx(first.activation * 10.0**power, rel=1e-4)


@few
@given(SEEDS, st.sampled_from(DISTANCES), st.permutations(range(CLASSES)))
def test_the_names_of_classes_do_not_matter(seed: int, distance: str, order: list[int]) -> None:
    tiny, _, image, label = instance(seed)
    other = copy.deepcopy(tiny)
    other.weights[-1], other.biases[-1] = tiny.weights[-1][order], tiny.biases[-1][order]
    same(nearest(tiny, image, label, distance), nearest(other, image, order.index(label), distance))


@few
@given(SEEDS, st.sampled_from(DISTANCES), st.permutations(range(4)))
def test_the_places_of_pixels_do_not_matter(seed: int, distance: str, order: list[int]) -> None:
    tiny, _, image, label = instance(seed)
    other = copy.deepcopy(tiny)
    other.weights[0] = tiny.weights[0][:, order]
    same(nearest(tiny, image, label, distance), nearest(other, image[order], label, distance))


@few
@given(SEEDS, st.sampled_from(DISTANCES))
def test_a_dead_neuron_changes_nothing(seed: int, distance: str) -> None:
    tiny, _, image, label = instance(seed)
    other = copy.deepcopy(tiny)
    other.weights[0] = np.vstack([tiny.weights[0], -np.ones(4)])
    other.biases[0] = np.append(tiny.biases[0], -0.5)
    other.weights[1] = np.hstack([tiny.weights[1], np.ones((3, 1))])
    same(nearest(tiny, image, label, distance), nearest(other, image, label, distance))


@few
@given(SEEDS, st.sampled_from(DISTANCES))
def test_a_layer_split_by_an_identity_changes_nothing(seed: int, distance: str) -> None:
    # What leaves a ReLU passes another one unchanged.
    tiny, _, image, label = instance(seed)
    other = copy.deepcopy(tiny)
    other.weights.insert(1, np.eye(3))
    other.biases.insert(1, np.zeros(3))
    same(nearest(tiny, image, label, distance), nearest(other, image, label, distance))


@few
@given(SEEDS, st.sampled_from(NORMS))
def test_attack_and_verification_agree_on_both_sides_of_the_minimum(seed: int, norm: str) -> None:
    _, network, image, label = instance(seed)
    shaped = image.reshape(SHAPE)
    found = minimal_attack(network, shaped, label, norm, gap=1e-7)
    if found.status == "infeasible":
        largest = {"linf": 1.0, "l1": 4.0, "l2": 2.0}[norm]
        assert verify(network, shaped, label, largest, norm).status == "robust"
        return
    assert verify(network, shaped, label, found.distance * (1 - 1e-4), norm).status == "robust"
    beyond = min(found.distance * (1 + 1e-4), {"linf": 1.0, "l1": 4.0, "l2": 2.0}[norm])
    assert verify(network, shaped, label, beyond, norm).status == "attackable"


@few
@given(SEEDS, st.sampled_from(NORMS), st.floats(0.01, 0.5), st.floats(1.05, 2.0))
def test_what_is_attackable_stays_so_in_a_larger_ball(
    seed: int, norm: str, epsilon: float, factor: float
) -> None:
    _, network, image, label = instance(seed)
    shaped = image.reshape(SHAPE)
    smaller = verify(network, shaped, label, epsilon, norm)
    larger = verify(network, shaped, label, epsilon * factor, norm)
    if smaller.status == "attackable":
        assert larger.status == "attackable"
    assert (larger.margins <= smaller.margins + 1e-6).all() or larger.status == "robust"


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("epsilon", [1e-12, 1e-9, 1e-6, 1e-5, 1e-3])
def test_tiny_balls_hold_what_is_found_in_them(norm: str, epsilon: float) -> None:
    # Two classes meet half a radius away from the image.
    tiny, _, _, _ = instance(0, hidden=())
    tiny.weights = [np.array([[0.0, 0, 0, 0], [1.0, 0, 0, 0], [0.0, 0, 0, 0]])]
    network = as_network(tiny).double()
    image = np.array([0.3, 0.7, 0.1, 0.0])
    network.body[-1].bias.data[:] = np_tensor([0.0, -0.3 - 0.5 * epsilon, -2.0])
    verdict = verify(network, image.reshape(SHAPE), 0, epsilon, norm)
    # What wins by no more than sums are rounded by is left open.
    rounded = ["unknown"] if epsilon < 1e-6 else []
    assert verdict.status in ["attackable", *rounded]
    inner = verify(network, image.reshape(SHAPE), 0, 0.49 * epsilon, norm).status
    assert inner in ["robust", *rounded]


def np_tensor(values: list[float]):
    import torch

    return torch.tensor(values, dtype=torch.float64)


def test_a_tie_is_a_win_for_the_attacker_in_both() -> None:
    tiny, _, _, _ = instance(0, hidden=())
    tiny.weights = [np.array([[1.0, 0, 0, 0], [0.0, 1, 0, 0], [0.0, 0, 0, 0]])]
    tiny.biases = [np.zeros(3)]
    network = as_network(tiny)
    image = np.array([0.5, 0.5, 0.0, 0.0]).reshape(SHAPE)
    for label in (0, 1):
        verdict = verify(network, image, label, 0.1)
        assert verdict.status == "misclassified"
        assert verdict.predicted == 1 - label
        with pytest.raises(InputError, match="the same logit"):
            minimal_attack(network, image, label)


def test_at_the_minimum_itself_float64_cannot_tell() -> None:
    tiny, _, _, _ = instance(0, hidden=())
    tiny.weights = [np.array([[1.0, 0, 0, 0], [0.0, 1, 0, 0], [0.0, 0, 0, 0]])]
    tiny.biases = [np.array([0.0, 0.0, -1.0])]
    network = as_network(tiny)
    image = np.array([0.75, 0.25, 0.0, 0.0]).reshape(SHAPE)
    verdict = verify(network, image, 0, 0.25)
    assert verdict.status == "unknown"
    assert verdict.tied
