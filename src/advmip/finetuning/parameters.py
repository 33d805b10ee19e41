"""The trainable parameters of a network as one vector w, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call


@dataclass(frozen=True)
class Coordinates:
    """Where one parameter tensor lies in the vector of all parameters."""

    name: str
    start: int
    stop: int
    shape: torch.Size


class ParameterVector:
    """The order in which a module's parameters stand in the vector w, shape (n,).

    Buffers (batch-norm statistics) are no parameters: they stay as they are.
    """

    def __init__(self, body: nn.Module) -> None:
        self.entries: list[Coordinates] = []
        start = 0
        for name, parameter in body.named_parameters():
            stop = start + parameter.numel()
            self.entries.append(Coordinates(name, start, stop, parameter.shape))
            start = stop
        self.count = start

    def flatten(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """Joins tensors by parameter name into one vector of shape (n,)."""
        return torch.cat([tensors[entry.name].reshape(-1) for entry in self.entries])

    def unflatten(self, vector: Tensor) -> dict[str, Tensor]:
        """Cuts a vector of shape (n,) into tensors by parameter name (views where possible)."""
        return {
            entry.name: vector[entry.start : entry.stop].view(entry.shape) for entry in self.entries
        }

    def of(self, body: nn.Module) -> Tensor:
        """The parameters of ``body`` as one detached vector."""
        return self.flatten({name: p.detach() for name, p in body.named_parameters()})

    def call(self, body: nn.Module, vector: Tensor, inputs: Tensor) -> Tensor:
        """Outputs of ``body`` with the parameters of ``vector``: logits of shape (N, classes)."""
        outputs: Tensor = functional_call(body, self.unflatten(vector), (inputs,))
        return outputs


def distance(before: nn.Module, after: nn.Module) -> float:
    """||w - w_hat|| of two bodies of the same architecture."""
    parameters = ParameterVector(before)
    old, new = (parameters.of(body).double() for body in (before, after))
    return float((new - old).norm())
