"""Linear bounds hold, are no looser than intervals, and stay true where floats are not."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from brute_force import CLASSES, SHAPE, TinyNetwork
from exact_arithmetic import exactly
from scipy import sparse
from scipy.optimize import linprog
from small_networks import convolutional, points_of, residual
from tiny_networks import as_network

from advmip import InputError, staged
from advmip.mip.bounds.balls import NORMS, Ball
from advmip.mip.bounds.linear import LinearBounds, margin_forms
from advmip.mip.bounds.lines import adaptive, parallel
from advmip.mip.bounds.operators import matrix_stages
from advmip.mip.distances import Box, distance_named
from advmip.networks import Network
from advmip.networks.staged import AffineMap, StagedNetwork

DOUBLE = torch.float64


def tiny(seed: int) -> Network:
    return as_network(TinyNetwork(seed))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("slope", [adaptive, parallel])
@pytest.mark.parametrize(
    "network", [convolutional(), residual(), *(tiny(seed) for seed in (0, 1, 4, 6))]
)
def test_no_point_of_the_ball_leaves_the_bounds(network: Network, slope, norm: str) -> None:
    form = staged(network)
    image = torch.from_numpy(np.random.default_rng(0).random((1, form.pixels)))
    ball = Ball(image, {"linf": 0.1, "l1": 0.8, "l2": 0.3}[norm], norm)
    bounds = LinearBounds(matrix_stages(form), ball, slope)
    intervals, sides = bounds.by_intervals(), bounds.by_forms()
    margins = bounds.forms(margin_forms(torch.tensor([1]), form.classes, DOUBLE)).least[0]
    entering = form.preactivations(points_of(ball, 2000, seed=1).T)
    for values, coarse, side in zip(entering, intervals, sides, strict=True):
        assert (side.lower[0].numpy() <= values.T).all()
        assert (side.upper[0].numpy() >= values.T).all()
        assert (side.lower >= coarse.lower).all()
        assert (side.upper <= coarse.upper).all()
    assert (margins.numpy() <= (entering[-1][1] - entering[-1]).T).all()


@pytest.mark.parametrize("seed", range(8))
def test_margins_lie_below_the_least_over_all_activation_patterns(seed: int) -> None:
    plain = TinyNetwork(seed)
    network = as_network(plain)
    image = np.random.default_rng(seed + 100).random(4)
    label = int(np.argmax(plain.logits(image)))
    lower, upper = np.clip(image - 0.2, 0, 1), np.clip(image + 0.2, 0, 1)
    box = list(zip(lower, upper, strict=True))
    exact = np.full(CLASSES, np.inf)
    for rows, sides, matrix, constant in plain.regions():
        for rival in range(CLASSES):
            answer = linprog(matrix[label] - matrix[rival], rows, sides, bounds=box)
            if answer.status == 0:
                least = answer.fun + constant[label] - constant[rival]
                exact[rival] = min(exact[rival], least)
    bounds = LinearBounds(
        matrix_stages(staged(network)), Ball(torch.tensor(image[None]), 0.2, "linf")
    )
    bounds.by_intervals()
    forms = margin_forms(torch.tensor([label]), CLASSES, DOUBLE)
    by_intervals = bounds.forms(forms).least[0].numpy()
    bounds.by_forms()
    by_forms = bounds.forms(forms).least[0].numpy()
    assert (by_forms <= exact + 1e-7).all()
    assert (by_intervals <= exact + 1e-7).all()
    # The tighter the neurons, the tighter the margins; here mostly strictly so.
    assert by_forms.sum() >= by_intervals.sum() - 1e-9


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("radius", [0.05, 0.7, 3.0, np.inf])
def test_balls_agree_with_the_distances(norm: str, radius: float) -> None:
    random = np.random.default_rng(5)
    image, weights = random.random(9), random.normal(size=(20, 9))
    found = Ball(torch.tensor(image[None]), radius, norm).least(torch.tensor(weights[None]))[0]
    distance = distance_named(norm)
    expected = weights @ image - distance.largest(-weights, Box.around(image, (1, 3, 3)), radius)
    if norm == "l2":
        assert (found.numpy() <= expected + 1e-12).all()
    else:
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)
    if norm == "l2" and radius == 0.05:  # nothing but the curved side matters for most forms
        assert np.isclose(found.numpy(), expected).mean() > 0.5


def test_an_unknown_norm_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'l"):
        Ball(torch.zeros(1, 4), 0.1, "l3")


def test_neurons_that_are_never_active_may_be_left_out() -> None:
    form = staged(convolutional())
    ball = Ball(torch.full((1, 64), 0.5, dtype=DOUBLE), 0.05, "linf")
    sides = LinearBounds(matrix_stages(form), ball).by_forms()
    kept = [np.flatnonzero((side.upper[0] > 0).numpy()) for side in sides[:-1]]
    assert sum(map(len, kept)) < form.neurons
    point = np.full(64, 0.52)
    np.testing.assert_allclose(form.keeping(kept).logits(point), form.logits(point), atol=1e-12)


def test_weights_that_overflow_are_refused() -> None:
    matrix = AffineMap({0: sparse.csr_array(np.full((1, 4), 1e300))}, np.zeros(1))
    form = StagedNetwork(SHAPE, (), matrix)
    with pytest.raises(InputError, match="rescale the weights"):
        LinearBounds(matrix_stages(form), Ball(torch.ones(1, 4).double(), 0.1, "linf")).by_forms()


def test_bounds_hold_in_exact_arithmetic_where_floats_lose_all_digits() -> None:
    """A neuron's input is 1e17 x - 1e17 x' + x'', x' a neighbour: floats see 0 or 16."""
    random = np.random.default_rng(7)
    first = np.array([[1e17, -1e17, 1.0, 0.0], [1e-30, 3e8, -3e8, 1.0], [1.0, 2.0, -3.0, 1e-20]])
    last = np.array([[1.0, 1e9, -1e17], [-1e17, 1.0, 1.0]])
    form = StagedNetwork(
        SHAPE,
        (AffineMap({0: sparse.csr_array(first)}, np.array([-0.25, 1e16, 0.0])),),
        AffineMap({1: sparse.csr_array(last)}, np.array([0.0, 1e16])),
    )
    for _ in range(50):
        image = random.random(4)
        image[1] = image[0]
        bounds = LinearBounds(matrix_stages(form), Ball(torch.tensor(image[None]), 1e-17, "linf"))
        sides = bounds.by_forms()
        margin = bounds.forms(margin_forms(torch.tensor([0]), 2, DOUBLE)).least[0, 1].item()
        hidden = exactly(first, form.hidden[0].bias, [Fraction(each) for each in image])
        logits = exactly(last, form.output.bias, [max(each, Fraction(0)) for each in hidden])
        for values, side in ((hidden, sides[0]), (logits, sides[1])):
            for value, lower, upper in zip(values, side.lower[0], side.upper[0], strict=True):
                assert Fraction(lower.item()) <= value <= Fraction(upper.item())
        assert Fraction(margin) <= logits[0] - logits[1]
