"""MNIST: 70,000 handwritten digits of 28x28 pixels, in torchvision's folder layout.

The four original files are read as they are or gzipped. Checksums are those of the contents:
gzipped again elsewhere, the same file has other bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from advmip.datasets.dataset import Dataset, from_stored
from advmip.datasets.files import check, fetch, missing
from advmip.extras import require

COUNTS = {"train": 60_000, "test": 10_000}

_PREFIXES = {"train": "train", "test": "t10k"}
_SUFFIXES = {"images": "images-idx3-ubyte", "labels": "labels-idx1-ubyte"}
_CHECKSUMS = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def load(split: str, data_dir: Path, download: bool) -> Dataset:
    """MNIST's images and labels, checked.

    Args:
        split: "train" or "test".
        data_dir: Holds `MNIST/raw`.
        download: Whether missing files may be fetched, through torchvision.

    Returns:
        Images (N, 1, 28, 28).

    Raises:
        InputError: A file is missing, truncated or altered.
    """
    files = _find(data_dir, download)
    images, labels = (
        _array(_content(files[f"{_PREFIXES[split]}-{suffix}"])) for suffix in _SUFFIXES.values()
    )
    return from_stored("mnist", split, images[:, None], labels, 255)


def verify(data_dir: Path, download: bool) -> dict[str, Any]:
    """Check all four files, without building arrays.

    Args:
        data_dir: Holds `MNIST/raw`.
        download: Whether missing files may be fetched.

    Returns:
        The manifest: origin, counts, and the checksum of each file's contents.

    Raises:
        InputError: A file is missing, truncated or altered.
    """
    files = _find(data_dir, download)
    for file in files.values():
        _content(file)
    checksums = {
        file.relative_to(data_dir).as_posix(): _CHECKSUMS[name] for name, file in files.items()
    }
    return {"origin": "the original files of MNIST", "counts": COUNTS, "sha256": checksums}


def _find(data_dir: Path, download: bool) -> dict[str, Path]:
    """Where each file is, by its name without .gz."""
    folder = data_dir / "MNIST" / "raw"
    files = _present(folder)
    absent = [name for name in _CHECKSUMS if name not in files]
    if absent:
        name = absent[0]
        expected = f"{name} or {name}.gz, contents with checksum {_CHECKSUMS[name]}"
        if not download:
            raise missing(name, folder, expected)
        fetch(lambda: _download(data_dir), name, folder, expected)
        files = _present(folder)
    return files


def _download(data_dir: Path) -> None:
    require("torchvision", subject="download of MNIST")
    # Importing torchvision takes seconds, which reading files that are there should not cost.
    from torchvision.datasets import MNIST

    MNIST(str(data_dir), download=True)


def _present(folder: Path) -> dict[str, Path]:
    candidates = {name: (folder / name, folder / f"{name}.gz") for name in _CHECKSUMS}
    return {
        name: file
        for name, files in candidates.items()
        for file in reversed(files)
        if file.is_file()
    }


def _content(file: Path) -> bytes:
    """A file's contents, unpacked and checked."""
    expected = _CHECKSUMS[file.name.removesuffix(".gz")]
    content = file.read_bytes()
    if file.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            check(file, f"none, for it does not unpack ({error})", expected)
    check(file, hashlib.sha256(content).hexdigest(), expected)
    return content


def _array(content: bytes) -> npt.NDArray[np.uint8]:
    """The array in a file of MNIST's format: two zero bytes, type, rank, sides, values."""
    rank = content[3]
    sides = np.frombuffer(content, dtype=">u4", count=rank, offset=4)
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * rank).reshape(sides)
