"""Operators between two values, or a value and a constant, element by element."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
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


def total(builder: GraphBuilder, operation: Operation) -> Flow:
    """Sum of any number of values and constants."""
    return _folded_over(builder, operation, operator.add)


def maximum(builder: GraphBuilder, operation: Operation) -> Flow:
    """Max of values and constants."""
    return _folded_over(builder, operation, torch.maximum)


def minimum(builder: GraphBuilder, operation: Operation) -> Flow:
    """Min of values and constants."""
    return _folded_over(builder, operation, torch.minimum)


def _folded_over(
    builder: GraphBuilder, operation: Operation, function: Callable[[Any, Any], Any]
) -> Flow:
    """A function of two values over all operands."""
    terms = [_term(operation, index) for index in range(len(operation.operands))]
    # A constant that is broadcast meets a value that says how many axes there are.
    terms.sort(key=lambda term: not isinstance(term, Flow))
    result, *others = terms
    for number, term in enumerate(others):
        result = builder.combined(operation, function, result, term, f"_{number}")
    assert isinstance(result, Flow)  # else it would be a constant
    return result


def negative(builder: GraphBuilder, operation: Operation) -> Flow:
    """Neg."""
    return builder.called(operation, operator.neg, operation.flow(0))


def absolute(builder: GraphBuilder, operation: Operation) -> Flow:
    """Abs."""
    return builder.called(operation, torch.abs, operation.flow(0))


def clip(builder: GraphBuilder, operation: Operation) -> Flow:
    """Clip at constants."""
    lower, upper = operation.number(1, "min"), operation.number(2, "max")
    flow = operation.flow(0)
    if lower is None and upper is None:
        return flow
    return builder.called(operation, torch.clamp, flow, min=lower, max=upper)


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
