"""Operators with weights, and the kinds of ReLU."""

from __future__ import annotations

import operator
from collections.abc import Callable

import torch
from torch import Tensor, nn

from advmip.networks.onnx.graph import GraphBuilder
from advmip.networks.onnx.messages import DAMAGED
from advmip.networks.onnx.operation import Operation
from advmip.networks.onnx.values import Flow
from advmip.networks.onnx.windows import padded, window_of

# By the number of axes of their inputs.
_CONVOLUTIONS: dict[int, Callable[..., nn.Module]] = {3: nn.Conv1d, 4: nn.Conv2d, 5: nn.Conv3d}
_BATCH_NORMS: dict[int, Callable[..., nn.Module]] = {
    3: nn.BatchNorm1d,
    4: nn.BatchNorm2d,
    5: nn.BatchNorm3d,
}


def gemm(builder: GraphBuilder, operation: Operation) -> Flow:
    """Gemm: images, as rows, times a matrix, plus a bias."""
    if operation.flag("transA", False):
        raise operation.refused("transA = 1", "transA = 0: each row is an image")
    weight = _matrix(operation, operation.attribute("alpha", 1.0))
    if not operation.flag("transB", False):
        weight = weight.T.contiguous()
    if not operation.has(2):
        return _dense(builder, operation, weight, None)
    bias = operation.weights(2, operation.attribute("beta", 1.0))
    outputs = weight.shape[0]
    if tuple(bias.shape) not in ((), (1,), (1, 1), (outputs,), (1, outputs)):
        raise operation.refused(
            f"a bias of shape {tuple(bias.shape)} for {outputs} outputs",
            "one bias for each output, or one for all",
        )
    return _dense(builder, operation, weight, bias.reshape(-1).expand(outputs).contiguous())


def matmul(builder: GraphBuilder, operation: Operation) -> Flow:
    """MatMul with a constant matrix."""
    return _dense(builder, operation, _matrix(operation).T.contiguous(), None)


def _dense(
    builder: GraphBuilder, operation: Operation, weight: Tensor, bias: Tensor | None
) -> Flow:
    """A linear layer of weight (outputs, inputs)."""
    with torch.device("meta"):  # where no weights are drawn
        layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    # Gemm takes rows; MatMul takes any axes in front of the last.
    rank = 2 if operation.proto.op_type == "Gemm" else None
    flow = operation.flow(0, rank)
    return builder.layer(operation, _filled(layer, weight=weight, bias=bias), flow)


def _matrix(operation: Operation, factor: float = 1.0) -> Tensor:
    """The second operand, a matrix."""
    matrix = operation.weights(1, factor)
    if matrix.ndim != 2:
        raise operation.refused(f"a constant with {matrix.ndim} axes", "a matrix")
    return matrix


def convolution(builder: GraphBuilder, operation: Operation) -> Flow:
    """Conv in one to three dimensions; uneven padding becomes a layer of its own."""
    weight = operation.weights(1)
    flow = operation.flow(0, weight.ndim)
    bias = operation.weights(2) if operation.has(2) else None
    groups = int(operation.attribute("group", 1))
    if weight.ndim not in _CONVOLUTIONS or groups < 1 or weight.shape[0] % groups:
        raise operation.refused(
            f"a weight of shape {tuple(weight.shape)} in {groups} groups",
            "a weight of 3 to 5 axes whose first divides into the groups",
        )
    outputs, inputs, *kernel = weight.shape
    if list(operation.attribute("kernel_shape", kernel)) != kernel:
        raise operation.refused(
            f"kernel_shape {operation.attribute('kernel_shape', None)}",
            f"{kernel}, as the weight has",
            DAMAGED,
        )
    window = window_of(operation, flow, tuple(kernel))
    padding = window.before
    if window.before != window.after:
        flow, padding = padded(builder, operation, flow, window, 0.0), (0,) * len(kernel)
    with torch.device("meta"):  # where no weights are drawn
        layer = _CONVOLUTIONS[weight.ndim](
            inputs * groups,
            outputs,
            window.kernel,
            window.stride,
            padding,
            window.dilation,
            groups,
            bias=bias is not None,
        )
    return builder.layer(operation, _filled(layer, weight=weight, bias=bias), flow)


