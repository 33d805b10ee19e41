"""What the axes of an ONNX file's input mean, as its graph reads them."""

from __future__ import annotations

import logging
import math
import operator
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from advmip.layout import Layout, Shape

# What takes (batch, channels, height, width), and so says which axes those are.
_READERS = (
    nn.Conv2d,
    nn.BatchNorm2d,
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    nn.ConstantPad2d,
)
_ELEMENTWISE = (operator.add, operator.sub, operator.mul, operator.truediv)

_log = logging.getLogger(__name__)


def layout_of(body: fx.GraphModule, shape: Shape, name: str) -> Layout:
    """The layout of a network's input.

    It is what the first layer that tells channels from planes is given, after whatever transposes,
    reshapes or normalises the image before it. Where there is none, the shape decides. A layout
    other than channels, height and width is logged.

    Args:
        body: The graph, of the kinds of operations that ONNX files become.
        shape: Of the input, without the batch.
        name: Of the network, for the log.
    """
    usual = Layout(shape)
    found = _read(body, shape)
    # Where all that a layer sees is one pixel, it tells nothing of neighbours.
    if found is not None and max(found.shape[1:]) > 1:
        layout, source = Layout(shape, found), "as its graph reads them"
    else:
        layout, source = Layout.guessed(shape), "by their shape"
    if np.array_equal(layout.planes, usual.planes):
        return usual
    _log.info("%s: images %s are laid out as %s, %s", name, shape, layout.words, source)
    return layout


def _read(body: fx.GraphModule, shape: Shape) -> Any:
    """The place of each channel, row and column that the first layer of a kind that knows sees."""
    places: dict[fx.Node, Tensor] = {}
    for node in body.graph.nodes:
        if node.op == "placeholder":
            places[node] = torch.arange(math.prod(shape)).reshape(1, *shape)
            continue
        seen = [places[each] for each in node.all_input_nodes if each in places]
        if len(seen) != 1:
            continue
        (value,) = seen
        module = body.get_submodule(str(node.target)) if node.op == "call_module" else None
        means = node.op == "call_method" and node.target == "mean"
        if value.ndim == 4 and (means or isinstance(module, _READERS)):
            return value[0].numpy()
        if isinstance(module, nn.ReLU):
            places[node] = value
        elif isinstance(module, nn.Flatten):
            places[node] = value.flatten(1)
        elif node.op == "call_method" and node.target in ("reshape", "permute"):
            places[node] = getattr(value, str(node.target))(*node.args[1:])
        elif node.target in _ELEMENTWISE and _stays(body, node, value):
            places[node] = value
    return None


def _stays(body: fx.GraphModule, node: fx.Node, value: Tensor) -> bool:
    """Whether a value keeps its shape beside the constant that it meets."""
    constants = (
        body.get_buffer(str(each.target)) for each in node.all_input_nodes if each.op == "get_attr"
    )
    return all(
        np.broadcast_shapes(tuple(constant.shape), tuple(value.shape)) == tuple(value.shape)
        for constant in constants
    )
