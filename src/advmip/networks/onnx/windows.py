"""Windows that move over an image, and the padding around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from torch import nn

from advmip.networks.onnx.graph import GraphBuilder
from advmip.networks.onnx.messages import DAMAGED
from advmip.networks.onnx.operation import Operation, Sizes
from advmip.networks.onnx.values import Array, Flow

_PADDINGS: dict[int, Callable[..., nn.Module]] = {
    3: nn.ConstantPad1d,
    4: nn.ConstantPad2d,
    5: nn.ConstantPad3d,
}


@dataclass(frozen=True)
class Window:
    """How a convolution or pooling moves over an image, a size for each axis of its planes.

    Attributes:
        kernel: Its size.
        stride: Its steps.
        dilation: The distance of what it reads.
        before: Padding in front.
        after: Padding behind.
    """

    kernel: Sizes
    stride: Sizes
    dilation: Sizes
    before: Sizes
    after: Sizes

    @property
    def fits_pooling(self) -> bool:
        """Whether torch's pooling can pad so itself: evenly, by half the kernel at most."""
        small = all(2 * pad <= size for pad, size in zip(self.before, self.kernel, strict=True))
        return small and self.before == self.after

    def rounded_up(self, plane: Sizes) -> Window:
        """The window with padding behind until the last one that begins before it ends there."""
        after = []
        for size, kernel, stride, dilation, before, behind in zip(
            plane, self.kernel, self.stride, self.dilation, self.before, self.after, strict=True
        ):
            reach = dilation * (kernel - 1) + 1
            steps = -(-(before + size + behind - reach) // stride)
            if steps * stride >= before + size:
                steps -= 1
            after.append(steps * stride + reach - before - size)
        return replace(self, after=tuple(after))

    def read(self, plane: Sizes, before: Sizes, after: Sizes) -> Array:
        """How many places each window reads, of those in the plane and so far around it."""
        counts = np.ones(())
        for axis, size in enumerate(plane):
            reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1
            last = self.before[axis] + size + self.after[axis] - reach
            starts = np.arange(0, last + 1, self.stride[axis]) - self.before[axis]
            taps = starts[:, None] + self.dilation[axis] * np.arange(self.kernel[axis])
            inside = (taps >= -before[axis]) & (taps < size + after[axis])
            counts = counts[..., None] * inside.sum(axis=1)
        return counts


def window_of(operation: Operation, flow: Flow, kernel: Sizes) -> Window:
    """The window of a node with this kernel, its padding worked out for the value."""
    plane = flow.shape[1:]
    stride, dilation = (operation.sizes(name, len(plane)) for name in ("strides", "dilations"))
    mode = operation.attribute("auto_pad", b"NOTSET").decode(errors="replace")
    if mode not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise operation.refused(
            f"auto_pad {mode!r}", "NOTSET, SAME_UPPER, SAME_LOWER or VALID", DAMAGED
        )
    before = after = (0,) * len(plane)
    if mode == "NOTSET":
        before, after = _pads(operation, len(plane))
    elif mode != "VALID":
        both = [
            _same_pads(*along, at_the_end=mode == "SAME_UPPER")
            for along in zip(plane, kernel, stride, dilation, strict=True)
        ]
        before, after = (tuple(pads[end] for pads in both) for end in (0, 1))
    window = Window(kernel, stride, dilation, before, after)
    return window.rounded_up(plane) if operation.flag("ceil_mode", False) else window


def _same_pads(
    side: int, kernel: int, stride: int, dilation: int, *, at_the_end: bool
) -> tuple[int, int]:
    """The pads before and after an axis that give one result for each stride begun."""
    results = -(-side // stride)
    total = max((results - 1) * stride + (kernel - 1) * dilation + 1 - side, 0)
    smaller, larger = total // 2, total - total // 2
    return (smaller, larger) if at_the_end else (larger, smaller)


def _pads(operation: Operation, axes: int) -> tuple[Sizes, Sizes]:
    """The pads in front of and behind each axis."""
    pads = tuple(operation.attribute("pads", [0] * 2 * axes))
    if len(pads) != 2 * axes or min(pads) < 0:
        raise operation.refused(f"pads {list(pads)}", f"{2 * axes} integers, none below 0")
    return pads[:axes], pads[axes:]


def padded(
    builder: GraphBuilder, operation: Operation, flow: Flow, window: Window, value: float
) -> Flow:
    """The value with constants around it, as the window asks."""
    pads = zip(reversed(window.before), reversed(window.after), strict=True)
    layer: nn.Module = _PADDINGS[flow.rank](tuple(chain.from_iterable(pads)), value)
    return builder.layer(operation, layer, flow, "_padding")
