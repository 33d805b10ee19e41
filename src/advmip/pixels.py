"""The range of pixels: [0, 1], but for rounding."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advmip.errors import InputError

# What a division by 255 or a normalisation and its undoing in float32 may leave beyond [0, 1].
_ROUNDING = 1e-6

_log = logging.getLogger(__name__)


def pixels_in_range(image: NDArray[Any], subject: str) -> NDArray[np.float64]:
    """An image in float64, with pixels that leave [0, 1] by rounding alone put back to its ends.

    Args:
        image: Numbers of any shape.
        subject: What the image is, for messages.

    Raises:
        InputError: A pixel is not finite or farther outside; the message shows the worst one.
    """
    pixels = np.asarray(image, np.float64)
    # How far each is outside; NaN is farther than anything.
    beyond = np.nan_to_num(np.maximum(-pixels, pixels - 1.0), nan=np.inf)
    outside = int((beyond > 0).sum())
    if not outside:
        return pixels
    place = tuple(int(index) for index in np.unravel_index(beyond.argmax(), pixels.shape))
    shown = f"{float(pixels[place])!r} at {place}"
    if beyond[place] > _ROUNDING:
        raise InputError(
            subject=subject,
            found=f"{shown}; {outside} of {pixels.size} pixels outside [0, 1]",
            expected="finite pixels in [0, 1]",
            mend="divide by 255 if the pixels are bytes; undo a normalisation",
        )
    _log.info(
        "%s: %d pixels outside [0, 1] by rounding, such as %s: clipped", subject, outside, shown
    )
    return np.clip(pixels, 0.0, 1.0)
