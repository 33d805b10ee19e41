"""Live layers give the bounds of the matrices that proofs rest on, and gradients besides."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import torch
from small_networks import convolutional, network_of, points_of
from small_networks import residual as pooled
from torch import Tensor, nn
from torch.nn import functional

from advmip import InputError, staged
from advmip.mip.bounds.balls import Ball
from advmip.mip.bounds.layer_stages import layer_stages
from advmip.mip.bounds.linear import LinearBounds, margin_forms
from advmip.mip.bounds.lines import parallel
from advmip.mip.bounds.operators import Stage, matrix_stages
from advmip.networks import ARCHITECTURES, Network, new_network
from advmip.networks.architectures.residual import ShortcutBlock

SHAPE = (1, 8, 8)
LABELS = torch.tensor([0, 2])


class Skipping(nn.Module):
    """A layer and the image itself added to what is two layers on."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 1, 3, padding=1)
        self.second = nn.Conv2d(1, 1, 3, padding=1, bias=False)
        self.last = nn.Linear(64, 3)

    def forward(self, images: Tensor) -> Tensor:
        hidden = torch.relu(self.first(images))
        hidden = functional.relu(self.second(hidden) + hidden).add(images)
        values: Tensor = self.last(hidden.relu().flatten(1))
        return values


def shortcut() -> Network:
    """Two residual blocks whose shortcuts are convolutions, as in Wong et al.'s network."""
    torch.manual_seed(1)
    body = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1),
        nn.ReLU(),
        ShortcutBlock(2, 2, stride=1),
        ShortcutBlock(2, 3, stride=2),
        nn.Flatten(),
        nn.Linear(48, 3),
    )
    return network_of(body, SHAPE)


def skipping() -> Network:
    torch.manual_seed(0)
    return network_of(Skipping(), SHAPE)


def normalised() -> Network:
    """The network of shortcuts behind pixels that are shifted and scaled."""
    body = shortcut().body
    architecture = dataclasses.replace(
        network_of(body, SHAPE).architecture, mean=(0.4,), std=(0.25,)
    )
    return Network(architecture, body).eval()


def bounded(stages: list[Stage], images: Tensor) -> LinearBounds:
    return LinearBounds(stages, Ball(images, 0.03, "linf"), parallel, outward=False)


def margins(stages: list[Stage], images: Tensor) -> Tensor:
    bounds = bounded(stages, images)
    bounds.by_forms()
    return bounds.forms(margin_forms(LABELS, 3, torch.float64)).least


def some_images() -> Tensor:
    return torch.rand(2, 64, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("made", [convolutional, shortcut, normalised])
def test_bounds_are_those_of_the_matrices(made: Callable[[], Network]) -> None:
    network, images = made().double(), some_images()
    live, fixed = layer_stages(network), matrix_stages(staged(network))
    intervals = (bounded(stages, images).by_intervals() for stages in (live, fixed))
    for one, other in zip(*intervals, strict=True):
        torch.testing.assert_close(one.lower, other.lower)
        torch.testing.assert_close(one.upper, other.upper)
    torch.testing.assert_close(margins(live, images), margins(fixed, images))


@pytest.mark.parametrize("made", [shortcut, normalised, skipping])
def test_no_point_of_the_ball_has_smaller_margins(made: Callable[[], Network]) -> None:
    network, images = made().double(), some_images()
    least = margins(layer_stages(network), images).detach()
    for image, label, bound in zip(images, LABELS.tolist(), least, strict=True):
        points = points_of(Ball(image[None], 0.03, "linf"), 2000, seed=1)
        logits = torch.from_numpy(staged(network).logits(points.T)).T
        assert (bound <= (logits[:, [label]] - logits).amin(0) + 1e-12).all()


@pytest.mark.parametrize("made", [convolutional, shortcut, normalised, skipping])
def test_gradients_are_those_of_finite_differences(made: Callable[[], Network]) -> None:
    network, images = made().double(), some_images()

    def total() -> Tensor:
        return margins(layer_stages(network), images).sum()

    total().backward()
    step = 1e-6
    for weight in network.parameters():
        place = tuple(size - 1 for size in weight.shape)
        assert weight.grad is not None
        gradient = weight.grad[place].item()
        with torch.no_grad():
            weight[place] += step
            above = total().item()
            weight[place] -= 2 * step
            below = total().item()
            weight[place] += step
        assert gradient == pytest.approx((above - below) / (2 * step), rel=1e-5, abs=1e-7)


def test_intervals_of_sums_within_one_layer_are_wider_than_needed() -> None:
    """A layer and its convolution are bounded apart, where one matrix is bounded as a whole."""
    network, images = skipping().double(), some_images()
    live = bounded(layer_stages(network), images).by_intervals()
    fixed = bounded(matrix_stages(staged(network)), images).by_intervals()
    for one, other in zip(live, fixed, strict=True):
        assert (one.lower <= other.lower + 1e-12).all()
        assert (one.upper >= other.upper - 1e-12).all()


def test_wong_and_kolters_residual_network_has_live_stages() -> None:
    network = new_network(ARCHITECTURES["verified_resnet"], seed=0)
    widths = [stage.width for stage in layer_stages(network)]
    assert sum(widths[:-1]) == 107_496
    assert widths[-1] == 10


class Shifted(nn.Module):
    """A sum with a constant."""

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1) + 1.0


@pytest.mark.parametrize(
    ("network", "named"),
    [
        (pooled(), "MaxPool2d"),
        (network_of(nn.Sequential(Shifted()), SHAPE), "a sum with a constant"),
        (network_of(nn.Sequential(nn.Linear(8, 3)), SHAPE), "not flattened"),
        (network_of(nn.Sequential(nn.Flatten(2)), SHAPE), "only flattening"),
        (network_of(nn.Sequential(nn.Conv2d(1, 1, 3, padding="same")), SHAPE), "padding 'same'"),
    ],
)
def test_what_cannot_be_bounded_is_named(network: Network, named: str) -> None:
    with pytest.raises(InputError, match=named):
        layer_stages(network)
