"""Convolutions, then linear layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from advmip.datasets.dataset import CLASSES
from advmip.networks.architectures.architecture import Shape

# Output channels, kernel, stride and padding.
Convolution = tuple[int, int, int, int]

POOL = None


class ConvolutionalNetwork(nn.Module):
    """Two convolutions of stride 2 and two linear layers, with ReLUs in between.

    Args:
        channels: Output channels of the two convolutions.
        hidden: Units of the first linear layer.
        input_shape: Channels, height and width of an image.
    """

    def __init__(self, channels: tuple[int, int], hidden: int, input_shape: Shape) -> None:
        super().__init__()
        depth, height, width = input_shape
        self.conv1 = nn.Conv2d(depth, channels[0], 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(channels[0], channels[1], 3, stride=2, padding=1)
        # Each convolution of stride 2 and padding 1 halves a side, rounded up.
        pixels = -(-height // 4) * -(-width // 4)
        self.fc1 = nn.Linear(channels[1] * pixels, hidden)
        self.output = nn.Linear(hidden, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (N, 10) of inputs (N, C, H, W)."""
        hidden = torch.relu(self.conv1(inputs))
        hidden = torch.relu(self.conv2(hidden))
        hidden = torch.relu(self.fc1(hidden.flatten(1)))
        logits: Tensor = self.output(hidden)
        return logits


class LayeredNetwork(nn.Module):
    """Convolutions with ReLUs, pooling between them, then linear layers, as ERAN's networks.

    Args:
        convolutions: For each its output channels, kernel, stride and padding, or `POOL`, which
            halves both sides by the largest of 2x2 pixels.
        hidden: Units of the hidden linear layers.
        input_shape: Channels, height and width of an image.
    """

    def __init__(
        self,
        convolutions: tuple[Convolution | None, ...],
        hidden: tuple[int, ...],
        input_shape: Shape,
    ) -> None:
        super().__init__()
        channels = input_shape[0]
        layers: list[nn.Module] = []
        for convolution in convolutions:
            if convolution is POOL:
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(channels, *convolution), nn.ReLU()]
                channels = convolution[0]
        layers.append(nn.Flatten())
        with torch.no_grad():
            features = nn.Sequential(*layers)(torch.zeros(1, *input_shape)).shape[1]
        for width in hidden:
            layers += [nn.Linear(features, width), nn.ReLU()]
            features = width
        self.layers = nn.Sequential(*layers, nn.Linear(features, CLASSES))

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (N, 10) of inputs (N, C, H, W)."""
        logits: Tensor = self.layers(inputs)
        return logits


def wong_kolter_network(channels: tuple[int, int], hidden: int, input_shape: Shape) -> nn.Module:
    """Wong & Kolter's network of MNIST, with 16 and 32 channels and 100 units, or a smaller one.

    Args:
        channels: Output channels of the two convolutions, 4x4 with a stride of 2.
        hidden: Units of the first linear layer.
        input_shape: Channels, height and width of an image.
    """
    depth, height, width = input_shape
    return nn.Sequential(
        nn.Conv2d(depth, channels[0], 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(channels[0], channels[1], 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(channels[1] * (height // 4) * (width // 4), hidden),
        nn.ReLU(),
        nn.Linear(hidden, CLASSES),
    )
