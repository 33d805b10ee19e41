"""How an image of channels, rows and columns lies in what a network takes."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advmip.errors import InputError

Indices = NDArray[np.intp]
Shape = tuple[int, ...]

_AXES = "chw"
_SAID = re.compile(r"(?P<axes>[chw]{1,3})(:(?P<sizes>\d+(x\d+)*))?")
# How many channels a picture has; that many at the end of a shape are hardly a width.
_COLOURS = (1, 3, 4)


@dataclass(frozen=True, eq=False)
class Layout:
    """What the axes of a network's input mean: which numbers are neighbours, which one pixel.

    Attributes:
        shape: The shape of the network's input, without the batch.
        known: The places in the flattened input of each channel, row and column (C, H, W), where
            they are said or found; the last two axes are rows and columns if left out, and those
            before them channels.
    """

    shape: Shape
    known: Indices | None = None

    @cached_property
    def planes(self) -> Indices:
        """The places in the flattened input of each channel, row and column (C, H, W)."""
        if self.known is not None:
            return self.known
        height, width = (1, 1, *self.shape)[-2:]
        return np.arange(math.prod(self.shape)).reshape(-1, height, width)

    @staticmethod
    def said(words: str, shape: Shape, subject: str) -> Layout:
        """The layout in words: "hwc", or "hwc:32x32x3" where the shape itself has other axes.

        Args:
            words: Each axis by its letter, c for channels, h for height, w for width, and behind
                a colon their sizes if they are not those of the shape.
            shape: Of the network's input.
            subject: What has this layout, for the message.

        Raises:
            InputError: The words are no layout, or none of this shape.
        """
        found = _SAID.fullmatch(words)
        if found is not None:
            axes = found["axes"]
            sizes = tuple(map(int, found["sizes"].split("x"))) if found["sizes"] else shape
            fits = len(set(axes)) == len(axes) == len(sizes)
            if fits and math.prod(sizes) == math.prod(shape):
                return Layout(shape, _planes(axes, sizes))
        raise InputError(
            subject=f"layout of {subject}",
            found=repr(words),
            expected=f"the letters c, h and w in the order of the axes of {shape}, such as 'hwc', "
            "or with sizes whose product is the same, such as 'hwc:32x32x3'",
            mend="correct the layout, or leave it out",
        )

    @staticmethod
    def guessed(shape: Shape) -> Layout:
        """Channels last for shapes that end in few channels behind a large plane, such as 28x28x1.

        All others have them first.
        """
        if len(shape) == 3 and shape[2] in _COLOURS and min(shape[:2]) > shape[2]:
            return Layout(shape, _planes("hwc", shape))
        return Layout(shape)

    @cached_property
    def words(self) -> str:
        """The layout as `said` takes it; "mixed" if it cannot be said."""
        sizes = dict(zip(_AXES, self.planes.shape, strict=True))
        for order in itertools.permutations(_AXES):
            axes, lengths = "".join(order), tuple(sizes[axis] for axis in order)
            if np.array_equal(_planes(axes, lengths), self.planes):
                return f"{axes}:{'x'.join(map(str, lengths))}"
        return "mixed"

    @property
    def open(self) -> bool:
        """Whether the input is a row of numbers, of which no plane is known."""
        return self.known is None and max(self.shape, default=1) == math.prod(self.shape)

    def own(self, image: NDArray[Any], subject: str = "image") -> NDArray[Any]:
        """An image as the network takes it.

        Args:
            image: Of the input's own shape; or (channels, height, width), where axes of length 1
                do not matter; or for a row of numbers of any shape with as many.
            subject: What the image is, for the message.

        Raises:
            InputError: The image has another shape.
        """
        shape = np.shape(image)
        if shape == self.shape:
            return image
        if self.open and math.prod(shape) == math.prod(self.shape):
            return image.reshape(self.shape)
        if _long(shape) == _long(self.shape):
            return image.reshape(self.shape)
        if _long(shape) == _long(self.planes.shape):
            laid = np.empty(self.planes.size, image.dtype)
            laid[self.planes] = image.reshape(self.planes.shape)
            return laid.reshape(self.shape)
        raise InputError(
            subject=subject,
            found=f"an array of shape {shape}",
            expected=self._expected,
            mend="reshape or resize the image, or name another network or another layout",
        )

    @property
    def _expected(self) -> str:
        """The shapes of images in words."""
        written = f"shape {self.shape}, the network's input without a batch axis"
        if self.open:
            return f"{written}, or another one of {math.prod(self.shape)} numbers"
        if _long(self.planes.shape) != _long(self.shape):
            return f"{written}, or {self.planes.shape}: channels, height, width"
        return written

    def of_image(self, shape: Shape) -> Layout:
        """The layout of an image of this shape: its own, where the network's input is a row."""
        if self.open and len(_long(shape)) > 1:
            return Layout(self.shape, Layout.guessed(shape).planes)
        return self

    def picture(self, image: NDArray[Any]) -> NDArray[Any]:
        """An image of the network's own shape as channels, height and width."""
        return image.ravel()[self.planes]


def _long(shape: Shape) -> Shape:
    """The sizes of the axes longer than 1."""
    return tuple(size for size in shape if size != 1)


def _planes(axes: str, sizes: Shape) -> Indices:
    """The places by channel, row and column, of which axes that are not named have one."""
    missing = "".join(axis for axis in _AXES if axis not in axes)
    places = np.arange(math.prod(sizes)).reshape(sizes + (1,) * len(missing))
    return places.transpose([(axes + missing).index(axis) for axis in _AXES])
