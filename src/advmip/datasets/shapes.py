"""Small coloured shapes, drawn from a seed: a stand-in for CIFAR-10 that needs no file.

Ten classes of 16x16 pixels in colour. Place, size, tilt, colours and lighting vary, colours
say nothing about the class, and noise covers it all, so that a small network makes mistakes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from advmip.datasets.dataset import CLASSES, Dataset, from_stored

SIDE = 16
COUNTS = {"train": 4000, "test": 1000}

_SEEDS = {"train": 20240, "test": 20241}
_NOISE = 0.14
_LARGEST_TILT = 0.35  # radians

Array = npt.NDArray[np.float64]

# Each class is the set where a function of the place is positive: u to the right, v down, in
# units of the shape's radius.
_OUTLINES: tuple[Callable[[Array, Array], Array], ...] = (
    lambda u, v: 1.0 - np.hypot(u, v),  # disc
    lambda u, v: 0.28 - np.abs(np.hypot(u, v) - 0.72),  # ring
    lambda u, v: 0.85 - np.maximum(np.abs(u), np.abs(v)),  # square
    lambda u, v: 0.22 - np.abs(np.maximum(np.abs(u), np.abs(v)) - 0.72),  # frame
    lambda u, v: np.minimum(0.8 - v, (v + 1.0) / 2.0 - np.abs(u)),  # triangle
    lambda u, v: _bars(u, v),  # cross
    lambda u, v: _bars((u + v) * np.sqrt(0.5), (u - v) * np.sqrt(0.5)),  # diagonal cross
    lambda u, v: np.minimum(0.2 - np.abs(np.abs(v) - 0.5), 1.0 - np.abs(u)),  # two lines across
    lambda u, v: np.minimum(0.2 - np.abs(np.abs(u) - 0.5), 1.0 - np.abs(v)),  # two lines down
    lambda u, v: 1.0 - np.abs(u) - np.abs(v),  # diamond
)


def load(split: str) -> Dataset:
    """The shapes, 4,000 to train and 1,000 to test on, a tenth of each class.

    Args:
        split: "train" or "test".

    Returns:
        Images (N, 3, 16, 16).
    """
    generator = np.random.default_rng(_SEEDS[split])
    count = COUNTS[split]
    labels = generator.permutation(np.arange(count) % CLASSES)
    cover = _draw(labels, generator)[:, None]
    ground, figure = _colours(count, generator)
    lighting = generator.uniform(-0.25, 0.25, (count, 1, 2, 1, 1)) * _grid()
    images = ground + cover * (figure - ground) + lighting.sum(axis=2)
    images += generator.normal(0.0, _NOISE, images.shape)
    stored = np.rint(np.clip(images, 0.0, 1.0) * 255.0).astype(np.uint8)
    return from_stored("shapes", split, stored, labels, 255)


def _grid() -> Array:
    """Places of the pixels' centres, (2, SIDE, SIDE): right and down, from -1 to 1."""
    line = (np.arange(SIDE) + 0.5) / SIDE * 2.0 - 1.0
    return np.stack(np.meshgrid(line, line, indexing="xy"))


def _draw(labels: npt.NDArray[np.int64], generator: np.random.Generator) -> Array:
    """How far each pixel is covered by the shape, (N, SIDE, SIDE) from 0 to 1."""
    count = len(labels)
    right, down = generator.uniform(-0.3, 0.3, (2, count, 1, 1))
    radius = generator.uniform(0.42, 0.75, (count, 1, 1))
    tilt = generator.uniform(-_LARGEST_TILT, _LARGEST_TILT, (count, 1, 1))
    x, y = _grid()
    u = (np.cos(tilt) * (x - right) + np.sin(tilt) * (y - down)) / radius
    v = (np.cos(tilt) * (y - down) - np.sin(tilt) * (x - right)) / radius
    inside = np.empty_like(u)
    for label, outline in enumerate(_OUTLINES):
        chosen = labels == label
        inside[chosen] = outline(u[chosen], v[chosen])
    # A pixel's width, so that edges are smooth.
    cover: Array = np.clip(inside * radius * SIDE / 2.0 + 0.5, 0.0, 1.0)
    return cover


def _colours(count: int, generator: np.random.Generator) -> tuple[Array, Array]:
    """Colours of ground and figure, (N, 3, 1, 1), at least some way apart in brightness."""
    ground = generator.uniform(0.15, 0.85, (count, 3))
    figure = generator.uniform(0.15, 0.85, (count, 3))
    difference = (figure - ground).mean(axis=1, keepdims=True)
    contrast = generator.uniform(0.2, 0.5, (count, 1))
    figure += np.where(difference < 0, -contrast, contrast) - difference
    return ground[:, :, None, None], figure[:, :, None, None]


def _bars(u: Array, v: Array) -> Array:
    upright = np.minimum(0.24 - np.abs(u), 1.0 - np.abs(v))
    level = np.minimum(0.24 - np.abs(v), 1.0 - np.abs(u))
    return np.maximum(upright, level)
