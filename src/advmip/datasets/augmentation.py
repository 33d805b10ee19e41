"""Random crops and flips: the paper's preprocessing of CIFAR-10."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def augment(images: npt.NDArray[np.float32], seed: int) -> npt.NDArray[np.float32]:
    """Move each image by a few pixels, mirror every other one: one draw, fixed by the seed.

    Zhao & Kronqvist (2024), Section 5: a random crop after reflection padding of 4 pixels on
    images of 32, and a horizontal flip with probability 1/2. On other sizes the padding is
    the same eighth of the side.

    Args:
        images: (N, C, H, W).
        seed: The same seed gives the same draw.

    Returns:
        New images (N, C, H, W), holding only values that were there.
    """
    count, _, height, width = images.shape
    generator = np.random.default_rng(seed)
    rows = _crop(generator, count, height)
    columns = _crop(generator, count, width)
    mirrored = generator.random(count) < 0.5
    columns[mirrored] = columns[mirrored, ::-1]
    chosen = np.arange(count)[:, None, None]
    # Indexing over two axes with a slice between them puts the channels last.
    moved = images.transpose(0, 2, 3, 1)[chosen, rows[:, :, None], columns[:, None, :]]
    return np.ascontiguousarray(moved.transpose(0, 3, 1, 2))


def _crop(generator: np.random.Generator, count: int, side: int) -> npt.NDArray[np.int64]:
    """Which line of the image each line of the crop shows, (count, side)."""
    padding = side // 8
    first = generator.integers(-padding, padding, size=(count, 1), endpoint=True)
    line = np.abs(first + np.arange(side))
    reflected: npt.NDArray[np.int64] = np.where(line < side, line, 2 * (side - 1) - line)
    return reflected
