"""The 1,797 handwritten digits of 8x8 pixels that come with scikit-learn."""

from __future__ import annotations

import numpy as np

from advmip.datasets.dataset import Dataset, from_stored

COUNTS = {"train": 1437, "test": 360}

_GREY_LEVELS = 16


def load(split: str) -> Dataset:
    """The digits, 1,437 to train and 360 to test on, always the same, with equal shares of labels.

    Args:
        split: "train" or "test".

    Returns:
        Images (N, 1, 8, 8).
    """
    # Importing scikit-learn takes seconds, which no other data set should cost.
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bunch = load_digits()
    images = bunch.images.astype(np.uint8)[:, None]
    train, test = train_test_split(
        np.arange(len(images)), test_size=COUNTS["test"], stratify=bunch.target, random_state=0
    )
    chosen = train if split == "train" else test
    return from_stored("digits", split, images[chosen], bunch.target[chosen], _GREY_LEVELS)
