"""Windows that move over an image, and the padding around it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from advmip.networks.onnx.graph import GraphBuilder
from advmip.networks.onnx.messages import DAMAGED
from advmip.networks.onnx.operation import Operation, Pair
from advmip.networks.onnx.values import Flow


@dataclass(frozen=True)
class Window:
    """How a convolution or pooling moves over an image; pairs are (height, width).

    Attributes:
        kernel: Its size.
        stride: Its steps.
        dilation: The distance of what it reads.
        before: Padding above and to the left.
        after: Padding below and to the right.
    """

    kernel: Pair
    stride: Pair
    dilation: Pair
    before: Pair
    after: Pair

    @property
    def fits_pooling(self) -> bool:
        """Whether torch's pooling can pad so itself: evenly, by half the kernel at most."""
        small = all(2 * pad <= size for pad, size in zip(self.before, self.kernel, strict=True))
        return small and self.before == self.after

    @property
    def always_meets_image(self) -> bool:
        """Whether it surely never lies in the padding altogether."""
        pads = (*self.before, *self.after)
        inside = all(pad < size for pad, size in zip(pads, self.kernel * 2, strict=True))
        return inside and self.dilation == (1, 1)


def window_of(operation: Operation, flow: Flow, kernel: Pair) -> Window:
    """The window of a node with this kernel, its padding worked out for the value."""
    stride, dilation = operation.pair("strides"), operation.pair("dilations")
    mode = operation.attribute("auto_pad", b"NOTSET").decode(errors="replace")
    if mode not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise operation.refused(
            f"auto_pad {mode!r}", "NOTSET, SAME_UPPER, SAME_LOWER or VALID", DAMAGED
        )
    top, left, bottom, right = 0, 0, 0, 0
    if mode == "NOTSET":
        top, left, bottom, right = _pads(operation)
    elif mode != "VALID":
        (top, bottom), (left, right) = (
            _same_pads(*along, at_the_end=mode == "SAME_UPPER")
            for along in zip(flow.shape[1:], kernel, stride, dilation, strict=True)
        )
    return Window(kernel, stride, dilation, (top, left), (bottom, right))


def _same_pads(side: int, kernel: int, stride: int, dilation: int, *, at_the_end: bool) -> Pair:
    """The pads before and after an axis that give one result for each stride begun."""
    results = -(-side // stride)
    total = max((results - 1) * stride + (kernel - 1) * dilation + 1 - side, 0)
    smaller, larger = total // 2, total - total // 2
    return (smaller, larger) if at_the_end else (larger, smaller)


def _pads(operation: Operation) -> list[int]:
    """The pads above, to the left, below and to the right."""
    pads = list(operation.attribute("pads", [0, 0, 0, 0]))
    if len(pads) != 4 or min(pads) < 0:
        raise operation.refused(f"pads {pads}", "4 integers, none below 0")
    return pads


def padded(builder: GraphBuilder, operation: Operation, flow: Flow, window: Window) -> Flow:
    """The value with zeros around it, as the window asks."""
    (top, left), (bottom, right) = window.before, window.after
    layer = nn.ConstantPad2d((left, right, top, bottom), 0.0)
    return builder.layer(operation, layer, flow, "_padding")
