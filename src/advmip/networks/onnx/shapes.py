"""Operators that only rearrange the values of an image; the batch stays the first axis."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from advmip.networks.onnx.graph import GraphBuilder
from advmip.networks.onnx.messages import DAMAGED, listed
from advmip.networks.onnx.operation import Operation
from advmip.networks.onnx.values import BATCH, Flow

# Torch's names of ways to pad.
_PAD_MODES = {
    "constant": "constant",
    "reflect": "reflect",
    "edge": "replicate",
    "wrap": "circular",
}


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
    target[:1] = [-1 if size == BATCH else size for size in target[:1]]
    keep_zeros = operation.flag("allowzero", False)
    sizes = [
        flow.shape[axis - 1] if size == 0 and not keep_zeros and axis < flow.rank else size
        for axis, size in enumerate(target[1:], 1)
    ]
    pixels = math.prod(flow.shape)
    known = math.prod(size for size in sizes if size != -1)
    if sizes.count(-1) == 1 and operation.integers(1)[0] != -1 and known > 0:
        sizes[sizes.index(-1)] = pixels // known
    # A 1 in front is the batch of a network that was exported for one image.
    starts_with_batch = target[:1] in ([-1], [1]) or (target[:1] == [0] and not keep_zeros)
    if not starts_with_batch or min(sizes, default=1) < 1 or math.prod(sizes) != pixels:
        raise operation.refused(
            f"shape {target} for an input {flow.written}",
            "the batch in front, and as many values for each image as before",
        )
    return builder.called(operation, "reshape", flow, -1, *sizes)


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
    return builder.called(operation, "reshape", flow, -1, *kept)


def unsqueeze(builder: GraphBuilder, operation: Operation) -> Flow:
    """Unsqueeze: put in axes of length 1."""
    flow = operation.flow(0)
    axes = operation.axes(flow.rank, added=True)
    if 0 in axes:
        raise operation.refused(f"axes {listed(axes)}", "axes behind the batch")
    sizes = list(flow.shape)
    for axis in sorted(axes):
        sizes.insert(axis - 1, 1)
    return builder.called(operation, "reshape", flow, -1, *sizes)


def transpose(builder: GraphBuilder, operation: Operation) -> Flow:
    """Transpose: another order of the axes."""
    flow = operation.flow(0)
    backwards = list(range(flow.rank))[::-1]
    order = tuple(operation.attribute("perm", backwards))
    if sorted(order) != sorted(backwards) or order[0] != 0:
        raise operation.refused(
            f"the order {list(order)} of {flow.rank} axes", "an order that starts with the batch, 0"
        )
    return builder.called(operation, "permute", flow, *order)


def expand(builder: GraphBuilder, operation: Operation) -> Flow:
    """Expand to constant sizes."""
    flow = operation.flow(0)
    target = operation.integers(1)
    target = [1] * (flow.rank - len(target)) + target
    if len(target) != flow.rank or target[0] not in (1, BATCH):
        raise operation.refused(
            f"shape {target} for an input {flow.written}", "as many axes, the batch in front"
        )
    pairs = zip(flow.shape, target[1:], strict=True)
    sizes = [own if size == 1 else size for own, size in pairs]
    return builder.called(operation, "expand", flow, -1, *sizes)


def concat(builder: GraphBuilder, operation: Operation) -> Flow:
    """Concat of values and constants."""
    flows = [operand for operand in operation.operands if isinstance(operand, Flow)]
    parts = [
        operand
        if isinstance(operand, Flow)
        else builder.repeated(operation, operation.weights(index), flows[0], f"_{index}")
        for index, operand in enumerate(operation.operands)
    ]
    axis = operation.axis(flows[0].rank, 0)
    return builder.called(operation, torch.cat, parts, dim=axis)


def pad(builder: GraphBuilder, operation: Operation) -> Flow:
    """Pad with a constant, or with what is there, by constant numbers of places."""
    flow = operation.flow(0)
    pads = operation.listed(1, "pads") or []
    axes = list(range(flow.rank))
    if operation.has(3):
        axes = [axis % flow.rank for axis in operation.integers(3)]
    mode = operation.attribute("mode", b"constant").decode(errors="replace")
    if len(pads) != 2 * len(axes) or mode not in _PAD_MODES:
        raise operation.refused(
            f"pads {pads} in mode {mode!r}", f"two for each axis, in a mode of {list(_PAD_MODES)}"
        )
    around = {axis: (0, 0) for axis in range(flow.rank)}
    around |= zip(axes, zip(pads[: len(axes)], pads[len(axes) :], strict=True), strict=True)
    # Torch counts from the last axis, and pads planes alone with what is there.
    padded = [axis for axis in around if around[axis] != (0, 0)]
    first = 1 if mode == "constant" else 2
    if padded and padded[0] < first:
        raise operation.refused(f"pads {pads} in mode {mode!r}", f"no pads before axis {first}")
    sides = [side for axis in range(flow.rank - 1, first - 1, -1) for side in around[axis]]
    value = _pad_value(operation) if mode == "constant" else None
    return builder.called(operation, functional.pad, flow, sides, _PAD_MODES[mode], value)


def _pad_value(operation: Operation) -> float:
    if not operation.has(2):
        return float(operation.attribute("value", 0.0))
    value = operation.number(2, "value")
    if value is None:
        raise operation.refused("an infinite constant", "a finite one")
    return value


def gather(builder: GraphBuilder, operation: Operation) -> Flow:
    """Gather by constant indices."""
    flow, indices = operation.flow(0), operation.constant(1)
    axis = operation.axis(flow.rank, 0)
    size = flow.shape[axis - 1]
    if indices.dtype.kind != "i" or (np.abs(indices + 0.5) > size).any():
        raise operation.refused(f"indices {indices.tolist()}", f"integers within {size}", DAMAGED)
    return _picked(builder, operation, flow, {axis: (indices % size).tolist()})


def slice_(builder: GraphBuilder, operation: Operation) -> Flow:
    """Slice by constant bounds."""
    flow = operation.flow(0)
    starts, ends = operation.listed(1, "starts"), operation.listed(2, "ends")
    if starts is None or ends is None:
        raise operation.refused("no starts or ends", "both of them", DAMAGED)
    axes = operation.listed(3, "axes") or list(range(len(starts)))
    steps = operation.listed(4, "steps") or [1] * len(starts)
    picked: dict[int, Any] = {}
    for axis, *bounds in zip(axes, starts, ends, steps, strict=True):
        size = (BATCH, *flow.shape)[axis % flow.rank]
        chosen = range(size)[slice(*bounds)]
        if axis % flow.rank:
            picked[axis % flow.rank] = chosen
        elif chosen != range(BATCH):
            raise operation.refused("a slice of the batch", "axes behind the batch")
    return _picked(builder, operation, flow, picked)


def split(builder: GraphBuilder, operation: Operation) -> tuple[Flow, ...]:
    """Split into constant sizes, or evenly."""
    flow = operation.flow(0)
    axis = operation.axis(flow.rank, 0)
    size, count = flow.shape[axis - 1], len(operation.proto.output)
    sizes = operation.listed(1, "split")
    if sizes is None:
        part = -(-size // count)
        sizes = [min(part, size - start) for start in range(0, size, part)]
    if sum(sizes) != size or len(sizes) != count or min(sizes) < 1:
        raise operation.refused(f"parts {sizes} of {size}", f"{count} parts of this sum", DAMAGED)
    ends = list(accumulate(sizes))
    return tuple(
        _picked(builder, operation, flow, {axis: range(end - length, end)})
        for end, length in zip(ends, sizes, strict=True)
    )


def _picked(
    builder: GraphBuilder, operation: Operation, flow: Flow, chosen: Mapping[int, Any]
) -> Flow:
    """Some places along some axes, in ranges or by (nested lists of) indices."""
    for axis, places in chosen.items():
        if isinstance(places, range) and places.step > 0:
            places = slice(places.start, places.stop, places.step)
        elif isinstance(places, range):
            places = list(places)
        index = (slice(None),) * axis + (places,)
        flow = builder.called(operation, operator.getitem, flow, index)
    return flow
