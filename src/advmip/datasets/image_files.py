"""One image of the user's own, from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from advmip.errors import InputError

_ARRAY = ".npy"
_BYTE = 255.0


def read_image(file: Path, shape: tuple[int, int, int]) -> npt.NDArray[np.float64]:
    """Read an image for a network.

    Args:
        file: An array (.npy) in [0, 1] with as many numbers as `shape`, or a picture (PNG and
            whatever else Pillow reads) of the right size, which is turned to grey or RGB.
        shape: Channels, height and width of the network's input.

    Returns:
        The image in [0, 1], of that shape. An array's values are not checked here.

    Raises:
        InputError: The file is missing, unreadable, or of another size.
    """
    if not file.is_file():
        raise InputError(
            subject=f"image {file}",
            found="no such file",
            expected="an array (.npy) or a picture",
            mend="check the path",
        )
    try:
        array = (
            np.load(file, allow_pickle=False) if file.suffix == _ARRAY else _picture(file, shape)
        )
    except (ValueError, OSError, EOFError, UnidentifiedImageError) as error:
        raise InputError(
            subject=f"image {file}",
            found=f"not readable ({error})",
            expected="an array of numbers (.npy) or a picture",
            mend="save it with numpy.save, or as PNG",
        ) from error
    fits = array.size == np.prod(shape) and tuple(n for n in array.shape if n > 1) == tuple(
        n for n in shape if n > 1
    )
    if not fits or array.dtype.kind not in "fiub":
        raise InputError(
            subject=f"image {file}",
            found=f"shape {array.shape} of {array.dtype}",
            expected=f"numbers of shape {shape}: channels, height, width",
            mend="resize the image, or move the channels to the front",
        )
    return array.astype(np.float64).reshape(shape)


def _picture(file: Path, shape: tuple[int, int, int]) -> npt.NDArray[np.float64]:
    with Image.open(file) as opened:
        pixels = np.asarray(opened.convert("L" if shape[0] == 1 else "RGB"), np.float64)
    return pixels[None] / _BYTE if pixels.ndim == 2 else pixels.transpose(2, 0, 1) / _BYTE
