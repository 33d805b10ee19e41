"""An ONNX file as a whole: its parsing, its checks, its input and its output."""

from __future__ import annotations

import gzip
import logging
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path

import onnx
import torch
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import TensorProto, checker, inliner

from advmip.errors import InputError, one_line
from advmip.networks.onnx.messages import DAMAGED
from advmip.networks.onnx.values import FLOATS, Flow, Value

# Before opset 7, operators broadcast and normalise by rules of their own.
_OLDEST_OPSET = 7

# What depends on the shape of a value alone, of which only the batch is free.
OF_SHAPES = ("Shape", "Size")

_log = logging.getLogger(__name__)


def parsed(file: Path) -> onnx.ModelProto:
    """The model with its external data, not yet checked."""
    try:
        contents = file.read_bytes()
        if file.suffix == ".gz":
            contents = gzip.decompress(contents)
        model = onnx.load_model_from_string(contents)
    except (DecodeError, OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(
            subject=f"network {file}",
            found=f"not readable as ONNX ({one_line(error)})",
            expected="an ONNX model",
            mend=DAMAGED,
        ) from error
    try:
        onnx.load_external_data_for_model(model, str(file.parent))
    except (checker.ValidationError, OSError, ValueError) as error:
        raise InputError(
            subject=f"network {file}",
            found=f"weights in another file that cannot be read ({one_line(error)})",
            expected="that file, whole, beside the ONNX file",
            mend="copy it there too, or export the network into a single file",
        ) from error
    return inliner.inline_local_functions(model) if model.functions else model


def check_model(file: Path, model: onnx.ModelProto) -> None:
    """Check structure and versions; operators must have been checked before."""
    try:
        checker.check_model(model)
    except (checker.ValidationError, ValueError) as error:
        raise InputError(
            subject=f"network {file}",
            found=f"not a valid ONNX model ({one_line(error)})",
            expected="a model that onnx.checker accepts",
            mend=DAMAGED,
        ) from error
    newest = onnx.defs.onnx_opset_version()
    if not _OLDEST_OPSET <= opset(model) <= newest:
        raise InputError(
            subject=f"network {file}",
            found=f"operators of version (opset) {opset(model)}",
            expected=f"a version from {_OLDEST_OPSET} to {newest}",
            mend="convert the model with onnx.version_converter, or export it again",
        )


def opset(model: onnx.ModelProto) -> int:
    """The version of the standard operators, 0 where the model states none."""
    versions = [entry.version for entry in model.opset_import if _is_standard(entry.domain)]
    return versions[0] if versions else 0


def _is_standard(domain: str) -> bool:
    return domain in ("", "ai.onnx")


def needed_nodes(graph: onnx.GraphProto) -> list[tuple[int, onnx.NodeProto]]:
    """The nodes that the outputs depend on, each with its position in the file, from 1."""
    needed = {output.name for output in graph.output}
    found = []
    for position, proto in reversed(list(enumerate(graph.node, 1))):
        if needed.intersection(proto.output):
            needed.update(name for name in proto.input if name)
            found.append((position, proto))
    return found[::-1]


def check_kinds(
    file: Path,
    graph: onnx.GraphProto,
    protos: list[tuple[int, onnx.NodeProto]],
    known: Collection[str],
    last: Collection[str],
) -> None:
    """Check that the nodes are of known kinds, standard operators all of them.

    Args:
        file: Of the network.
        graph: What the nodes are of.
        protos: The nodes with their positions.
        known: The kinds that may depend on the image; constants may be of any.
        last: Those that may, as the last node.
    """
    outputs = {output.name for output in graph.output}
    flowing = _flowing(graph, protos)
    for position, proto in protos:
        standard = _is_standard(proto.domain)
        if standard and (proto.op_type in known or not flowing.intersection(proto.output)):
            continue
        if standard and proto.op_type in last and outputs.intersection(proto.output):
            continue
        raise InputError(
            subject=place(file, graph, position, proto),
            found=f"operator {'' if standard else proto.domain + '.'}{proto.op_type}",
            expected=f"only {', '.join(sorted(known))}, and at the end {', '.join(sorted(last))}",
            mend="replace the operator, or export the network without it",
        )


def _flowing(graph: onnx.GraphProto, protos: list[tuple[int, onnx.NodeProto]]) -> set[str]:
    """The names of values that depend on the image."""
    weights = {initializer.name for initializer in graph.initializer}
    found = {entry.name for entry in graph.input if entry.name not in weights}
    for _, proto in protos:
        if found.intersection(proto.input) and proto.op_type not in OF_SHAPES:
            found.update(proto.output)
    return found


def place(file: Path, graph: onnx.GraphProto, position: int, proto: onnx.NodeProto) -> str:
    """File, position, operator and name of a node, for messages."""
    name = repr(proto.name) if proto.name else "without a name"
    return f"network {file}, node {position} of {len(graph.node)}, {proto.op_type} {name}"


def precision(
    file: Path, graph: onnx.GraphProto, protos: list[tuple[int, onnx.NodeProto]]
) -> torch.dtype:
    """What the network is computed in: float64 if a double takes part in it, else float32.

    What mixes precisions, or is in float16, does not become what it was: that is logged.
    """
    stored = {initializer.name: initializer.data_type for initializer in graph.initializer}
    inputs = [entry for entry in graph.input if entry.name not in stored]
    flowing = _flowing(graph, protos)
    kinds = {entry.type.tensor_type.elem_type for entry in inputs}
    for _, proto in protos:
        if flowing.intersection(proto.output):
            kinds.update(stored[name] for name in proto.input if name in stored)
            kinds.update(entry.i for entry in proto.attribute if entry.name == "to")
    found = sorted(FLOATS[kind] for kind in kinds.intersection(FLOATS))
    dtype = torch.float64 if TensorProto.DOUBLE in kinds else torch.float32
    if found not in ([], ["float32"], ["float64"]):
        _log.info(
            "network %s: numbers in %s are all computed in %s",
            file,
            " and ".join(found),
            "float64" if dtype == torch.float64 else "float32",
        )
    return dtype


def image_input(file: Path, graph: onnx.GraphProto) -> tuple[str, tuple[int, ...]]:
    """The name of the input and its shape without the batch."""
    # Up to IR version 3, weights are listed as inputs too.
    weights = {initializer.name for initializer in graph.initializer}
    inputs = [entry for entry in graph.input if entry.name not in weights]
    shapes = [_written_shape(entry) for entry in inputs]
    if len(inputs) == 1:
        kind = inputs[0].type.tensor_type
        sizes = [int(dimension.dim_value) for dimension in kind.shape.dim]
        batch, sides = sizes[:1], sizes[1:]
        if (
            kind.elem_type in FLOATS
            and len(sizes) >= 2
            and batch[0] in (-1, 0, 1)
            and min(sides) > 0
        ):
            return inputs[0].name, tuple(sides)
    raise InputError(
        subject=f"network {file}, inputs",
        found=", ".join(shapes) or "no input",
        expected="one input of floats, such as (batch, C, H, W), (batch, H, W, C) or (batch, n), "
        "where only the batch is free, or 1",
        mend="export the network with one image input of a fixed size",
    )


def _written_shape(entry: onnx.ValueInfoProto) -> str:
    kind = entry.type.tensor_type
    sizes = [str(size.dim_param or size.dim_value or "?") for size in kind.shape.dim]
    names = {number: name.lower() for name, number in TensorProto.DataType.items()}
    values = names.get(kind.elem_type, f"type {kind.elem_type}")
    return f"{values} {entry.name} ({', '.join(sizes)})"


def outputs(file: Path, graph: onnx.GraphProto, values: Mapping[str, Value]) -> Flow:
    """The value that the graph ends in."""
    names = [output.name for output in graph.output]
    found = f"{len(names)} outputs"
    if len(names) == 1:
        last = values.get(names[0])
        if isinstance(last, Flow):
            return last
        found = f"{names[0]}, which does not depend on the image"
    raise InputError(
        subject=f"network {file}, outputs",
        found=found,
        expected="one output that depends on the image",
        mend="export the network so that its logits are all it gives",
    )
