"""From an ONNX file to a network, node by node; nothing in the file is executed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx
import torch

from advmip.networks.graphs import network_of_graph
from advmip.networks.network import Network
from advmip.networks.onnx.constants import decoded, folded
from advmip.networks.onnx.graph import GraphBuilder
from advmip.networks.onnx.model import (
    OF_SHAPES,
    check_kinds,
    check_model,
    image_input,
    needed_nodes,
    opset,
    outputs,
    parsed,
    place,
    precision,
)
from advmip.networks.onnx.operation import Operation
from advmip.networks.onnx.operators import LAST, TRANSLATORS
from advmip.networks.onnx.values import Value


def read_onnx(file: Path, layout: str | None = None) -> Network:
    """Read a network from an ONNX file.

    Args:
        file: An ONNX file with one input, (batch, ...), and one output, (batch, ...), which is read
            as a row. The batch is symbolic or 1; the network takes any batch either way.
        layout: What the axes of the input mean (`Layout.said`); found from the graph if left out.

    Returns:
        The network, frozen. It takes images of the input's own shape, in the file's precision, and
        does not normalise them.

    Raises:
        InputError: The file is damaged, its external data is missing, an operator or a setting
            of one is not supported, a weight is not finite, or the shapes are no network's.
    """
    model = parsed(file)
    protos = needed_nodes(model.graph)
    check_kinds(file, model.graph, protos, TRANSLATORS, LAST)
    check_model(file, model)
    input_name, input_shape = image_input(file, model.graph)
    builder = GraphBuilder(precision(file, model.graph, protos))
    values: dict[str, Value] = {input_name: builder.images(input_shape)}
    for operation in _operations(file, model, protos, values, builder.precision):
        kind = operation.proto.op_type
        if kind in OF_SHAPES:
            operation = operation.of_shapes()
        results = (
            folded(operation)
            if operation.is_constant
            else (TRANSLATORS | LAST)[kind](builder, operation)
        )
        several = results if isinstance(results, tuple) else (results,)
        values.update(zip(operation.proto.output, several, strict=False))
    return network_of_graph(
        builder.module(outputs(file, model.graph, values)),
        name="onnx",
        title=file.name.split(".onnx")[0],
        input_shape=input_shape,
        mean=(0.0,),
        std=(1.0,),
        layout=layout,
        subject=f"network {file}",
    )


def _operations(
    file: Path,
    model: onnx.ModelProto,
    protos: list[tuple[int, onnx.NodeProto]],
    values: dict[str, Value],
    dtype: torch.dtype,
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
            precision=dtype,
            operands=tuple(values.get(name) if name else None for name in proto.input),
        )
        for name in proto.input:
            if name and name not in values:
                raise operation.refused(
                    f"input {name!r}, which is neither a plain weight nor a first output of a node",
                    "an input of that kind",
                )
        yield operation
