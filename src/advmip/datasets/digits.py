"""The 1,797 handwritten digits of 8x8 pixels that come with scikit-learn.

Alpaydin & Kaynak, Optical Recognition of Handwritten Digits (UCI Machine Learning Repository,
1998, CC BY 4.0): its test set. `digits.npz` holds them as scikit-learn's `train_test_split` deals
them out, stratified by labels, with 360 to test on and `random_state=0`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from advmip.datasets.dataset import Dataset, from_stored

COUNTS = {"train": 1437, "test": 360}

# Split beforehand: every job would wait more than half a second for scikit-learn's import.
_ARCHIVE = Path(__file__).with_name("digits.npz")
_GREY_LEVELS = 16


def load(split: str) -> Dataset:
    """The digits, 1,437 to train and 360 to test on, always the same, with equal shares of labels.

    Args:
        split: "train" or "test".

    Returns:
        Images (N, 1, 8, 8).
    """
    with np.load(_ARCHIVE, allow_pickle=False) as archive:
        images, labels = archive[f"{split}_images"], archive[f"{split}_labels"]
    return from_stored("digits", split, images, labels, _GREY_LEVELS)
