"""The torch graph that an ONNX file becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.fx.node import map_aggregate

from advmip.errors import one_line
from advmip.networks.onnx.messages import DAMAGED
from advmip.networks.onnx.operation import Operation
from advmip.networks.onnx.values import BATCH, Flow

# How many images an operation is tried on, to see what becomes of their shape.
_IMAGES = 3


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

    def called(
        self, operation: Operation, function: Callable[..., Any] | str, *given: Any, **settings: Any
    ) -> Flow:
        """Call a function of torch, or by its name a method of tensors, on values."""

        def sample(argument: Any) -> Any:
            is_flow = isinstance(argument, Flow)
            return torch.zeros(_IMAGES, *argument.shape) if is_flow else argument

        own = getattr(Tensor, function) if isinstance(function, str) else function
        try:
            shape = own(*map_aggregate(given, sample), **settings).shape
        except (RuntimeError, IndexError, TypeError, ValueError, NotImplementedError) as error:
            raise operation.refused(
                f"shapes or settings that do not fit: {one_line(error)}",
                "those that torch can compute",
            ) from error
        if shape[:1] != (_IMAGES,):
            raise operation.refused("the batch among the axes", "axes behind the batch")
        nodes = map_aggregate(given, lambda each: each.node if isinstance(each, Flow) else each)
        node = (
            self._graph.call_method(function, nodes, settings)
            if isinstance(function, str)
            else self._graph.call_function(function, nodes, settings)
        )
        return Flow(node, tuple(shape[1:]))

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
        if (
            constant.ndim == rank
            and len(constant) == BATCH
            and bool((constant == constant[0]).all())
        ):
            constant = constant[:1]
        shape = (1,) * (rank - constant.ndim) + tuple(constant.shape)
        if len(shape) > rank or shape[0] != 1:
            raise operation.refused(
                f"a constant of shape {tuple(constant.shape)} beside a value with {rank} axes",
                "a constant that is the same for every image",
            )
        name = f"{operation.label}{part}_constant"
        self._root.register_buffer(name, constant.reshape(shape))
        return Flow(self._graph.get_attr(name), shape[1:])

    def repeated(self, operation: Operation, constant: Tensor, like: Flow, part: str) -> Flow:
        """A constant of a value's rank, once for each image of its batch."""
        flow = self._buffer(operation, constant, like.rank, part)
        images = self._graph.call_method("size", (like.node, 0))
        node = self._graph.call_method("expand", (flow.node, (images, *flow.shape)))
        return Flow(node, flow.shape)

    def module(self, result: Flow) -> fx.GraphModule:
        """The finished graph."""
        self._graph.output(result.node)
        self._graph.lint()
        return fx.GraphModule(self._root, self._graph)


def _broadcastable(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    return all(one == other or 1 in (one, other) for one, other in zip(first, second, strict=True))
