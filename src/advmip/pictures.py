"""Grey images as columns of a row: height, width, and the pixels as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def picture_columns(image: NDArray[np.floating]) -> dict[str, Any]:
    """A grey image (1, height, width) as columns; the pixels stand row by row, to nine digits."""
    _, height, width = image.shape
    pixels = " ".join(f"{value:.9g}" for value in image.ravel())
    return {"height": height, "width": width, "pixels": pixels}


def picture_of(columns: Mapping[Any, Any]) -> NDArray[np.float64]:
    """The image (1, height, width) in the columns of a row."""
    pixels = np.array(str(columns["pixels"]).split(), np.float64)
    return pixels.reshape(1, int(columns["height"]), int(columns["width"]))
