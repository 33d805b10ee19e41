"""Which function translates which operator."""

from __future__ import annotations

from collections.abc import Callable

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


TRANSLATORS: dict[str, Callable[[GraphBuilder, Operation], Flow]] = {
    "Add": arithmetic.add,
    "AveragePool": pooling.average_pool,
    "BatchNormalization": layers.batch_normalization,
    "Cast": _cast,
    "Conv": layers.convolution,
    "Div": arithmetic.divide,
    "Dropout": _dropout,
    "Flatten": shapes.flatten,
    "Gemm": layers.gemm,
    "GlobalAveragePool": pooling.global_average_pool,
    "Identity": _identity,
    "MatMul": layers.matmul,
    "MaxPool": pooling.max_pool,
    "Mul": arithmetic.multiply,
    "ReduceMean": pooling.reduce_mean,
    "Relu": layers.relu,
    "Reshape": shapes.reshape,
    "Squeeze": shapes.squeeze,
    "Sub": arithmetic.subtract,
    "Transpose": shapes.transpose,
    "Unsqueeze": shapes.unsqueeze,
}
