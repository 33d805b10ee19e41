"""One image of the user's own, from a file."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from advmip.errors import InputError
from advmip.layout import Layout
from advmip.pixels import pixels_in_range

_ARRAY = ".npy"
_BYTE, _TWO_BYTES = 255.0, 65535.0
# The formats whose depth Pillow tells. It gives others fewer bits than they have, and says nothing.
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "PPM", "WEBP")
_PHOTOMETRIC = 262
# What a picture becomes for a network of so many channels.
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_BYTES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")
# Whole numbers of 16 bits, as files hold them; others (12 bits, with a sign) count otherwise.
_WHOLE = ("I;16", "I;16B", "I;16L", "I;16N")
_WRONG = (
    ValueError,
    OSError,
    EOFError,
    SyntaxError,
    struct.error,
    zipfile.BadZipFile,
    Image.DecompressionBombError,
)


def is_image(file: Path) -> bool:
    """Whether a file's name is that of an array or a picture."""
    suffix = file.suffix.lower()
    return suffix == _ARRAY or Image.registered_extensions().get(suffix) in _FORMATS


def read_image(
    file: Path, layout: Layout, lower: float = 0.0, upper: float = 1.0
) -> npt.NDArray[np.float64]:
    """Read an image for a network.

    Args:
        file: An array (.npy) of the shape of the network's input, of (channels, height,
            width) or (height, width, channels); or a picture (PNG, JPEG, TIFF, ...) of the right
            size, of 8 or 16 bits, floats or a palette, which is turned to grey or RGB.
        layout: What the axes of the network's input mean. If it is a row of numbers, any array or
            picture of as many numbers will do.
        lower: The least value that a pixel may have. A picture is from 0 to 1 whatever it is.
        upper: The largest.

    Returns:
        The image between lower and upper: of the shape of the network's input, or, where that is a
        row, of its own shape, a picture's (channels, height, width).

    Raises:
        InputError: The file is missing, unreadable, of a kind that would not be read as what it
            is, of another size, or leaves the range.
    """
    subject = f"image {file}"
    if not file.is_file():
        raise InputError(
            subject=subject,
            found="no such file",
            expected="an array (.npy) or a picture",
            mend="check the path",
        )
    try:
        array = _array(file) if file.suffix.lower() == _ARRAY else _picture(file, layout)
    except InputError:
        raise
    except _WRONG as error:
        raise InputError(
            subject=subject,
            found=f"not readable ({error})",
            expected="an array of numbers (.npy) or a picture",
            mend="save it with numpy.save, or as PNG",
        ) from error
    if layout.open:
        layout.own(array, subject)
        return pixels_in_range(array, subject, lower, upper)
    channels, height, width = layout.planes.shape
    if array.shape == (height, width, channels) not in (layout.shape, layout.planes.shape):
        array = np.moveaxis(array, -1, 0)
    return pixels_in_range(layout.own(array, subject), subject, lower, upper)


def _array(file: Path) -> npt.NDArray[Any]:
    array = np.load(file, allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise ValueError("an archive of arrays")
    if array.dtype.kind not in "fiub":
        raise InputError(
            subject=f"image {file}",
            found=f"values of type {array.dtype}",
            expected="real numbers in [0, 1]",
            mend="save the pixels as floats",
        )
    return array


def _picture(file: Path, layout: Layout) -> npt.NDArray[np.float64]:
    """A picture (channels, height, width), 1 where it is brightest."""
    with Image.open(file) as opened:
        top = _top(file, opened)
        # A camera's picture may lie on its side, with a note how to hold it.
        upright = ImageOps.exif_transpose(opened)
        channels = _channels(file, layout, upright.height, upright.width)
        if top == _BYTE:
            upright = _in_colours(file, upright, channels)
        pixels = np.asarray(upright, np.float64) / top
    planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return np.repeat(planes, 3, axis=0) if len(planes) == 1 and channels == 3 else planes


def _top(file: Path, picture: Image.Image) -> float:
    """What stands for 1 in a picture's numbers as Pillow gives them."""
    frames, mode = getattr(picture, "n_frames", 1), picture.mode
    stored, levels = _stored(picture)
    inverted = picture.format == "TIFF" and getattr(picture, "tag_v2", {}).get(_PHOTOMETRIC) == 0
    if frames == 1 and picture.format in _FORMATS:
        if mode in _BYTES and ";16" not in stored and levels <= _BYTE:
            return _BYTE
        if not inverted and "transparency" not in picture.info:
            if mode == "F":
                return 1.0
            # Pillow brings all numbers of such a PGM to 16 bits.
            if stored in _WHOLE or (mode == "I" and picture.format == "PPM"):
                return _TWO_BYTES
    raise InputError(
        subject=f"image {file}",
        found=f"{picture.format} of mode {mode}, stored as {stored or mode}"
        + (f", {frames} pictures" if frames > 1 else "")
        + (", 0 is white" if inverted else ""),
        expected=f"one picture ({', '.join(_FORMATS)}) of 8 bits, or in grey of 16 bits or floats",
        mend="convert it to a PNG of 8 bits, or save its pixels in [0, 1] with numpy.save",
    )


def _stored(picture: Image.Image) -> tuple[str, float]:
    """How a file holds its numbers, in Pillow's words, and the largest if it names one."""
    for tile in getattr(picture, "tile", []):
        given = tile[3] if isinstance(tile[3], tuple) else (tile[3],)
        if given and isinstance(given[0], str):
            named = given[1] if picture.format == "PPM" and len(given) == 2 else _BYTE
            return given[0], named
    return "", _BYTE


def _channels(file: Path, layout: Layout, height: int, width: int) -> int:
    """How many channels a picture of this size must have for the network."""
    channels, *plane = layout.planes.shape
    if layout.open:
        channels, plane = layout.planes.size // (height * width), [height, width]
    fits = plane == [height, width] and channels * height * width == layout.planes.size
    if not (fits and channels in _MODES):
        raise InputError(
            subject=f"image {file}",
            found=f"a picture {width} wide and {height} high",
            expected=f"numbers for the network's input of shape {layout.shape}"
            + ("" if layout.open else f": {channels} channels, {plane[0]} high, {plane[1]} wide"),
            mend="resize the image, or say the layout if it is another one; save more than 4 "
            "channels as an array",
        )
    return int(channels)


def _in_colours(file: Path, picture: Image.Image, channels: int) -> Image.Image:
    """A picture of 8 bits with so many channels."""
    mode = _MODES[channels]
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
    opaque = picture.mode != "RGBA" or picture.getchannel("A").getextrema() == (_BYTE, _BYTE)
    if (picture.mode == "RGBA") if mode.endswith("A") else opaque:
        return picture.convert(mode)
    raise InputError(
        subject=f"image {file}",
        found="no transparency" if opaque else "transparent pixels",
        expected="an alpha channel, the network's last" if opaque else "opaque pixels",
        mend="save an array with numpy.save" if opaque else "lay the picture on a background",
    )
