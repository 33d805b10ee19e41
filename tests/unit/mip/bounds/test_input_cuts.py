"""Cuts in the inputs of ReLUs: they hold, are the lowest of their kind, and make bounds tighter."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from brute_force import TinyNetwork
from scipy.optimize import linprog
from tiny_networks import as_network

from advmip import staged
from advmip.checking.proofs.numbers import QUARTERS
from advmip.mip.bounds.balls import NORMS, Ball
from advmip.mip.bounds.input_cuts import InputCuts
from advmip.mip.bounds.linear import LinearBounds
from advmip.mip.bounds.lines import Lines, Multipliers
from advmip.mip.bounds.operators import DenseOperator, Stage, matrix_stages
from advmip.mip.bounds.optimised import OptimisedForms, _gradients
from advmip.mip.verification_tree.neurons import NodeBounds

INPUTS, NEURONS = 6, 5


class Layer:
    """A layer, ranges of its inputs in which every neuron has either sign, and cuts at a point."""

    def __init__(self, seed: int, levels=None) -> None:
        random = np.random.default_rng(seed)
        self.weights, middle = random.normal(size=(NEURONS, INPUTS)), random.random(INPUTS)
        self.bias = -self.weights @ middle
        self.lower = middle - 0.5 * random.random(INPUTS)
        self.upper = middle + 0.5 * random.random(INPUTS)
        self.levels = random.integers(0, QUARTERS, INPUTS) if levels is None else np.array(levels)
        stage = Stage(
            {0: DenseOperator(torch.from_numpy(self.weights))}, torch.from_numpy(self.bias)
        )
        box = torch.from_numpy(self.lower)[None], torch.from_numpy(self.upper)[None]
        levels = torch.from_numpy(self.levels)[None].to(torch.uint8)
        self.cuts = InputCuts.at(stage, torch.arange(NEURONS), box, levels)

    def at(self, shares: np.ndarray) -> np.ndarray:
        """Points (N, inputs) at these shares of the ranges."""
        return self.lower + shares * (self.upper - self.lower)

    def bounds(self, points: np.ndarray) -> np.ndarray:
        cuts, count = self.cuts, len(points)
        many = InputCuts(
            cuts.kept,
            cuts.layer,
            cuts.weights,
            *(each.expand(count, *each.shape[1:]) for each in (cuts.inputs, cuts.shares)),
            cuts.constant,
        )
        return many.values(torch.from_numpy(points)).numpy()

    def outputs(self, points: np.ndarray) -> np.ndarray:
        return np.maximum(points @ self.weights.T + self.bias, 0)


@pytest.mark.parametrize("seed", range(10))
def test_cuts_hold_in_the_whole_box(seed: int) -> None:
    layer = Layer(seed)
    corners = np.array(list(product((0.0, 1.0), repeat=INPUTS)))
    for shares in (corners, np.random.default_rng(seed).random((500, INPUTS))):
        points = layer.at(shares)
        assert (layer.outputs(points) <= layer.bounds(points) + 1e-12).all()


def test_cuts_at_a_corner_are_exact_there() -> None:
    for corner in product((0, QUARTERS - 1), repeat=INPUTS):
        layer = Layer(3, corner)
        point = layer.at(np.array([corner]) / (QUARTERS - 1))
        np.testing.assert_allclose(layer.bounds(point), layer.outputs(point), atol=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_no_other_shares_are_lower_at_the_point(seed: int) -> None:
    layer = Layer(seed)
    shares = (layer.levels + 0.5) / QUARTERS
    found = layer.bounds(layer.at(shares[None]))[0]
    for neuron in range(NEURONS):
        weights = layer.weights[neuron]
        lengths = np.abs(weights) * (layer.upper - layer.lower)
        from_least = np.where(weights > 0, shares, 1 - shares)
        most = np.where(weights > 0, layer.upper, layer.lower) @ weights + layer.bias[neuron]
        least = linprog(lengths * from_least, A_eq=lengths[None], b_eq=[most], bounds=(0, 1)).fun
        assert found[neuron] == pytest.approx(least)


@pytest.mark.parametrize("seed", range(5))
def test_what_a_form_takes_of_cuts_is_their_value(seed: int) -> None:
    layer = Layer(seed)
    random = np.random.default_rng(seed)
    point, taken = (
        layer.at(random.random((1, INPUTS))),
        torch.from_numpy(random.random((1, NEURONS))),
    )
    form = layer.cuts.pulled_back(taken)[0].numpy() @ point[0]
    total = float((taken * layer.cuts.constant).sum()) + form
    assert total == pytest.approx(taken[0].numpy() @ layer.bounds(point)[0])


class Region:
    """A tiny network of some depth around an image, and forms in its outputs."""

    def __init__(self, norm: str = "linf") -> None:
        self.tiny = TinyNetwork(2, (12, 10, 8))
        self.form = staged(as_network(self.tiny))
        self.stages = matrix_stages(self.form)
        self.ball = Ball(torch.full((1, 4), 0.5, dtype=torch.float64), 0.2, norm)
        self.proof = LinearBounds(self.stages, self.ball)
        self.sides = self.proof.by_forms()[:-1]
        self.rows = torch.eye(3, dtype=torch.float64)

    def chosen(self, weights: float) -> Multipliers:
        generator = torch.Generator().manual_seed(1)
        widths = [each.lower.shape[1] for each in self.sides]
        inputs = [4, *widths[:-1]]
        return Multipliers(
            [torch.rand(3, 1, each, generator=generator, dtype=torch.float64) for each in widths],
            [],
            [torch.full((3, 1, each), weights, dtype=torch.float64) for each in widths],
            [torch.randint(0, QUARTERS, (3, 1, each), generator=generator) for each in inputs],
        )

    def points(self) -> np.ndarray:
        changes = np.random.default_rng(0).uniform(-0.2, 0.2, (4000, 4))
        return 0.5 + changes[:2000] if self.ball.norm == "linf" else 0.5 + 0.25 * changes


@pytest.mark.parametrize("norm", NORMS)
def test_bounds_with_cuts_hold_and_grow_as_their_derivative_says(norm: str) -> None:
    region = Region(norm)
    chosen = region.chosen(0.4)
    for each in chosen.weights:
        each.requires_grad_()
    region.proof.given(region.sides)
    of = torch.zeros(3, dtype=torch.long)
    bound = region.proof.forms(region.rows[:, None], chosen, of=of)
    outputs = region.form.logits(region.points().T)
    assert (bound.least[:, 0].detach().numpy() <= outputs.min(axis=1)).all()
    expected = torch.autograd.grad((bound.least + bound.rounding).sum(), chosen.weights)
    forms = OptimisedForms(region.stages, region.ball)
    lines = [Lines.between(each) for each in region.sides]
    sides = [(each.lower.clamp(min=0), each.upper.clamp(min=0)) for each in region.sides[:-1]]
    lower, upper = region.ball.box
    boxes = [(region.ball.images + lower, region.ball.images + upper), *sides]
    with torch.no_grad():
        _, _, found = forms.raised(3, region.rows[:, None], lines, chosen, steps=0, boxes=boxes)
    torch.testing.assert_close(found.least, bound.least + bound.rounding)
    places = [torch.arange(each.shape[2]) for each in (*chosen.slopes, *chosen.weights)]
    ours = list(_gradients(found, chosen, [], places))[len(chosen.slopes) :]
    for mine, theirs in zip(ours, expected, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_neurons_are_bounded_tighter_with_cuts_and_never_wrongly() -> None:
    region = Region()
    search = matrix_stages(region.form, torch.float32)
    bounds = NodeBounds(region.stages, search, region.ball)
    signs = [torch.zeros(1, *each.lower.shape) for each in region.sides]
    with torch.no_grad():
        found = {
            cut: bounds.neurons(region.sides, signs, [1], [[None] * 3], 30, cut=cut)[0]
            for cut in (False, True)
        }
    width = {cut: float(sum((s.upper - s.lower).sum() for s in found[cut])) for cut in found}
    assert width[True] < 0.95 * width[False]
    values = region.points()
    layers = zip(region.tiny.weights[:-1], region.tiny.biases[:-1], found[True], strict=True)
    for weight, bias, sides in layers:
        entering = values @ weight.T + bias
        assert (sides.lower[0].numpy() <= entering.min(axis=0)).all()
        assert (entering.max(axis=0) <= sides.upper[0].numpy()).all()
        values = np.maximum(entering, 0)
