"""Small networks of convolutions and sums, and points of balls around their images."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from advmip.mip.bounds.balls import Ball
from advmip.networks import Architecture, Network


def network_of(body: nn.Module, shape: tuple[int, int, int]) -> Network:
    """A network of this body, on pixels that are not normalised."""
    architecture = Architecture(
        name="test",
        paper_name="test",
        dataset="",
        input_shape=shape,
        mean=(0.0,) * shape[0],
        std=(1.0,) * shape[0],
        augmented=False,
        build=lambda: body,
    )
    return Network(architecture, body).eval()


def convolutional() -> Network:
    """Two convolutions and two linear layers."""
    torch.manual_seed(3)
    body = nn.Sequential(
        nn.Conv2d(1, 3, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64, 5),
        nn.ReLU(),
        nn.Linear(5, 3),
    )
    return network_of(body, (1, 8, 8))


class Residual(nn.Module):
    """A residual sum behind max pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 2, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.second = nn.Conv2d(2, 2, 3, padding=1)
        self.relu = nn.ReLU()
        self.last = nn.Linear(18, 3)

    def forward(self, images: Tensor) -> Tensor:
        pooled = self.pool(self.relu(self.first(images)))
        values: Tensor = self.last(torch.flatten(self.relu(self.second(pooled) + pooled), 1))
        return values


def residual() -> Network:
    torch.manual_seed(4)
    return network_of(Residual(), (1, 6, 6))


def points_of(ball: Ball, count: int, seed: int) -> np.ndarray:
    """Random points of the ball around its one image, many of them on its border."""
    random = np.random.default_rng(seed)
    image = ball.images[0].numpy()
    steps = random.uniform(-1, 1, (count, len(image)))
    if ball.norm == "linf":
        steps = np.where(random.random(steps.shape) < 0.5, np.sign(steps), steps)
    order = {"linf": np.inf, "l1": 1, "l2": 2}[ball.norm]
    steps /= np.linalg.norm(steps, ord=order, axis=1, keepdims=True)
    return np.clip(image + ball.radius * steps, 0.0, 1.0)
