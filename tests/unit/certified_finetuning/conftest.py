"""A plane of two pixels and three classes, small enough to look at every point of a ball."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from advmip import Dataset, from_torch

EPSILON = 0.06


@pytest.fixture(scope="session")
def plane():
    """A network that knows its classes, its training data, and images near the borders.

    Classes are thirds of the square, by the angle about its middle.
    """
    generator = np.random.default_rng(0)
    points = generator.random((600, 2))
    angles = np.arctan2(*(points - 0.5).T) % (2 * np.pi)
    labels = (angles // (2 * np.pi / 3)).astype(np.int64)
    images = points.astype(np.float32).reshape(-1, 1, 1, 2)
    train = Dataset("plane", "train", images, labels, "")
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(2, 12), nn.ReLU(), nn.Linear(12, 3))
    descent = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(60):
        descent.zero_grad()
        loss = nn.functional.cross_entropy(
            module(torch.from_numpy(images)), torch.from_numpy(labels)
        )
        loss.backward()
        descent.step()
    network = from_torch(module, input_shape=(1, 1, 2))
    # How far each point is from the rays between the classes, and from the middle.
    borders = np.array([0, 2 * np.pi / 3, 4 * np.pi / 3, 2 * np.pi])
    radius = np.linalg.norm(points - 0.5, axis=1)
    away = radius * np.sin(np.abs(angles[:, None] - borders).min(axis=1).clip(max=np.pi / 2))
    near = np.flatnonzero((away > 1.5 * EPSILON) & (away < 2.5 * EPSILON) & (radius > 0.25))
    chosen = [(images[place], int(labels[place])) for place in near[:12]]
    return network, train, chosen


@pytest.fixture(scope="session")
def winners():
    """How many points of a fine grid on a ball another class wins at, or ties."""

    def count(network, image, label, epsilon=EPSILON):
        sides = [np.linspace(max(x - epsilon, 0), min(x + epsilon, 1), 201) for x in image.ravel()]
        grid = torch.from_numpy(np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 1, 1, 2))
        with torch.no_grad():
            outputs = copy.deepcopy(network).double()(grid)
        own = outputs[:, label].clone()
        outputs[:, label] = -torch.inf
        return int((outputs.amax(dim=1) >= own).sum())

    return count
