"""What enters a network's ReLUs, asked of the network itself."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional


def relu_inputs(network: nn.Module, images: Tensor) -> list[Tensor]:
    """What enters each ReLU, in the order of computation, and last the logits.

    Args:
        network: A network in evaluation mode.
        images: Images (N, C, H, W) in the network's precision.

    Returns:
        One tensor (N, width) for each.
    """
    recorder = _Recorder(fx.symbolic_trace(network).eval())
    with torch.no_grad():
        logits = recorder.run(images)
    return [values.flatten(1) for values in (*recorder.entering, logits)]


class _Recorder(fx.Interpreter):
    """Runs a graph and keeps what its ReLUs are given."""

    def __init__(self, graph: fx.GraphModule) -> None:
        super().__init__(graph)
        self.entering: list[Tensor] = []

    def run_node(self, n: fx.Node) -> Any:
        if self._is_relu(n):
            self.entering.append(self.fetch_args_kwargs_from_env(n)[0][0].clone())
        return super().run_node(n)

    def _is_relu(self, node: fx.Node) -> bool:
        if node.op == "call_module":
            return isinstance(self.fetch_attr(str(node.target)), nn.ReLU)
        return node.target in ("relu", torch.relu, functional.relu)
