"""Bounds of the checker: they hold wherever they should, for whatever numbers they are made of."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

from advmip.checking.proofs.enclosure import Enclosure, Given, Sides, Stages
from advmip.checking.proofs.input_cuts import Cuts
from advmip.checking.proofs.regions import Boxes, ball
from advmip.errors import InputError
from advmip.networks.staged import AffineMap, Matrix, StagedNetwork

NORMS = ["linf", "l1", "l2"]
ORDER = {"linf": np.inf, "l1": 1, "l2": 2}


def affine(random: np.random.Generator, outputs: int, **widths: int) -> AffineMap:
    terms = {
        int(layer[1:]): Matrix(random.normal(size=(outputs, width)))
        for layer, width in widths.items()
    }
    return AffineMap(terms, 0.3 * random.normal(size=outputs))


def with_a_sum(seed: int) -> StagedNetwork:
    """Three layers, of which the last and the outputs read earlier ones besides."""
    random = np.random.default_rng(seed)
    hidden = (
        affine(random, 6, x0=4),
        affine(random, 5, x1=6),
        affine(random, 6, x2=5, x1=6),
    )
    return StagedNetwork((4,), hidden, affine(random, 3, x3=6, x0=4))


def region_around(norm: str, radius: float = 0.4):
    image = np.array([0.2, 0.5, 0.9, 0.4])
    return image, ball(image, radius, norm, np.zeros(4), np.ones(4))


def points_of(image: np.ndarray, norm: str, radius: float, count: int) -> np.ndarray:
    random = np.random.default_rng(9)
    steps = random.uniform(-1, 1, (count, 4))
    steps *= radius / np.linalg.norm(steps, ORDER[norm], axis=1, keepdims=True)
    steps[::2] *= random.random((len(steps[::2]), 1))
    return np.clip(image + steps, 0, 1)


@pytest.mark.parametrize("norm", NORMS)
def test_the_least_of_a_form_is_that_of_a_linear_program_or_below(norm: str) -> None:
    image, region = region_around(norm)
    forms = np.random.default_rng(1).normal(size=(1, 20, 4))
    least, _ = region.least(forms)
    values = forms[0] @ points_of(image, norm, 0.4, 4000).T
    assert (least[0][:, None] <= values + 1e-12).all()
    if norm == "l2":
        return
    # x = image + up - down, within the box and, for L1, up + down within the radius.
    limit = np.ones((1, 8)) if norm == "l1" else np.zeros((1, 8))
    sides = [*np.minimum(1 - image, 0.4), *np.minimum(image, 0.4)]
    for form, found in zip(forms[0], least[0], strict=True):
        solved = linprog([*form, *-form], A_ub=limit, b_ub=[0.4], bounds=[(0, s) for s in sides])
        assert found == pytest.approx(form @ image + solved.fun, abs=1e-12)


def test_halves_leave_nothing_out() -> None:
    boxes = Boxes(np.array([[0.1, 0.2], [0.0, 0.0]]), np.array([[0.3, 0.7], [1.0, 1.0]]))
    halves = boxes.halved(np.array([0, 1]))
    assert (halves.upper[[0, 2], [0, 1]] == halves.lower[[1, 3], [0, 1]]).all()
    assert (halves.lower[::2] == boxes.lower).all()
    assert (halves.upper[1::2] == boxes.upper).all()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("seed", range(4))
def test_neurons_and_forms_stay_within_their_bounds(seed: int, norm: str) -> None:
    network = with_a_sum(seed)
    image, region = region_around(norm)
    enclosure = Enclosure(Stages(network), region)
    sides = [*enclosure.by_usual_forms(), enclosure.interval(3)]
    points = points_of(image, norm, 0.4, 3000)
    entering = network.preactivations(points.T)
    for bounds, values in zip(sides, entering, strict=True):
        assert (values >= bounds.lower.T).all()
        assert (values <= bounds.upper.T).all()
    random = np.random.default_rng(seed)
    inside, outside = random.normal(size=(5, 4)), random.normal(size=(5, 3))
    least = enclosure.conditions(inside, outside, np.arange(5.0))[0]
    by_intervals = enclosure.of_intervals(inside, outside, np.arange(5.0), sides[-1])[0]
    values = inside @ points.T + outside @ entering[-1] + np.arange(5.0)[:, None]
    assert (np.maximum(least, by_intervals)[:, None] <= values).all()


@pytest.mark.parametrize("with_cuts", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_no_number_makes_a_bound_wrong_where_the_signs_are_held(seed: int, with_cuts: bool) -> None:
    """Slopes and prices of every size, even such that no proof may hold; any quarters."""
    network, random = with_a_sum(seed), np.random.default_rng(seed)
    image, region = region_around("linf")
    base = Enclosure(Stages(network), region)
    base.by_usual_forms()
    points = points_of(image, "linf", 0.4, 4000)
    *entering, outputs = network.preactivations(points.T)
    agree, sides, given = np.ones(len(points), bool), [], []
    for layer, bounds in enumerate(base.sides):
        neuron = int(np.argmax(bounds.upper - bounds.lower))
        positive = bool(entering[layer][neuron][seed] >= 0)
        sides.append(bounds.held(neuron, positive))
        agree &= (entering[layer][neuron] >= 0) == positive
        count = bounds.lower.shape[1]
        terms = network.hidden[layer].terms
        cuts = None
        if with_cuts and len(terms) == 1:
            inputs = np.arange(next(iter(terms.values())).shape[1])[seed % 2 :]
            quarters = random.integers(0, 4, (7, len(inputs))).astype(np.uint8)
            cuts = Cuts(random.random((7, count)), inputs, quarters)
        given.append(
            Given(
                np.arange(count),
                random.normal(scale=2.0, size=(7, count)),
                np.array([neuron]),
                random.normal(scale=10.0 ** random.uniform(-2, 3), size=(7, 1)),
                cuts,
            )
        )
    enclosure = Enclosure(Stages(network), region, sides, base.magnitudes)
    inside, outside = random.normal(size=(7, 4)), random.normal(size=(7, 3))
    least = enclosure.conditions(inside, outside, np.zeros(7), given)[0]
    values = inside @ points.T + outside @ outputs
    assert (least[:, None] <= values[:, agree]).all()


@pytest.mark.parametrize("seed", range(5))
def test_bounds_hold_in_exact_arithmetic(seed: int) -> None:
    """A form of a stable network is linear: its bound is the least of it but for rounding."""
    random = np.random.default_rng(seed)
    hidden = affine(random, 5, x0=4)
    hidden = AffineMap(hidden.terms, hidden.bias + 10.0)
    network = StagedNetwork((4,), (hidden,), affine(random, 2, x1=5))
    _, region = region_around("linf")
    enclosure = Enclosure(Stages(network), region)
    enclosure.by_usual_forms()
    (least,) = enclosure.conditions(np.zeros((1, 4)), np.array([[1.0, -1.0]]), np.zeros(1))[0]
    first, second = (
        [[Fraction(value) for value in row] for row in each.terms[layer].toarray().tolist()]
        for layer, each in enumerate((hidden, network.output))
    )
    biases = [
        [Fraction(value) for value in each.bias.tolist()] for each in (hidden, network.output)
    ]
    difference = [a - b for a, b in zip(*second, strict=True)]
    form = [sum(c * row[k] for c, row in zip(difference, first, strict=True)) for k in range(4)]
    exact = biases[1][0] - biases[1][1]
    exact += sum(c * b for c, b in zip(difference, biases[0], strict=True))
    for coefficient, low, high in zip(form, region.lower[0], region.upper[0], strict=True):
        exact += coefficient * Fraction(float(low if coefficient > 0 else high))
    assert Fraction(float(least)) < exact
    assert float(exact - Fraction(float(least))) < 1e-11


def test_what_overflows_is_refused() -> None:
    huge = AffineMap({0: Matrix(np.full((2, 1), 1e101))}, np.zeros(2))
    network = StagedNetwork((1,), (huge,), AffineMap({1: Matrix(np.ones((1, 2)))}, np.zeros(1)))
    enclosure = Enclosure(Stages(network), Boxes(np.zeros((1, 1)), np.ones((1, 1))))
    with pytest.raises(InputError, match="sums of absolute products"):
        enclosure.by_usual_forms()


def test_a_sign_that_is_held_moves_an_end() -> None:
    sides = Sides(np.array([[-1.0, -2.0]]), np.array([[3.0, 4.0]]))
    assert sides.held(0, True).lower.tolist() == [[0.0, -2.0]]
    assert sides.held(1, False).upper.tolist() == [[3.0, 0.0]]
