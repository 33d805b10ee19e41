"""The range of pixels: [0, 1] or another one, but for rounding."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advmip.errors import InputError

# What a division by 255 or a normalisation and its undoing in float32 may leave beyond [0, 1].
_ROUNDING = 1e-6

_Side = float | NDArray[np.float64]

_log = logging.getLogger(__name__)


def pixels_in_range(
    image: NDArray[Any], subject: str, lower: _Side = 0.0, upper: _Side = 1.0
) -> NDArray[np.float64]:
    """An image in float64, with pixels that leave their range by rounding alone put back to it.

    Args:
        image: Numbers of any shape.
        subject: What the image is, for messages.
        lower: The least value, a number or one for each pixel.
        upper: The largest.

    Raises:
        InputError: A pixel is not finite or farther outside; the message shows the worst one.
    """
    pixels = np.asarray(image, np.float64)
    # How far each is outside; NaN is farther than anything.
    beyond = np.nan_to_num(np.maximum(lower - pixels, pixels - upper), nan=np.inf)
    outside = int((beyond > 0).sum())
    if not outside:
        return pixels
    place = tuple(int(index) for index in np.unravel_index(beyond.argmax(), pixels.shape))
    shown = f"{float(pixels[place])!r} at {place}"
    least, most = (float(np.broadcast_to(side, pixels.shape)[place]) for side in (lower, upper))
    span = f"[{least:g}, {most:g}]"
    if beyond[place] > _ROUNDING * max(1.0, most - least):
        raise InputError(
            subject=subject,
            found=f"{shown}; {outside} of {pixels.size} pixels outside {span}",
            expected=f"finite pixels in {span}",
            mend="divide by 255 if the pixels are bytes; undo a normalisation, or name the range "
            "by lower and upper",
        )
    _log.info(
        "%s: %d pixels outside %s by rounding, such as %s: clipped", subject, outside, span, shown
    )
    return np.clip(pixels, lower, upper)
