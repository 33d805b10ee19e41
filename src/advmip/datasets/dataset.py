"""What a data set is: images in [0, 1] and their labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from advmip.durability.storage import array_digest
from advmip.errors import InputError

CLASSES = 10


@dataclass(frozen=True)
class Dataset:
    """Images with their labels.

    Attributes:
        name: "digits", "shapes", "mnist" or "cifar10".
        split: "train" or "test".
        images: float32 (N, C, H, W) in [0, 1].
        labels: int64 (N,), 0 to 9.
        digest: SHA-256 over the images as stored, before scaling, and the labels.

    Raises:
        InputError: There are no images, the shapes disagree, or a value is out of range.
    """

    name: str
    split: str
    images: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    digest: str

    def __post_init__(self) -> None:
        images, labels = self.images, self.labels
        if images.ndim != 4 or labels.shape != images.shape[:1] or not len(labels):
            raise self._error(
                f"images of shape {images.shape} and labels of shape {labels.shape}",
                "(N, C, H, W) and (N,), with at least one image",
            )
        smallest, largest = float(images.min()), float(images.max())
        if not (smallest >= 0.0 and largest <= 1.0):  # also refuses NaN
            raise self._error(f"pixels from {smallest} to {largest}", "pixels from 0 to 1")
        if labels.min() < 0 or labels.max() >= CLASSES:
            raise self._error(
                f"labels from {labels.min()} to {labels.max()}", f"labels from 0 to {CLASSES - 1}"
            )

    def _error(self, found: str, expected: str) -> InputError:
        return InputError(
            subject=f"data set {self.name}, {self.split}",
            found=found,
            expected=expected,
            mend="correct the arrays that the data set is made from",
        )


def from_stored(
    name: str, split: str, stored: npt.NDArray[np.uint8], labels: npt.NDArray[Any], top: int
) -> Dataset:
    """A data set from whole-number pixels.

    Args:
        name: The data set's name.
        split: "train" or "test".
        stored: uint8 (N, C, H, W), 0 to `top`.
        labels: (N,).
        top: The stored value that stands for 1.
    """
    return Dataset(
        name=name,
        split=split,
        images=np.divide(stored, np.float32(top), dtype=np.float32),
        labels=labels.astype(np.int64),
        digest=array_digest(stored, labels.astype(np.int64)),
    )
