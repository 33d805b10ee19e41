"""Crops and flips: each image is moved by whole pixels, and nothing is made up."""

import itertools

import numpy as np
import pytest

from advmip.datasets import augment


def candidates(image, padding):
    """Every crop of the padded image, plain and mirrored."""
    side = image.shape[-1]
    padded = np.pad(image, ((0, 0), (padding, padding), (padding, padding)), mode="reflect")
    for top, left in itertools.product(range(2 * padding + 1), repeat=2):
        crop = padded[:, top : top + side, left : left + side]
        yield from (crop, crop[:, :, ::-1])


@pytest.mark.parametrize(("side", "padding"), [(8, 1), (16, 2), (32, 4)])
def test_every_image_is_a_crop_of_itself_padded_by_reflection(side, padding):
    images = np.random.default_rng(0).random((12, 3, side, side), dtype=np.float32)
    for image, moved in zip(images, augment(images, seed=1), strict=True):
        assert any(np.array_equal(moved, other) for other in candidates(image, padding))


def test_all_moves_come_equally_often():
    count, side, padding = 9_000, 8, 1
    image = np.random.default_rng(0).random((1, 1, side, side), dtype=np.float32)
    moved = augment(np.repeat(image, count, axis=0), seed=2)
    _, counts = np.unique(moved.reshape(count, -1), axis=0, return_counts=True)
    assert len(counts) == 2 * (2 * padding + 1) ** 2
    # 500 of each are expected, with a deviation of 22.
    assert counts.min() > 400
    assert counts.max() < 600


def test_the_seed_decides_and_the_originals_stay():
    images = np.random.default_rng(0).random((20, 3, 16, 16), dtype=np.float32)
    before = images.copy()
    first = augment(images, seed=1)
    np.testing.assert_array_equal(first, augment(images, seed=1))
    assert not np.array_equal(first, augment(images, seed=2))
    np.testing.assert_array_equal(images, before)
    assert first.flags.c_contiguous
