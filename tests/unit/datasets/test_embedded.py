"""Digits and shapes need no files, and are the same everywhere."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from advmip.datasets import load_dataset, verify_dataset


@pytest.mark.parametrize(
    ("name", "shape", "counts"),
    [
        ("digits", (1, 8, 8), {"train": 1437, "test": 360}),
        ("shapes", (3, 16, 16), {"train": 4000, "test": 1000}),
    ],
)
def test_counts_shapes_and_equal_shares_of_labels(name, shape, counts):
    manifest = verify_dataset(name)
    assert manifest["counts"] == counts
    for split, count in counts.items():
        dataset = load_dataset(name, split)
        assert dataset.images.shape == (count, *shape)
        assert dataset.images.dtype == np.float32
        shares = np.bincount(dataset.labels, minlength=10) / count
        np.testing.assert_allclose(shares, 0.1, atol=0.006)
        assert load_dataset(name, split).digest == dataset.digest


def test_digits_are_those_of_scikit_learn_each_once():
    train, test = load_dataset("digits", "train"), load_dataset("digits", "test")
    ours = np.concatenate([train.images, test.images]).reshape(1797, 64) * 16
    theirs = load_digits().data
    np.testing.assert_array_equal(
        np.unique(ours, axis=0, return_counts=True)[1],
        np.unique(theirs, axis=0, return_counts=True)[1],
    )
    assert sorted(map(tuple, ours)) == sorted(map(tuple, theirs))


def test_shapes_differ_between_the_splits_and_colour_does_not_tell_the_class():
    train, test = load_dataset("shapes", "train"), load_dataset("shapes", "test")
    assert train.digest != test.digest
    colours = train.images.mean(axis=(2, 3))
    means = np.stack([colours[train.labels == label].mean(axis=0) for label in range(10)])
    # Ten mean colours of 400 images each, whose single colours have a deviation near 0.2.
    assert means.std(axis=0).max() < 0.03
    assert colours.std(axis=0).min() > 0.1
