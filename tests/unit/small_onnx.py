"""A network in a file whose outputs are known in words, and properties of it."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Both outputs are declared, whichever are spoken of.
DECLARED = "".join(f"(declare-const {name} Real)\n" for name in ("X_0", "X_1", "Y_0", "Y_1"))
BOX = """(assert (>= X_0 -0.5)) (assert (<= X_0 0.25))
(assert (>= X_1 0.0)) (assert (<= X_1 1.0))
"""


def write_layers(file: Path, *layers: tuple[list[list[float]], list[float]]) -> Path:
    """Dense layers, with ReLUs between them, in float32; compressed if the name ends so."""
    nodes, weights, last = [], [], "x"
    for number, (matrix, bias) in enumerate(layers):
        for letter, values in (("w", matrix), ("b", bias)):
            array = np.array(values, np.float32)
            weights.append(numpy_helper.from_array(array, f"{letter}{number}"))
        nodes.append(
            helper.make_node("Gemm", [last, f"w{number}", f"b{number}"], [f"y{number}"], transB=1)
        )
        last = f"y{number}"
        if number + 1 < len(layers):
            nodes.append(helper.make_node("Relu", [last], [f"z{number}"]))
            last = f"z{number}"
    shapes = [[1, len(layers[0][0][0])], [1, len(layers[-1][1])]]
    inputs, outputs = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in zip(("x", last), shapes, strict=True)
    )
    graph = helper.make_graph(nodes, "small", [inputs], [outputs], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content = model.SerializeToString()
    onnx.checker.check_model(model)
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)
    return file


def write_network(file: Path) -> Path:
    """Y_0 = |X_0| and Y_1 = max(X_1, 0)."""
    hidden = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]], [0.0, 0.0, 0.0]
    return write_layers(file, hidden, ([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [0.0, 0.0]))


def write_property(file: Path, condition: str) -> Path:
    """That no point of the box above meets a condition, in version 1."""
    text = f"{DECLARED}{BOX}(assert {condition})\n"
    file.write_bytes(gzip.compress(text.encode()) if file.suffix == ".gz" else text.encode())
    return file
