"""From an ONNX file to a network, node by node; nothing in the file is executed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import onnx
import torch
from torch import fx

from advmip.layout import Layout
from advmip.networks.architectures import Architecture
from advmip.networks.network import Network
from advmip.networks.onnx.constants import decoded, folded
from advmip.networks.onnx.graph import GraphBuilder
from advmip.networks.onnx.layouts import layout_of
from advmip.networks.onnx.model import (
    check_kinds,
    check_model,
    image_input,
    logits,
    needed_nodes,
    opset,
    parsed,
    place,
    precision,
)
from advmip.networks.onnx.operation import Operation
from advmip.networks.onnx.operators import TRANSLATORS
from advmip.networks.onnx.values import Value


def read_onnx(file: Path, layout: str | None = None) -> Network:
    """Read a classifier from an ONNX file.

    Args:
        file: An ONNX file with one input, (batch, ...), and one output, (batch, classes). The batch
            is symbolic or 1; the network takes any batch either way.
        layout: What the axes of the input mean (`Layout.said`); found from the graph if left out.

    Returns:
        The network, frozen. It takes images of the input's own shape, in the file's precision, and
        does not normalise them.

    Raises:
        InputError: The file is damaged, its external data is missing, an operator or a setting
            of one is not supported, a weight is not finite, or the shapes are no classifier's.
    """
    model = parsed(file)
    protos = needed_nodes(model.graph)
    check_kinds(file, model.graph, protos, [*TRANSLATORS, "Constant"])
    check_model(file, model)
    input_name, input_shape = image_input(file, model.graph)
    builder = GraphBuilder(precision(file, model.graph, protos))
    values: dict[str, Value] = {input_name: builder.images(input_shape)}
    for operation in _operations(file, model, protos, values, builder.precision):
        values[operation.proto.output[0]] = (
            folded(operation)
            if operation.is_constant
            else TRANSLATORS[operation.proto.op_type](builder, operation)
        )
    body = builder.module(logits(file, model.graph, values))
    name = f"network {file}"
    known = (
        layout_of(body, input_shape, name)
        if layout is None
        else Layout.said(layout, input_shape, name)
    )
    return Network(_architecture(file, known, body), body).frozen()


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


def _architecture(file: Path, layout: Layout, body: fx.GraphModule) -> Architecture:
    channels = len(layout.planes)
    return Architecture(
        name="onnx",
        paper_name=file.stem,
        dataset="",
        input_shape=layout.shape,
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        augmented=False,
        build=lambda: copy.deepcopy(body),
        layout=layout,
    )