def batch_normalization(builder: GraphBuilder, operation: Operation) -> Flow:
    """BatchNormalization with fixed statistics; of two axes, a factor and an offset."""
    flow = operation.flow(0)
    # Before opset 14, it is outputs beyond the first that tell training.
    training = operation.flag("training_mode", False) or len(operation.proto.output) > 1
    if training or not operation.flag("spatial", True):
        raise operation.refused(
            "batch normalisation as in training, or by pixel",
            "training_mode = 0, one output, and spatial = 1",
            "export the network in evaluation mode",
        )
    weight, bias, mean, variance = (operation.weights(index) for index in range(1, 5))
    epsilon = float(operation.attribute("epsilon", 1e-5))
    shapes = [tuple(tensor.shape) for tensor in (weight, bias, mean, variance)]
    if flow.rank not in (2, *_BATCH_NORMS) or shapes != [flow.shape[:1]] * 4:
        raise operation.refused(
            f"constants of shapes {shapes} for an input {flow.written}",
            "an input with 2 to 5 axes, and one number for each of its channels",
        )
    if not bool(((variance >= 0) & (variance + epsilon > 0)).all()):
        raise operation.refused(
            f"a variance of {float(variance.min()):.3g} with epsilon {epsilon:.3g}",
            "no variance below 0, and none of 0 without an epsilon above 0",
            DAMAGED,
        )
    if flow.rank == 2:
        factor = weight.double() / (variance.double() + epsilon).sqrt()
        offset = bias.double() - mean.double() * factor
        scaled = builder.combined(operation, operator.mul, flow, factor.to(weight.dtype), "_factor")
        return builder.combined(operation, operator.add, scaled, offset.to(weight.dtype), "_offset")
    with torch.device("meta"):  # where no weights are drawn
        layer = _BATCH_NORMS[flow.rank](len(weight), epsilon)
    statistics = {"running_mean": mean, "running_var": variance}
    count = torch.tensor(0)
    filled = _filled(layer, weight=weight, bias=bias, **statistics, num_batches_tracked=count)
    return builder.layer(operation, filled, flow)


def leaky_relu(builder: GraphBuilder, operation: Operation) -> Flow:
    """LeakyRelu: values below 0 times a slope."""
    slope = float(operation.attribute("alpha", 0.01))
    return builder.layer(operation, nn.LeakyReLU(slope), operation.flow(0))


def prelu(builder: GraphBuilder, operation: Operation) -> Flow:
    """PRelu: values below 0 times a slope for each channel, or one for all."""
    flow, slope = operation.flow(0), operation.weights(1)
    shape = (1,) * (flow.rank - slope.ndim) + tuple(slope.shape)
    varied = {axis for axis, size in enumerate(shape) if size > 1}
    if len(shape) > flow.rank or varied - {1}:
        raise operation.refused(
            f"slopes of shape {tuple(slope.shape)} for an input {flow.written}",
            "one slope for each channel, or one for all",
        )
    with torch.device("meta"):
        layer = nn.PReLU(slope.numel())
    return builder.layer(operation, _filled(layer, weight=slope.ravel()), flow)


def relu(builder: GraphBuilder, operation: Operation) -> Flow:
    """Relu: the maximum of each value and 0."""
    return builder.layer(operation, nn.ReLU(), operation.flow(0))


def _filled(layer: nn.Module, **tensors: Tensor | None) -> nn.Module:
    """The layer, built on torch's meta device, with these tensors for its own."""
    given = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    layer.load_state_dict(given, assign=True)
    return layer
