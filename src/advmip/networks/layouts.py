"""What the axes of a network's input mean, as its graph reads them."""

from __future__ import annotations

import logging
import math
import operator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn
from torch.nn import functional

from advmip.layout import Layout, Shape

# What takes (batch, channels, height, width), and so says which axes those are.
_READERS = (
    nn.Conv2d,
    nn.BatchNorm2d,
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    nn.ConstantPad2d,
    functional.conv2d,
    functional.batch_norm,
    functional.max_pool2d,
    functional.avg_pool2d,
    functional.adaptive_avg_pool2d,
    "mean",
)
_ELEMENTWISE = (
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.neg),
    *(torch.add, torch.sub, torch.mul, torch.div, torch.neg, torch.relu, torch.clamp),
    *("add", "sub", "mul", "div", "neg", "relu", "clamp", "to", "float", "contiguous"),
    *(nn.ReLU, nn.Identity, nn.Dropout, functional.relu),
)
# What moves entries, and what tells sizes.
_MOVES = (
    *(nn.Flatten, nn.Unflatten, operator.getitem, getattr, torch.flatten, torch.reshape),
    *(torch.permute, torch.transpose, torch.squeeze, torch.unsqueeze, "flatten", "reshape"),
    *("view", "permute", "transpose", "squeeze", "unsqueeze", "unflatten", "size"),
)

_log = logging.getLogger(__name__)


def layout_of(body: fx.GraphModule, shape: Shape, name: str) -> Layout:
    """The layout of a network's input.

    It is what the first layer that tells channels from planes is given, after whatever transposes,
    reshapes or normalises the image before it. Where there is none, the shape decides. A layout
    other than channels, height and width is logged.

    Args:
        body: The graph.
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
    reader = _Places(body)
    reader.run(torch.arange(math.prod(shape)).reshape(1, *shape))
    return reader.found


class _Places(fx.Interpreter):
    """Runs a graph on the places of an image's entries, as far as they are only moved.

    Attributes:
        found: The places that the first layer of a kind that knows sees, None if there is none.
    """

    def __init__(self, body: fx.GraphModule) -> None:
        super().__init__(body)
        self.found: NDArray[np.intp] | None = None

    def run_node(self, n: fx.Node) -> Any:
        """The places in a value; None where they are not known."""
        if not n.op.startswith("call"):
            return super().run_node(n)
        kind = type(self.fetch_attr(str(n.target))) if n.op == "call_module" else n.target
        seen = [self.env[each] for each in n.all_input_nodes]
        places = [each for each in seen if _are_places(each)]
        if any(each is None for each in seen) or len(places) > 1:
            return None
        if places and kind in _READERS and places[0].ndim == 4:
            self.found = places[0][0].numpy() if self.found is None else self.found
            return None
        if places and kind in _ELEMENTWISE:
            shapes = [tuple(each.shape) for each in seen if isinstance(each, Tensor)]
            return places[0] if np.broadcast_shapes(*shapes) == shapes[0] else None
        return super().run_node(n) if kind in _MOVES else None


def _are_places(value: object) -> bool:
    return isinstance(value, Tensor) and value.dtype == torch.int64
