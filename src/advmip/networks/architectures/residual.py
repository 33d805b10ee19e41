"""Residual networks."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from advmip.datasets.dataset import CLASSES
from advmip.networks.architectures.architecture import Shape

# Output channels and stride.
Block = tuple[int, int]


class ResidualBlock(nn.Module):
    """Two convolutions with batch norm, added to the input or to its 1x1 downsampling.

    Args:
        depth: Input channels.
        channels: Output channels.
        stride: Stride of the first convolution.
    """

    def __init__(self, depth: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(depth, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or depth != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(depth, channels, 1, stride=stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, inputs: Tensor) -> Tensor:
        """Features (N, channels, H / stride, W / stride) of inputs (N, depth, H, W)."""
        hidden = torch.relu(self.bn1(self.conv1(inputs)))
        return torch.relu(self.bn2(self.conv2(hidden)) + self.downsample(inputs))


class ResidualNetwork(nn.Module):
    """A convolution, three stages of residual blocks, average pooling and a linear layer.

    The second and third stage each halve the image.

    Args:
        channels: Channels of the three stages; the first convolution has those of the first.
        blocks: Residual blocks in each stage.
        input_shape: Channels, height and width of an image.
    """

    def __init__(self, channels: tuple[int, int, int], blocks: int, input_shape: Shape) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(input_shape[0], channels[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels[0])
        self.layer1 = _stage(channels[0], channels[0], blocks, stride=1)
        self.layer2 = _stage(channels[0], channels[1], blocks, stride=2)
        self.layer3 = _stage(channels[1], channels[2], blocks, stride=2)
        self.output = nn.Linear(channels[2], CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (N, 10) of inputs (N, C, H, W)."""
        hidden = torch.relu(self.bn1(self.conv1(inputs)))
        hidden = self.layer3(self.layer2(self.layer1(hidden)))
        logits: Tensor = self.output(hidden.mean(dim=(2, 3)))
        return logits


def _stage(depth: int, channels: int, blocks: int, stride: int) -> nn.Sequential:
    first = ResidualBlock(depth, channels, stride)
    return nn.Sequential(first, *(ResidualBlock(channels, channels, 1) for _ in range(1, blocks)))


class ShortcutBlock(nn.Module):
    """Two convolutions, added to a shortcut, which is one as well: no batch norm, no identity.

    With a stride of 1 they are 3x3 and the shortcut 1x1; with a stride of 2 the first is 4x4 and
    the shortcut 2x2.

    Args:
        depth: Input channels.
        channels: Output channels.
        stride: Stride of the first convolution, 1 or 2.
    """

    def __init__(self, depth: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(depth, channels, 2 + stride, stride=stride, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.shortcut = nn.Conv2d(depth, channels, stride, stride=stride)

    def forward(self, inputs: Tensor) -> Tensor:
        """Features (N, channels, H / stride, W / stride) of inputs (N, depth, H, W)."""
        hidden = torch.relu(self.conv1(inputs))
        return torch.relu(self.conv2(hidden) + self.shortcut(inputs))


def shortcut_network(
    first: Block, blocks: tuple[Block, ...], hidden: int, input_shape: Shape
) -> nn.Module:
    """The residual network of Wong et al. (2018) for CIFAR-10, or a smaller one.

    Theirs is a convolution of 16 channels, four blocks of 16, 16, 32 and 64 channels, and 1,000
    units: 107,496 neurons.

    Args:
        first: Channels and stride of the first convolution, 3x3 or, with a stride of 2, 4x4.
        blocks: Channels and stride of each block.
        hidden: Units of the hidden linear layer.
        input_shape: Channels, height and width of an image; the sides are multiples of all strides.
    """
    depth, height, width = input_shape
    (channels, stride), every = first, (first, *blocks)
    shrinking = math.prod(stride for _, stride in every)
    pixels = (height // shrinking) * (width // shrinking)
    return nn.Sequential(
        nn.Conv2d(depth, channels, 2 + stride, stride=stride, padding=1),
        nn.ReLU(),
        *(ShortcutBlock(before, *block) for (before, _), block in pairwise(every)),
        nn.Flatten(),
        nn.Linear(every[-1][0] * pixels, hidden),
        nn.ReLU(),
        nn.Linear(hidden, CLASSES),
    )
