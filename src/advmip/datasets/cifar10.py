"""CIFAR-10: 60,000 colour images of 32x32 pixels.

Either the original batches in torchvision's folder layout, or two .npz archives in a folder
`cifar10`, with `images` uint8 (N, 3, 32, 32) in the original order, `labels`, and `lossy`, which
marks the few images that are not pixel for pixel those of the original.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from advmip.datasets.dataset import Dataset, from_stored
from advmip.datasets.files import check, fetch, missing
from advmip.durability.storage import file_digest
from advmip.extras import require

COUNTS = {"train": 50_000, "test": 10_000}

_BATCHES = "cifar-10-batches-py"
_ARCHIVES = {
    "train": "fabadb40a883094b0cb64942d1cf464789052a313ac316818ef2a6805adb9361",
    "test": "4f88502d9f62e534c0c90a3784bb8cb36ceef83c3ffff18bb2b571688ba0ed8d",
}


def load(split: str, data_dir: Path, download: bool) -> Dataset:
    """CIFAR-10's images and labels, checked.

    Args:
        split: "train" or "test".
        data_dir: Holds `cifar-10-batches-py` or `cifar10`; the first is preferred.
        download: Whether the original may be fetched if neither is there, through torchvision.

    Returns:
        Images (N, 3, 32, 32).

    Raises:
        InputError: A file is missing, truncated or altered.
    """
    if _holds_archives(data_dir, download):
        with np.load(_checked_archive(data_dir, split), allow_pickle=False) as archive:
            return from_stored("cifar10", split, archive["images"], archive["labels"], 255)
    _check_original(data_dir)
    original = _original()(str(data_dir), train=split == "train")
    images = original.data.transpose(0, 3, 1, 2)
    return from_stored("cifar10", split, images, np.array(original.targets), 255)


def verify(data_dir: Path, download: bool) -> dict[str, Any]:
    """Check all files, without building arrays.

    Args:
        data_dir: Holds `cifar-10-batches-py` or `cifar10`; the first is preferred.
        download: Whether the original may be fetched if neither is there.

    Returns:
        The manifest: origin, counts, the checksum of each file, and for the archives how many
        images are not exactly those of the original.

    Raises:
        InputError: A file is missing, truncated or altered.
    """
    if not _holds_archives(data_dir, download):
        return {
            "origin": "the original batches of CIFAR-10",
            "counts": COUNTS,
            "md5": _check_original(data_dir),
        }
    inexact = {}
    for split in COUNTS:
        with np.load(_checked_archive(data_dir, split), allow_pickle=False) as archive:
            inexact[split] = int(archive["lossy"].sum())
    return {
        "origin": "CIFAR-10 as .npz archives",
        "counts": COUNTS,
        "sha256": {f"cifar10/{split}.npz": digest for split, digest in _ARCHIVES.items()},
        "inexact_images": inexact,
    }


def _holds_archives(data_dir: Path, download: bool) -> bool:
    """Whether to read the archives; if the original is to be read instead, it is there."""
    if (data_dir / _BATCHES).is_dir():
        return False
    if (data_dir / "cifar10").is_dir():
        return True
    original = _original()
    expected = (
        f"the folder {_BATCHES}, from {original.filename} with checksum {original.tgz_md5}, "
        "or cifar10/train.npz and cifar10/test.npz"
    )
    if not download:
        raise missing(_BATCHES, data_dir, expected)
    fetch(lambda: original(str(data_dir), download=True), _BATCHES, data_dir, expected)
    return False


def _original() -> Any:
    """Torchvision's class for CIFAR-10, with the published checksums."""
    require("torchvision", subject="original batches of CIFAR-10")
    # Importing torchvision takes seconds, which reading the archives should not cost.
    from torchvision.datasets import CIFAR10

    return CIFAR10


def _checked_archive(data_dir: Path, split: str) -> Path:
    file = data_dir / "cifar10" / f"{split}.npz"
    if not file.is_file():
        expected = f"an archive with checksum {_ARCHIVES[split]}"
        raise missing(file.name, file.parent, expected)
    check(file, file_digest(file), _ARCHIVES[split])
    return file


def _check_original(data_dir: Path) -> dict[str, str]:
    """Check the batches and give their published MD5 checksums by file.

    The batches are pickles: they are only opened because these sums are right.
    """
    original = _original()
    meta = (original.meta["filename"], original.meta["md5"])
    published = {
        f"{_BATCHES}/{name}": md5 for name, md5 in (*original.train_list, *original.test_list, meta)
    }
    for name, md5 in published.items():
        file = data_dir / name
        if not file.is_file():
            raise missing(file.name, file.parent, f"a batch with checksum {md5}")
        with file.open("rb") as batch:
            check(file, hashlib.file_digest(batch, "md5").hexdigest(), md5)
    return published
