"""The best lines: their derivative, and bounds that hold and grow."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_networks import convolutional, points_of, residual

from advmip import staged
from advmip.mip.bounds.balls import NORMS, Ball
from advmip.mip.bounds.linear import LinearBounds
from advmip.mip.bounds.lines import Lines, Multipliers, Sides
from advmip.mip.bounds.operators import matrix_stages
from advmip.mip.bounds.optimised import OptimisedForms, _gradients
from advmip.networks import Network
from advmip.networks.staged import AffineMap, Matrix, StagedNetwork

RADIUS = {"linf": 0.1, "l1": 0.8, "l2": 0.3}
NETWORKS = [convolutional(), residual()]


class Problem:
    """A network over a ball, forms in its outputs, and neurons whose signs are held."""

    def __init__(self, network: Network, norm: str) -> None:
        self.form = staged(network)
        random = np.random.default_rng(5)
        image = torch.from_numpy(random.random((1, self.form.pixels)))
        self.ball = Ball(image, RADIUS[norm], norm)
        self.stages = matrix_stages(self.form)
        self.proof = LinearBounds(self.stages, self.ball)
        self.sides = self.proof.by_forms()[:-1]
        self.rows = torch.from_numpy(random.normal(size=(1, 4, self.form.classes)))
        self.signs = [torch.zeros(1, *each.lower.shape, dtype=torch.float64) for each in self.sides]
        for sign, each in zip(self.signs, self.sides, strict=True):
            for neuron in each.unstable()[0].nonzero()[:2, 0]:
                sign[0, 0, neuron] = 1.0 if random.random() < 0.5 else -1.0
        self.lines = [Lines.between(each) for each in self.sides]

    def multipliers(self) -> Multipliers:
        generator = torch.Generator().manual_seed(1)

        def random(sides: Sides) -> torch.Tensor:
            return torch.rand(1, 4, sides.lower.shape[1], generator=generator, dtype=torch.float64)

        return Multipliers([random(s) for s in self.sides], [0.1 * random(s) for s in self.sides])


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("network", NETWORKS)
def test_the_derivative_is_that_of_automatic_differentiation(network: Network, norm: str) -> None:
    problem = Problem(network, norm)
    forms, chosen = OptimisedForms(problem.stages, problem.ball), problem.multipliers()
    depth, rows = len(problem.stages) - 1, problem.rows
    for each in (*chosen.slopes, *chosen.signs):
        each.requires_grad_()
    found = forms.attained(depth, rows, problem.lines, chosen, problem.signs)
    problem.proof.given(problem.sides)
    bound = problem.proof.forms(rows, chosen, problem.signs)
    assert torch.allclose(bound.least + bound.rounding, found.least)
    everything = [*chosen.slopes, *chosen.signs]
    total = (bound.least + bound.rounding).sum()
    expected = torch.autograd.grad(total, everything, allow_unused=True)
    places = [torch.arange(each.shape[2]) for each in everything]
    for ours, theirs, sides in zip(
        _gradients(found, chosen, problem.signs, places), expected, 2 * problem.sides, strict=True
    ):
        assert ours is not None
        assert theirs is not None
        # The slope of a stable neuron is no choice.
        counts = sides.unstable()[0] | (theirs[0] != 0).any(0)
        assert torch.allclose(ours[..., counts], theirs[..., counts], atol=1e-9)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_search_raises_bounds_that_hold_wherever_the_signs_do(
    network: Network, norm: str
) -> None:
    problem = Problem(network, norm)
    forms = OptimisedForms(
        matrix_stages(problem.form, torch.float32), problem.ball.to(torch.float32)
    )
    depth, rows = len(problem.stages) - 1, problem.rows
    start = problem.multipliers()
    start = Multipliers(*([x.float() for x in each] for each in (start.slopes, start.signs)))
    lines = [Lines.between(Sides(s.lower.float(), s.upper.float())) for s in problem.sides]
    signs = [each.float() for each in problem.signs]
    before = forms.attained(depth, rows.float(), lines, start, signs).least
    least, best, _ = forms.raised(depth, rows.float(), lines, start, signs=signs, steps=30)
    assert (least >= before).all()
    assert (least > before + 1e-3).any()
    problem.proof.given(problem.sides)
    proved = problem.proof.forms(rows, best.double(), problem.signs).least[0]
    assert torch.allclose(proved.float(), least[0], atol=1e-4)
    points = points_of(problem.ball, 5000, seed=2).T
    *entering, outputs = problem.form.preactivations(points)
    agree = np.all(
        [
            (sign[0, 0].numpy()[:, None] * values >= 0).all(axis=0)
            for sign, values in zip(problem.signs, entering, strict=True)
        ],
        axis=0,
    )
    values = rows[0].numpy() @ outputs
    assert (proved.numpy()[:, None] <= values[:, agree]).all()


def test_a_multiplier_uses_what_a_held_sign_says() -> None:
    """Of x = max(x, 0) - max(-x, 0) over [-1, 1] the least is 0 where x >= 0 is held."""
    hidden = AffineMap({0: Matrix(np.array([[1.0], [-1.0]]))}, np.zeros(2))
    output = AffineMap({1: Matrix(np.array([[1.0, -1.0]]))}, np.zeros(1))
    stages = matrix_stages(StagedNetwork((1,), (hidden,), output))
    ball = Ball(torch.zeros(1, 1, dtype=torch.float64), 1.0, "linf", -1.0, 1.0)
    sides = Sides(torch.tensor([[0.0, -1.0]]).double(), torch.tensor([[1.0, 0.0]]).double())
    forms, signs = OptimisedForms(stages, ball), [torch.tensor([[[1.0, -1.0]]]).double()]
    start = Multipliers([torch.zeros(1, 1, 2).double()], [torch.zeros(1, 1, 2).double()])
    row, lines = torch.ones(1, 1, 1).double(), [Lines.between(sides)]
    assert float(forms.attained(1, row, lines, start, signs).least) == -1.0
    least, _, _ = forms.raised(1, row, lines, start, signs=signs, steps=100)
    assert float(least) == pytest.approx(0.0, abs=0.02)


def test_nodes_without_a_point_ask_for_no_form() -> None:
    problem = Problem(NETWORKS[0], "linf")
    depth, rows = len(problem.stages) - 1, problem.rows[:, :0].transpose(0, 1)
    none = torch.arange(0)
    start = problem.multipliers().items(none).swapped()
    forms, lines = OptimisedForms(problem.stages, problem.ball), problem.lines
    least, best, last = forms.raised(depth, rows, lines, start, signs=problem.signs, steps=3)
    assert least.shape == (0, 1)
    assert len(last.leaving[0]) == 0
    problem.proof.given(problem.sides)
    proved = problem.proof.forms(rows, best, [each[none] for each in problem.signs], of=none)
    assert proved.least.shape == (0, 1)
