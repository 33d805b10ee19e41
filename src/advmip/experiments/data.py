"""Data sets as the settings name them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from advmip.datasets import Dataset, load_dataset
from advmip.errors import InputError
from advmip.settings import Settings


def load_split(settings: Settings, name: str, split: str) -> Dataset:
    """A data set from the folder that the settings name."""
    return load_dataset(name, split, Path(settings["data_dir"]), settings["download"])


def first_images(dataset: Dataset, count: int | None) -> Dataset:
    """The first `count` images of a data set, all where it is None; the digest stays the whole's.

    Raises:
        InputError: There are fewer.
    """
    if count is None:
        return dataset
    if count > len(dataset.labels):
        raise InputError(
            subject=f"images of {dataset.name}, {dataset.split}",
            found=str(len(dataset.labels)),
            expected=f"at least the {count} that the settings ask for",
            mend="ask for fewer, or for all with null",
        )
    return dataclasses.replace(
        dataset, images=dataset.images[:count], labels=dataset.labels[:count]
    )


def shuffled(dataset: Dataset, seed: int) -> Dataset:
    """The images of a data set in an order that a seed draws; the digest stays the same."""
    order = np.random.default_rng(seed).permutation(len(dataset.labels))
    return dataclasses.replace(dataset, images=dataset.images[order], labels=dataset.labels[order])
