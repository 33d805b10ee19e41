"""A data set refuses arrays that cannot be images with labels."""

import numpy as np
import pytest

from advmip.datasets import Dataset
from advmip.datasets.dataset import from_stored
from advmip.errors import InputError


def build(images=None, labels=None):
    return Dataset(
        name="made",
        split="train",
        images=np.full((3, 1, 2, 2), 0.5, np.float32) if images is None else images,
        labels=np.array([0, 5, 9]) if labels is None else labels,
        digest="",
    )


def test_good_arrays_are_taken():
    assert build().images.shape == (3, 1, 2, 2)


@pytest.mark.parametrize(
    ("images", "labels", "found"),
    [
        (None, np.array([0, 10, 1]), "labels from 0 to 10"),
        (None, np.array([0, -1, 1]), "labels from -1 to 1"),
        (None, np.array([0, 1]), "(2,)"),
        (np.zeros((3, 4), np.float32), None, "(3, 4)"),
        (np.zeros((0, 1, 2, 2), np.float32), np.zeros(0, np.int64), "(0, 1, 2, 2)"),
        (np.full((3, 1, 2, 2), 255.0, np.float32), None, "255.0"),
        (np.full((3, 1, 2, 2), -0.1, np.float32), None, "-0.1"),
        (np.full((3, 1, 2, 2), np.nan, np.float32), None, "nan"),
    ],
)
def test_bad_arrays_are_refused_by_name(images, labels, found):
    with pytest.raises(InputError) as caught:
        build(images, labels)
    assert found in caught.value.found
    assert "made, train" in caught.value.subject


def test_stored_pixels_are_scaled_exactly_and_change_the_digest():
    stored = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    dataset = from_stored("made", "test", stored, np.array([3], np.uint8), 255)
    assert dataset.images.dtype == np.float32
    assert dataset.labels.dtype == np.int64
    np.testing.assert_array_equal(dataset.images.ravel(), np.arange(256, dtype=np.float32) / 255)
    other = from_stored("made", "test", stored[..., ::-1], np.array([3]), 255)
    relabelled = from_stored("made", "test", stored, np.array([4]), 255)
    assert len({dataset.digest, other.digest, relabelled.digest}) == 3
