"""The torch graph that an ONNX file becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from advmip.errors import one_line
from advmip.networks.onnx.messages import DAMAGED
from advmip.networks.onnx.operation import Operation
from advmip.networks.onnx.values import Flow


class GraphBuilder:
    """A torch graph that grows operation by operation.

    Args:
        precision: What all of it is computed in, float32 or float64.
    """

    def __init__(self, precision: torch.dtype) -> None:
        self.precision = precision
        self._root = nn.Module()
        self._graph = fx.Graph()

    def images(self, shape: tuple[int, ...]) -> Flow:
        """The images, in the shape that the file's graph takes them in."""
        node = self._graph.placeholder("images")
        if len(shape) == 1:
            self._root.add_module("pixels", nn.Flatten())
            node = self._graph.call_module("pixels", (node,))
        return Flow(node, shape)

    def layer(self, operation: Operation, layer: nn.Module, flow: Flow, part: str = "") -> Flow:
        """Apply a module; `part` tells modules of the same node apart."""
        layer.eval().requires_grad_(False)
        try:
            shape = layer(torch.zeros(1, *flow.shape, dtype=self.precision)).shape[1:]
        except RuntimeError as error:
            raise operation.refused(
                f"shapes that do not fit: {one_line(error)}",
                "weights and settings that fit the input",
                DAMAGED,
            ) from error
        name = operation.label + part
        self._root.add_module(name, layer)
        return Flow(self._graph.call_module(name, (flow.node,)), tuple(shape))

    def combined(
        self,
        operation: Operation,
        function: Callable[[Any, Any], Any],
        first: Flow | Tensor,
        second: Flow | Tensor,
        part: str = "",
    ) -> Flow:
        """Combine two values, or a value and a constant, element by element."""
        rank = max(value.rank for value in (first, second) if isinstance(value, Flow))
        left, right = (
            self._buffer(operation, value, rank, part) if isinstance(value, Tensor) else value
            for value in (first, second)
        )
        # With fewer axes on one side, the batch would meet another axis.
        if left.rank != right.rank or not _broadcastable(left.shape, right.shape):
            raise operation.refused(
                f"shapes {left.written} and {right.written}",
                "shapes that fit, with the same number of axes",
            )
        shape = np.broadcast_shapes(left.shape, right.shape)
        return Flow(self._graph.call_function(function, (left.node, right.node)), shape)

    def _buffer(self, operation: Operation, constant: Tensor, rank: int, part: str) -> Flow:
        """A constant as a value of this rank that is the same for every image of a batch."""
        shape = (1,) * (rank - constant.ndim) + tuple(constant.shape)
        if len(shape) > rank or shape[0] != 1:
            raise operation.refused(
                f"a constant of shape {tuple(constant.shape)} beside a value with {rank} axes",
                "a constant that is the same for every image",
            )
        name = f"{operation.label}{part}_constant"
        self._root.register_buffer(name, constant.reshape(shape))
        return Flow(self._graph.get_attr(name), shape[1:])

    def reshaped(self, flow: Flow, shape: tuple[int, ...]) -> Flow:
        """Give each image's values another shape."""
        return Flow(self._graph.call_method("reshape", (flow.node, -1, *shape)), shape)

    def permuted(self, flow: Flow, order: tuple[int, ...]) -> Flow:
        """Reorder the axes; the batch, 0, stays first."""
        shape = tuple(flow.shape[axis - 1] for axis in order[1:])
        return Flow(self._graph.call_method("permute", (flow.node, *order)), shape)

    def mean(self, flow: Flow, keep: bool) -> Flow:
        """Average a value (batch, C, H, W) over height and width."""
        shape = (flow.shape[0], 1, 1) if keep else flow.shape[:1]
        node = self._graph.call_method("mean", (flow.node,), {"dim": (2, 3), "keepdim": keep})
        return Flow(node, shape)

    def is_rectified(self, flow: Flow) -> bool:
        """Whether a value comes straight from a ReLU."""
        node = flow.node
        return node.op == "call_module" and isinstance(
            self._root.get_submodule(str(node.target)), nn.ReLU
        )

    def module(self, result: Flow) -> fx.GraphModule:
        """The finished graph."""
        self._graph.output(result.node)
        self._graph.lint()
        return fx.GraphModule(self._root, self._graph)


def _broadcastable(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    return all(one == other or 1 in (one, other) for one, other in zip(first, second, strict=True))
