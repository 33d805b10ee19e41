"""Rows of the constraint matrix agree with autograd, however they are stored."""

import pytest
import torch
from torch import nn

from advmip.errors import InputError
from advmip.finetuning.cuts import AdversaryCuts
from advmip.finetuning.gradient_rows import FullRows, inner_products, output_gradients
from advmip.finetuning.parameters import ParameterVector
from advmip.networks import ARCHITECTURES, new_network

NETWORKS = ["digits_cnn_light", "shapes_resnet"]


def body_and_points(name, count=6):
    network = new_network(ARCHITECTURES[name], seed=3).frozen()
    body = network.body.double()
    for module in body.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 2.0)
    generator = torch.Generator().manual_seed(1)
    shape = network.architecture.input_shape
    points = torch.rand(count, *shape, generator=generator, dtype=torch.float64)
    return body, ParameterVector(body), points, generator


def autograd_row(body, parameters, vector, point, direction):
    leaf = vector.clone().requires_grad_()
    outputs = parameters.call(body, leaf, point[None])
    (row,) = torch.autograd.grad((outputs[0] * direction).sum(), leaf)
    return row


@pytest.mark.parametrize("name", NETWORKS)
def test_rows_are_the_gradients_that_autograd_computes_one_by_one(name):
    body, parameters, points, generator = body_and_points(name)
    vector = parameters.of(body)
    directions = torch.randn(len(points), 10, generator=generator, dtype=torch.float64)
    rows = output_gradients(body, parameters, vector, points, directions).written_out()
    for row, point, direction in zip(rows, points, directions, strict=True):
        expected = autograd_row(body, parameters, vector, point, direction)
        torch.testing.assert_close(row, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
def test_inner_products_and_combinations_need_no_rows_written_out(name):
    body, parameters, points, generator = body_and_points(name)
    vector = parameters.of(body)
    directions = torch.randn(len(points), 10, generator=generator, dtype=torch.float64)
    factored = output_gradients(body, parameters, vector, points, directions)
    other = output_gradients(body, parameters, vector, points.flip(0), directions)
    full = FullRows(torch.randn(3, parameters.count, generator=generator, dtype=torch.float64))
    matrix = factored.written_out()
    for right in (factored, other, full):
        product = inner_products(factored, right)
        torch.testing.assert_close(product, matrix @ right.written_out().T)
        torch.testing.assert_close(inner_products(right, factored), product.T)
    multipliers = torch.rand(factored.count, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(factored.combine(multipliers), multipliers @ matrix)


@pytest.mark.parametrize("name", NETWORKS)
def test_slopes_of_cuts_are_their_rows_times_the_step(name):
    body, parameters, points, generator = body_and_points(name)
    labels = torch.arange(len(points)) % 10
    step = 0.01 * torch.randn(parameters.count, generator=generator, dtype=torch.float64)
    start = parameters.of(body)
    cuts = AdversaryCuts(
        body, parameters, start + step, step, points, labels, margin=1e-5, radius=0.0
    )
    matrix = cuts.gradients(torch.arange(len(points) * 9)).written_out()
    torch.testing.assert_close(cuts.slopes(step), matrix @ step)
    # The linearisation at w^k is exact at w^k: a . d^k - c is the margin there less delta.
    torch.testing.assert_close(
        cuts.slopes(step) - cuts.right_hand_side, cuts.margins.flatten() - 1e-5
    )


def test_strengthened_cut_is_the_worst_case_of_the_linearisation_over_the_l1_ball():
    body, parameters, points, _ = body_and_points("digits_cnn_light", count=2)
    labels = torch.tensor([4, 7])
    start, step = parameters.of(body), torch.zeros(parameters.count, dtype=torch.float64)
    radius = 0.05

    def cuts(at):
        return AdversaryCuts(
            body, parameters, start, step, points, labels, margin=0.0, radius=at
        ).right_hand_side

    added = cuts(radius) - cuts(0.0)
    # Ground truth of (17): the maximum of a linear function over an l1 ball is at a vertex, so try
    # every vertex +-radius e_m of the ball around every point.
    row = 0
    for point, label in zip(points, labels, strict=True):
        leaf = point.clone().requires_grad_()
        outputs = parameters.call(body, start, leaf[None])[0]
        for other in (j for j in range(10) if j != label):
            (slope,) = torch.autograd.grad(outputs[other] - outputs[label], leaf, retain_graph=True)
            vertices = torch.cat([radius * slope.flatten(), -radius * slope.flatten()])
            assert float(added[row]) == pytest.approx(float(vertices.max()), rel=1e-9)
            row += 1


def test_a_layer_that_has_no_rule_is_named():
    body = nn.Sequential(nn.Flatten(), nn.PReLU(), nn.Linear(4, 10)).double()
    parameters = ParameterVector(body)
    with pytest.raises(InputError, match="PReLU"):
        output_gradients(
            body,
            parameters,
            parameters.of(body),
            torch.rand(1, 1, 2, 2, dtype=torch.float64),
            torch.ones(1, 10, dtype=torch.float64),
        )
