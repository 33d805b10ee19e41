"""Operators that take the maximum or the mean over parts of an image."""

from __future__ import annotations

from torch import nn

from advmip.networks.onnx.graph import GraphBuilder
from advmip.networks.onnx.messages import listed
from advmip.networks.onnx.operation import Operation
from advmip.networks.onnx.values import Flow
from advmip.networks.onnx.windows import Window, padded, window_of


def max_pool(builder: GraphBuilder, operation: Operation) -> Flow:
    """MaxPool; uneven or wide padding only of values that are never below 0."""
    flow = operation.flow(0, 4)
    window = _pooling_window(operation, flow)
    padding = window.before
    if not window.fits_pooling:
        # Zeros change no maximum over values that are never below 0, if there is one at least.
        if not builder.is_rectified(flow) or not window.always_meets_image:
            raise operation.refused(
                f"uneven or wide padding {window.before} and {window.after}",
                "even padding by at most half the kernel, or a Relu just before",
            )
        flow, padding = padded(builder, operation, flow, window), (0, 0)
    layer = nn.MaxPool2d(window.kernel, window.stride, padding, window.dilation)
    return builder.layer(operation, layer, flow)


def average_pool(builder: GraphBuilder, operation: Operation) -> Flow:
    """AveragePool; uneven or wide padding only where it counts."""
    flow = operation.flow(0, 4)
    window = _pooling_window(operation, flow)
    if window.dilation != (1, 1):
        raise operation.refused(f"dilations {window.dilation}", "dilations of 1")
    counted = operation.flag("count_include_pad", False)
    padding = window.before
    if not window.fits_pooling:
        if not counted:
            raise operation.refused(
                f"uneven or wide padding {window.before} and {window.after}",
                "even padding by at most half the kernel, or count_include_pad = 1",
            )
        flow, padding = padded(builder, operation, flow, window), (0, 0)
    layer = nn.AvgPool2d(window.kernel, window.stride, padding, count_include_pad=counted)
    return builder.layer(operation, layer, flow)


def global_average_pool(builder: GraphBuilder, operation: Operation) -> Flow:
    """GlobalAveragePool, which keeps height and width as axes of length 1."""
    return builder.layer(operation, nn.AdaptiveAvgPool2d(1), operation.flow(0, 4))


def reduce_mean(builder: GraphBuilder, operation: Operation) -> Flow:
    """ReduceMean over height and width, which are kept or not."""
    flow = operation.flow(0, 4)
    axes = operation.axes(4)
    if axes != {2, 3}:
        raise operation.refused(f"axes {listed(axes)}", "axes 2 and 3, height and width")
    return builder.mean(flow, operation.flag("keepdims", True))


def _pooling_window(operation: Operation, flow: Flow) -> Window:
    if operation.flag("ceil_mode", False):
        raise operation.refused("ceil_mode = 1", "ceil_mode = 0")
    return window_of(operation, flow, operation.pair("kernel_shape"))
