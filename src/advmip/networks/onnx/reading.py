"""From an ONNX file to a network, node by node; nothing in the file is executed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import onnx
from torch import fx

from advmip.networks.architectures import Architecture
from advmip.networks.network import Network
from advmip.networks.onnx.constants import decoded, folded
from advmip.networks.onnx.graph import GraphBuilder
from advmip.networks.onnx.model import (
    check_kinds,
    check_model,
    image_input,
    logits,
    needed_nodes,
    opset,
    parsed,
    place,
)
from advmip.networks.onnx.operation import Operation
from advmip.networks.onnx.operators import TRANSLATORS
from advmip.networks.onnx.values import Value


def read_onnx(file: Path) -> Network:
    """Read a classifier from an ONNX file.

    Args:
        file: An ONNX file with one input, (batch, C, H, W) or (batch, n), and one output,
            (batch, classes). The batch is symbolic or 1; the network takes any batch either way.

    Returns:
        The network, frozen. It takes images (N, C, H, W), or (N, 1, 1, n) if the file's input has
        two axes, and does not normalise them.

    Raises:
        InputError: The file is damaged, its external data is missing, an operator or a setting
            of one is not supported, a weight is not finite, or the shapes are no classifier's.
    """
    model = parsed(file)
    protos = needed_nodes(model.graph)
    check_kinds(file, model.graph, protos, [*TRANSLATORS, "Constant"])
    check_model(file, model)
    input_name, input_shape = image_input(file, model.graph)
    builder = GraphBuilder()
    values: dict[str, Value] = {input_name: builder.images(input_shape)}
    for operation in _operations(file, model, protos, values):
        values[operation.proto.output[0]] = (
            folded(operation)
            if operation.is_constant
            else TRANSLATORS[operation.proto.op_type](builder, operation)
        )
    body = builder.module(logits(file, model.graph, values))
    return Network(_architecture(file, input_shape, body), body).frozen()


def _operations(
    file: Path,
    model: onnx.ModelProto,
    protos: list[tuple[int, onnx.NodeProto]],
    values: dict[str, Value],
) -> Iterator[Operation]:
    """The nodes in order, each with its operands; `values` must hold what the ones before gave."""
    weights = {initializer.name: initializer for initializer in model.graph.initializer}
    for position, proto in protos:
        for name in proto.input:
            if name not in values and name in weights:
                values[name] = decoded(file, weights[name])
        operation = Operation(
            proto=proto,
            place=place(file, model.graph, position, proto),
            label=f"{proto.op_type.lower()}_{position}",
            opset=opset(model),
            operands=tuple(values.get(name) if name else None for name in proto.input),
        )
        for name in proto.input:
            if name and name not in values:
                raise operation.refused(
                    f"input {name!r}, which is neither a plain weight nor a first output of a node",
                    "an input of that kind",
                )
        yield operation


def _architecture(file: Path, input_shape: tuple[int, ...], body: fx.GraphModule) -> Architecture:
    channels, height, width = input_shape if len(input_shape) == 3 else (1, 1, *input_shape)
    return Architecture(
        name="onnx",
        paper_name=file.stem,
        dataset="",
        input_shape=(channels, height, width),
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        augmented=False,
        build=lambda: copy.deepcopy(body),
    )
