"""The attacks of one job as they are stored: a row and an image for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from advmip.durability.storage import reading_arrays, write_arrays
from advmip.experiments.rows import Row, read_rows, write_rows

_ROWS, _IMAGES = "attacks.csv", "adversarial.npz"


def write_attacks(folder: Path, rows: Sequence[Row], images: ArrayLike) -> None:
    """Write rows of kind "attacks", and an image (pixels,) for each, NaN where there is none."""
    write_rows("attacks", rows, folder / _ROWS)
    write_arrays(folder / _IMAGES, images=np.asarray(images, np.float64))


def read_attacks(folder: Path) -> tuple[list[Row], NDArray[np.float64]]:
    """What `write_attacks` wrote: rows, and images (rows, pixels).

    Raises:
        InputError: A file is missing or damaged, or rows and images do not belong together.
    """
    rows = read_rows("attacks", folder / _ROWS)
    reading = reading_arrays("attacked images", folder / _IMAGES, "zhu attacks")
    with reading, np.load(folder / _IMAGES, allow_pickle=False) as saved:
        images: NDArray[np.float64] = saved["images"]
        if len(images) != len(rows):
            raise ValueError(f"{len(images)} images for {len(rows)} attacks")
    return rows, images
