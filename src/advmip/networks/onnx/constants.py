"""Constants of an ONNX file: weights it holds, and what its nodes make of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from advmip.errors import InputError, one_line
from advmip.networks.onnx.messages import DAMAGED
from advmip.networks.onnx.operation import Operation
from advmip.networks.onnx.values import Array


def decoded(file: Path, initializer: TensorProto) -> Array:
    """The weights of an initializer."""
    try:
        return numpy_helper.to_array(initializer)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            subject=f"network {file}, weights {initializer.name!r}",
            found=f"values that cannot be read ({one_line(error)})",
            expected="an array of numbers",
            mend=DAMAGED,
        ) from error


def folded(operation: Operation) -> tuple[Array, ...]:
    """What a node without an operand that depends on the image gives."""
    inputs = [name for name in operation.proto.input if name]
    graph = helper.make_graph(
        [operation.proto],
        "constants",
        [helper.make_empty_tensor_value_info(name) for name in inputs],
        [helper.make_empty_tensor_value_info(name) for name in operation.proto.output if name],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", operation.opset)])
    named = zip(operation.proto.input, operation.operands, strict=True)
    try:
        results = ReferenceEvaluator(model).run(
            None, {name: value for name, value in named if name}
        )
        found = map(np.asarray, results)
        return tuple(next(found) if name else np.zeros(()) for name in operation.proto.output)
    except Exception as error:  # the evaluator passes on whatever numpy raises
        raise operation.refused(
            f"constants that cannot be computed ({one_line(error)})",
            "constants that the operator accepts",
        ) from error
