"""Linear layers alone."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from advmip.datasets.dataset import CLASSES
from advmip.networks.architectures.architecture import Shape


class DenseNetwork(nn.Module):
    """Linear layers with ReLUs in between, on the flattened image.

    Weights start as Keras draws them, Glorot uniform with biases 0, as in Zhu's thesis.

    Args:
        hidden: Units of the hidden layers.
        input_shape: Channels, height and width of an image.
    """

    def __init__(self, hidden: tuple[int, ...], input_shape: Shape) -> None:
        super().__init__()
        widths = (math.prod(input_shape), *hidden, CLASSES)
        layers = [nn.Linear(inputs, outputs) for inputs, outputs in pairwise(widths)]
        for layer in layers:
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.layers = nn.ModuleList(layers)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (N, 10) of inputs (N, C, H, W)."""
        hidden = inputs.flatten(1)
        for layer in self.layers[:-1]:
            hidden = torch.relu(layer(hidden))
        logits: Tensor = self.layers[-1](hidden)
        return logits
