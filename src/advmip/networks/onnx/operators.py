"""Which function translates which operator."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from advmip.networks.onnx import arithmetic, layers, pooling, shapes
from advmip.networks.onnx.graph import GraphBuilder
from advmip.networks.onnx.operation import Operation
from advmip.networks.onnx.values import FLOATS, Flow


def _identity(_: GraphBuilder, operation: Operation) -> Flow:
    return operation.flow(0)


def _cast(_: GraphBuilder, operation: Operation) -> Flow:
    if operation.attribute("to", None) not in FLOATS:
        raise operation.refused("a cast to no float", "a cast to float16, float or double")
    return operation.flow(0)


def _dropout(_: GraphBuilder, operation: Operation) -> Flow:
    if operation.has(2) and operation.constant(2).any():
        raise operation.refused("dropout as in training", "training_mode = 0")
    return operation.flow(0)


def _squashing(layer: Callable[[], nn.Module]) -> Translator:
    """The translator of a last softmax or sigmoid, which networks are read without."""

    def translator(builder: GraphBuilder, operation: Operation) -> Flow:
        flow = operation.flow(0)
        axis = int(operation.attribute("axis", 1 if operation.opset < 13 else -1))
        if operation.proto.op_type != "Sigmoid" and (flow.rank != 2 or axis not in (1, -1)):
            raise operation.refused(
                f"axis {axis} of an input {flow.written}", "the classes of (batch, classes)"
            )
        return builder.layer(operation, layer(), flow)

    return translator


Translator = Callable[[GraphBuilder, Operation], Flow | tuple[Flow, ...]]

# What may come last, where it changes no order of the outputs.
LAST: dict[str, Translator] = {
    "LogSoftmax": _squashing(lambda: nn.LogSoftmax(dim=1)),
    "Sigmoid": _squashing(nn.Sigmoid),
    "Softmax": _squashing(lambda: nn.Softmax(dim=1)),
}

TRANSLATORS: dict[str, Translator] = {
    "Abs": arithmetic.absolute,
    "Add": arithmetic.add,
    "AveragePool": pooling.average_pool,
    "BatchNormalization": layers.batch_normalization,
    "Cast": _cast,
    "Clip": arithmetic.clip,
    "Concat": shapes.concat,
    "Conv": layers.convolution,
    "Div": arithmetic.divide,
    "Dropout": _dropout,
    "Expand": shapes.expand,
    "Flatten": shapes.flatten,
    "Gather": shapes.gather,
    "Gemm": layers.gemm,
    "GlobalAveragePool": pooling.global_average_pool,
    "GlobalMaxPool": pooling.global_max_pool,
    "Identity": _identity,
    "LeakyRelu": layers.leaky_relu,
    "MatMul": layers.matmul,
    "Max": arithmetic.maximum,
    "MaxPool": pooling.max_pool,
    "Min": arithmetic.minimum,
    "Mul": arithmetic.multiply,
    "Neg": arithmetic.negative,
    "PRelu": layers.prelu,
    "Pad": shapes.pad,
    "ReduceMax": pooling.reduction("amax"),
    "ReduceMean": pooling.reduction("mean"),
    "ReduceSum": pooling.reduction("sum"),
    "Relu": layers.relu,
    "Reshape": shapes.reshape,
    "Slice": shapes.slice_,
    "Split": shapes.split,
    "Squeeze": shapes.squeeze,
    "Sub": arithmetic.subtract,
    "Sum": arithmetic.total,
    "Transpose": shapes.transpose,
    "Unsqueeze": shapes.unsqueeze,
}
