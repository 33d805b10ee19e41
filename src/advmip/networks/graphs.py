"""Networks from graphs of torch, wherever those were read."""

from __future__ import annotations

import copy
import logging
import math
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from advmip.errors import InputError, one_line
from advmip.layout import Layout, Shape
from advmip.networks.architectures import Architecture
from advmip.networks.layouts import layout_of
from advmip.networks.network import Network
from advmip.networks.staging import OPERATIONS

# What keeps the order of a network's outputs, so that a classifier's answers are the same without.
_SQUASHING: dict[Any, str] = {
    **{getattr(nn, name): name for name in ("Softmax", "LogSoftmax", "Sigmoid", "LogSigmoid")},
    **dict.fromkeys((torch.softmax, functional.softmax, "softmax"), "Softmax"),
    **dict.fromkeys((torch.log_softmax, functional.log_softmax, "log_softmax"), "LogSoftmax"),
    **dict.fromkeys((torch.sigmoid, "sigmoid"), "Sigmoid"),
    functional.logsigmoid: "LogSigmoid",
}
# Sizes of batches that a network must take, which are no sizes of anything else.
_BATCHES = (1, 3)

_log = logging.getLogger(__name__)


def network_of_graph(
    graph: fx.GraphModule,
    *,
    name: str,
    title: str,
    input_shape: Shape,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    layout: str | None,
    subject: str,
) -> Network:
    """The network that a graph computes; its outputs are a row for each image.

    A softmax or sigmoid that the graph ends in is left out, which is logged: the network gives its
    logits.

    Args:
        graph: From images (N, ...) to outputs (N, ...).
        name: Of the kind of network.
        title: Of this one.
        input_shape: The shape of an image, without a batch axis.
        mean: Per channel, what is subtracted from images.
        std: Per channel, what they are then divided by.
        layout: What the axes of an image mean (`Layout.said`); found from the graph if left out.
        subject: What the network is called in messages.

    Raises:
        InputError: The graph has an operation that is not supported, does not take such images, or
            does not give as many outputs for each of them; or the layout does not fit.
    """
    left_out = _without_squashing(graph, subject)
    unknown = OPERATIONS.unknown(graph)
    if unknown is not None:
        raise unknown
    width = _outputs(graph, input_shape, subject)
    if width is not None:
        (output,) = (node for node in graph.graph.nodes if node.op == "output")
        with graph.graph.inserting_before(output):
            row = graph.graph.call_method("reshape", (output.args[0], -1, width))
        output.args = (row,)
        graph.recompile()
    known = (
        layout_of(graph, input_shape, subject)
        if layout is None
        else Layout.said(layout, input_shape, subject)
    )
    architecture = Architecture(
        name=name,
        paper_name=title,
        dataset="",
        input_shape=input_shape,
        mean=mean,
        std=std,
        augmented=False,
        build=lambda: copy.deepcopy(graph),
        layout=known,
        left_out=left_out,
    )
    return Network(architecture, graph).frozen()


def _without_squashing(graph: fx.GraphModule, subject: str) -> str:
    """Leave out a last softmax or sigmoid over the outputs; its name, empty if there is none."""
    (output,) = (node for node in graph.graph.nodes if node.op == "output")
    last = output.args[0]
    if not isinstance(last, fx.Node) or not last.op.startswith("call"):
        return ""
    module = graph.get_submodule(str(last.target)) if last.op == "call_module" else None
    found = _SQUASHING.get(last.target if module is None else type(module), "")
    if not found:
        return ""
    dim = last.kwargs.get("dim", next(iter(last.args[1:]), None))
    dim = getattr(module, "dim", dim)
    if found.endswith("Softmax") and dim not in (None, 1, -1):
        return ""
    output.args = (last.args[0],)
    graph.graph.eliminate_dead_code()
    graph.delete_all_unused_submodules()
    graph.recompile()
    _log.info("%s: its last %s is left out, which changes no order of the outputs", subject, found)
    return found


def _outputs(graph: fx.GraphModule, shape: Shape, subject: str) -> int | None:
    """How many outputs there are for an image, None if they are a row already."""
    kinds = (tensor.dtype for tensor in graph.state_dict().values() if tensor.is_floating_point())
    precision = next(kinds, torch.float32)
    for batch in _BATCHES:
        found: Any
        values = torch.linspace(-1.0, 1.0, batch * math.prod(shape), dtype=precision)
        images = values.reshape(batch, *shape).clone()
        try:
            with torch.no_grad():
                found = graph(images)
        except Exception as error:  # whatever torch raises for shapes that do not fit
            raise InputError(
                subject=subject,
                found=f"{one_line(error)}, for images of shape {(batch, *shape)}",
                expected=f"a network of images of shape {shape} in batches of any size",
                mend="correct the shape of the input, or write the network for batches",
            ) from error
        is_row = isinstance(found, torch.Tensor) and found.shape[:1] == (batch,) and found.numel()
        if not is_row:
            raise InputError(
                subject=f"{subject}, outputs",
                found=f"{_written(found)} for images of shape {(batch, *shape)}",
                expected="one tensor of numbers for each image, the batch as its first axis",
                mend="correct the shape of the input, or write the network for batches",
            )
        if not torch.equal(images.flatten(), values):
            raise InputError(
                subject=subject,
                found="an operation in place that overwrites the images",
                expected="images that stay as they are",
                mend="use the operation that gives a new value",
            )
    return None if found.ndim == 2 else math.prod(found.shape[1:])


def _written(outputs: Any) -> str:
    """The shape of outputs in words."""
    if isinstance(outputs, torch.Tensor):
        return f"a tensor of shape {tuple(outputs.shape)}"
    return f"a {type(outputs).__name__}"
