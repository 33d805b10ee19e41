"""Operators between two values, or a value and a constant, element by element."""

from __future__ import annotations

import operator

from torch import Tensor

from advmip.networks.onnx.graph import GraphBuilder
from advmip.networks.onnx.messages import DAMAGED
from advmip.networks.onnx.operation import Operation
from advmip.networks.onnx.values import Flow


def add(builder: GraphBuilder, operation: Operation) -> Flow:
    """Add, of two values or a value and a constant."""
    return builder.combined(operation, operator.add, _term(operation, 0), _term(operation, 1))


def subtract(builder: GraphBuilder, operation: Operation) -> Flow:
    """Sub, of two values or a value and a constant on either side."""
    return builder.combined(operation, operator.sub, _term(operation, 0), _term(operation, 1))


def multiply(builder: GraphBuilder, operation: Operation) -> Flow:
    """Mul by a constant."""
    first, second = _term(operation, 0), _term(operation, 1)
    if isinstance(first, Flow) and isinstance(second, Flow):
        raise operation.refused(
            "a product of two values that depend on the image", "one constant factor"
        )
    return builder.combined(operation, operator.mul, first, second)


def divide(builder: GraphBuilder, operation: Operation) -> Flow:
    """Div by a constant."""
    divisor = operation.weights(1)
    if bool((divisor == 0).any()):
        raise operation.refused("a division by 0", "divisors other than 0", DAMAGED)
    return builder.combined(operation, operator.truediv, operation.flow(0), divisor)


def _term(operation: Operation, index: int) -> Flow | Tensor:
    """An operand of either kind."""
    is_flow = isinstance(operation.operands[index], Flow)
    return operation.flow(index) if is_flow else operation.weights(index)
