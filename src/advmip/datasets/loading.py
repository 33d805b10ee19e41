"""Data sets by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advmip.datasets import cifar10, digits, mnist, shapes
from advmip.datasets.dataset import Dataset
from advmip.durability.storage import cache_folder
from advmip.errors import looked_up, unknown_name

SPLITS = ("train", "test")


@dataclass(frozen=True)
class _Source:
    """How to load and how to check a data set, given the data folder and leave to download."""

    load: Callable[[str, Path, bool], Dataset]
    verify: Callable[[Path, bool], dict[str, Any]]


def _embedded(load: Callable[[str], Dataset], origin: str, counts: dict[str, int]) -> _Source:
    """A data set without files."""
    return _Source(
        load=lambda split, data_dir, download: load(split),
        verify=lambda data_dir, download: {"origin": origin, "counts": counts},
    )


# How many images each data set has, by split.
COUNTS = {
    "digits": digits.COUNTS,
    "shapes": shapes.COUNTS,
    "mnist": mnist.COUNTS,
    "cifar10": cifar10.COUNTS,
}

_SOURCES = {
    "digits": _embedded(digits.load, "scikit-learn", digits.COUNTS),
    "shapes": _embedded(shapes.load, "drawn from a seed", shapes.COUNTS),
    "mnist": _Source(mnist.load, mnist.verify),
    "cifar10": _Source(cifar10.load, cifar10.verify),
}


def load_dataset(
    name: str, split: str, data_dir: Path | None = None, download: bool = True
) -> Dataset:
    """Images in [0, 1] and labels, with every file's checksum compared first.

    Args:
        name: "digits", "shapes", "mnist" or "cifar10".
        split: "train" or "test".
        data_dir: Where the files of MNIST and CIFAR-10 are; by default the user's cache.
        download: Whether missing files may be fetched.

    Returns:
        The data set.

    Raises:
        InputError: The name is unknown, or a file is missing, truncated or altered.
    """
    if split not in SPLITS:
        raise unknown_name("split of a data set", split, SPLITS)
    return _source(name).load(split, _folder(data_dir), download)


def verify_dataset(
    name: str, data_dir: Path | None = None, download: bool = True
) -> dict[str, Any]:
    """Check a data set's files in a second or so, before anything is trained on them.

    Args:
        name: "digits", "shapes", "mnist" or "cifar10".
        data_dir: Where the files of MNIST and CIFAR-10 are; by default the user's cache.
        download: Whether missing files may be fetched.

    Returns:
        The manifest: name, origin, counts of images by split, checksums by file.

    Raises:
        InputError: The name is unknown, or a file is missing, truncated or altered.
    """
    return {"name": name, **_source(name).verify(_folder(data_dir), download)}


def _source(name: str) -> _Source:
    return looked_up("data set", name, _SOURCES)


def _folder(data_dir: Path | None) -> Path:
    return cache_folder() if data_dir is None else Path(data_dir)
