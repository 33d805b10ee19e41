"""Operators that only rearrange the values of an image; the batch stays the first axis."""

from __future__ import annotations

import math

from torch import nn

from advmip.networks.onnx.graph import GraphBuilder
from advmip.networks.onnx.messages import listed
from advmip.networks.onnx.operation import Operation
from advmip.networks.onnx.values import Flow


def flatten(builder: GraphBuilder, operation: Operation) -> Flow:
    """Flatten: all axes but the batch become one."""
    flow = operation.flow(0)
    axis = int(operation.attribute("axis", 1))
    if axis not in (1, 1 - flow.rank):
        raise operation.refused(f"axis {axis}", "axis 1: all axes but the batch")
    return builder.layer(operation, nn.Flatten(), flow)


def reshape(builder: GraphBuilder, operation: Operation) -> Flow:
    """Reshape to constant sizes."""
    flow = operation.flow(0)
    target = operation.integers(1)
    keep_zeros = operation.flag("allowzero", False)
    sizes = [
        flow.shape[axis - 1] if size == 0 and not keep_zeros and axis < flow.rank else size
        for axis, size in enumerate(target[1:], 1)
    ]
    pixels = math.prod(flow.shape)
    known = math.prod(size for size in sizes if size != -1)
    if sizes.count(-1) == 1 and target[0] != -1 and known > 0:
        sizes[sizes.index(-1)] = pixels // known
    # A 1 in front is the batch of a network that was exported for one image.
    starts_with_batch = target[:1] in ([-1], [1]) or (target[:1] == [0] and not keep_zeros)
    if not starts_with_batch or min(sizes, default=1) < 1 or math.prod(sizes) != pixels:
        raise operation.refused(
            f"shape {target} for an input {flow.written}",
            "the batch in front, and as many values for each image as before",
        )
    return builder.reshaped(flow, tuple(sizes))


def squeeze(builder: GraphBuilder, operation: Operation) -> Flow:
    """Squeeze: leave out named axes of length 1."""
    flow = operation.flow(0)
    axes = operation.axes(flow.rank)
    # Without axes, the batch of a network that was exported for one image would go too.
    if not axes or 0 in axes or any(flow.shape[axis - 1] != 1 for axis in axes):
        raise operation.refused(
            f"axes {listed(axes)} of an input {flow.written}",
            "axes of length 1, without the batch",
        )
    kept = (size for axis, size in enumerate(flow.shape, 1) if axis not in axes)
    return builder.reshaped(flow, tuple(kept))


def unsqueeze(builder: GraphBuilder, operation: Operation) -> Flow:
    """Unsqueeze: put in axes of length 1."""
    flow = operation.flow(0)
    axes = operation.axes(flow.rank, added=True)
    if 0 in axes:
        raise operation.refused(f"axes {listed(axes)}", "axes behind the batch")
    sizes = list(flow.shape)
    for axis in sorted(axes):
        sizes.insert(axis - 1, 1)
    return builder.reshaped(flow, tuple(sizes))


def transpose(builder: GraphBuilder, operation: Operation) -> Flow:
    """Transpose: another order of the axes."""
    flow = operation.flow(0)
    backwards = list(range(flow.rank))[::-1]
    order = tuple(operation.attribute("perm", backwards))
    if sorted(order) != sorted(backwards) or order[0] != 0:
        raise operation.refused(
            f"the order {list(order)} of {flow.rank} axes", "an order that starts with the batch, 0"
        )
    return builder.permuted(flow, order)
