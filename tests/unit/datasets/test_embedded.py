"""Digits and shapes need no files, and are the same everywhere."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

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


def test_digits_are_those_of_scikit_learn_as_it_splits_them():
    images, labels = load_digits(return_X_y=True)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images, labels, test_size=360, stratify=labels, random_state=0
    )
    train, test = load_dataset("digits", "train"), load_dataset("digits", "test")
    np.testing.assert_array_equal(train.images.reshape(1437, 64) * 16, train_images)
    np.testing.assert_array_equal(test.images.reshape(360, 64) * 16, test_images)
    np.testing.assert_array_equal(train.labels, train_labels)
    np.testing.assert_array_equal(test.labels, test_labels)


def test_digits_do_not_wait_for_scikit_learn():
    program = (
        "import sys; from advmip.datasets import load_dataset; load_dataset('digits', 'test'); "
        "assert 'sklearn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_shapes_differ_between_the_splits_and_colour_does_not_tell_the_class():
    train, test = load_dataset("shapes", "train"), load_dataset("shapes", "test")
    assert train.digest != test.digest
    colours = train.images.mean(axis=(2, 3))
    means = np.stack([colours[train.labels == label].mean(axis=0) for label in range(10)])
    # Ten mean colours of 400 images each, whose single colours have a deviation near 0.2.
    assert means.std(axis=0).max() < 0.03
    assert colours.std(axis=0).min() > 0.1
