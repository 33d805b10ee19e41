"""Operators that take the maximum, the mean or the sum over parts of an image."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

import torch
from torch import nn

from advmip.networks.onnx.graph import GraphBuilder
from advmip.networks.onnx.messages import listed
from advmip.networks.onnx.operation import Operation
from advmip.networks.onnx.values import Flow
from advmip.networks.onnx.windows import Window, padded, window_of

# By the number of axes of their inputs.
_MAX_POOLS: dict[int, Callable[..., nn.Module]] = {
    3: nn.MaxPool1d,
    4: nn.MaxPool2d,
    5: nn.MaxPool3d,
}
_AVERAGE_POOLS: dict[int, Callable[..., nn.Module]] = {
    3: nn.AvgPool1d,
    4: nn.AvgPool2d,
    5: nn.AvgPool3d,
}


def max_pool(builder: GraphBuilder, operation: Operation) -> Flow:
    """MaxPool; what lies in uneven or wide padding is minus infinity."""
    flow, window = _pooled(operation)
    padding = window.before
    if not window.fits_pooling:
        flow, padding = padded(builder, operation, flow, window, -math.inf), (0,) * len(padding)
    layer = _MAX_POOLS[flow.rank](window.kernel, window.stride, padding, window.dilation)
    return builder.layer(operation, layer, flow)


def average_pool(builder: GraphBuilder, operation: Operation) -> Flow:
    """AveragePool; zeros in uneven or wide padding are counted, and what is too much taken back."""
    flow, window = _pooled(operation)
    nothing = (0,) * len(window.kernel)
    if set(window.dilation) != {1}:
        raise operation.refused(f"dilations {window.dilation}", "dilations of 1")
    counted = operation.flag("count_include_pad", False)
    if window.fits_pooling and not operation.flag("ceil_mode", False):
        layer = _AVERAGE_POOLS[flow.rank](
            window.kernel, window.stride, window.before, count_include_pad=counted
        )
        return builder.layer(operation, layer, flow)
    plane = flow.shape[1:]
    flow = padded(builder, operation, flow, window, 0.0)
    layer = _AVERAGE_POOLS[flow.rank](window.kernel, window.stride, nothing, count_include_pad=True)
    mean = builder.layer(operation, layer, flow)
    # What only rounding up adds behind the padding never counts.
    behind = operation.attribute("pads", window.before + window.after)[len(plane) :]
    around = (window.before, tuple(behind)) if counted else (nothing, nothing)
    counts = window.read(plane, *around)
    taps = math.prod(window.kernel)
    if (counts == taps).all():
        return mean
    factor = torch.from_numpy(taps / counts)[None].to(builder.precision)
    return builder.combined(operation, operator.mul, mean, factor)


def _pooled(operation: Operation) -> tuple[Flow, Window]:
    """What is pooled, and how."""
    flow = operation.flow(0)
    if flow.rank not in _MAX_POOLS:
        raise operation.refused(f"an input with {flow.rank} axes", "3 to 5 axes")
    axes = len(flow.shape) - 1
    window = window_of(operation, flow, operation.sizes("kernel_shape", axes))
    nothing = (0,) * axes
    if (window.read(flow.shape[1:], nothing, nothing) == 0).any():
        raise operation.refused("a window that lies in the padding altogether", "smaller pads")
    return flow, window


def global_average_pool(builder: GraphBuilder, operation: Operation) -> Flow:
    """GlobalAveragePool, which keeps the axes of planes with a length of 1."""
    flow = operation.flow(0)
    if flow.rank == 4:
        return builder.layer(operation, nn.AdaptiveAvgPool2d(1), flow)
    return _reduced(builder, operation, "mean", set(range(2, flow.rank)), True)


def global_max_pool(builder: GraphBuilder, operation: Operation) -> Flow:
    """GlobalMaxPool, which keeps the axes of planes with a length of 1."""
    return _reduced(builder, operation, "amax", set(range(2, operation.flow(0).rank)), True)


def reduction(method: str) -> Callable[[GraphBuilder, Operation], Flow]:
    """The translator of ReduceMean, ReduceSum or ReduceMax: a method over named axes."""

    def translator(builder: GraphBuilder, operation: Operation) -> Flow:
        axes = operation.axes(operation.flow(0).rank)
        if not axes and operation.flag("noop_with_empty_axes", False):
            return operation.flow(0)
        return _reduced(builder, operation, method, axes, operation.flag("keepdims", True))

    return translator


def _reduced(
    builder: GraphBuilder, operation: Operation, method: str, axes: set[int], keep: bool
) -> Flow:
    if not axes or 0 in axes:
        raise operation.refused(f"axes {listed(axes)}", "axes behind the batch")
    dim = tuple(sorted(axes))
    return builder.called(operation, method, operation.flow(0), dim=dim, keepdim=keep)
