"""The networks of the papers, and small ones of the same families.

Modules of Zhao & Kronqvist carry the parameter names of the authors' released weights, so that
those load as they are. Convolutions are 3x3; a stride of 2 halves the image where other networks
would pool.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from advmip.datasets.dataset import CLASSES
from advmip.layout import Layout

Shape = tuple[int, int, int]
# Output channels, kernel, stride and padding.
Convolution = tuple[int, int, int, int]
POOL = None
# Output channels and stride.
Block = tuple[int, int]


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


@dataclass(frozen=True)
class Architecture:
    """A network before it has weights.

    Attributes:
        name: The name in settings, rows and files.
        paper_name: The name in the paper, or that of the paper's network it stands for.
        dataset: The data set it classifies.
        input_shape: Channels, height and width of an image; another network's own, if it has one.
        mean: Per channel, what is subtracted from pixels in [0, 1].
        std: Per channel, what they are then divided by.
        augmented: Trained on randomly cropped and flipped images.
        build: Makes the module, with weights drawn from torch's global generator.
        layout: What the axes of the input mean, where they are not channels, height and width.
        left_out: A last layer that the module leaves out, since it changes no order of the outputs.
    """

    name: str
    paper_name: str
    dataset: str
    input_shape: tuple[int, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    augmented: bool
    build: Callable[[], nn.Module]
    layout: Layout | None = None
    left_out: str = ""


def _grey(
    name: str, paper_name: str, dataset: str, side: int, build: Callable[[Shape], nn.Module]
) -> Architecture:
    """An architecture for grey images in [0, 1] as they are."""
    shape = (1, side, side)
    return Architecture(
        name=name,
        paper_name=paper_name,
        dataset=dataset,
        input_shape=shape,
        mean=(0.0,),
        std=(1.0,),
        augmented=False,
        build=lambda: build(shape),
    )


def _convolutional(
    name: str, paper_name: str, dataset: str, side: int, channels: tuple[int, int], hidden: int
) -> Architecture:
    return _grey(
        name,
        paper_name,
        dataset,
        side,
        lambda shape: ConvolutionalNetwork(channels, hidden, shape),
    )


def _dense(
    name: str, paper_name: str, dataset: str, side: int, hidden: tuple[int, ...]
) -> Architecture:
    return _grey(name, paper_name, dataset, side, lambda shape: DenseNetwork(hidden, shape))


def _layered(
    name: str,
    paper_name: str,
    convolutions: tuple[Convolution | None, ...],
    hidden: tuple[int, ...],
) -> Architecture:
    """An architecture of Ben Mhenni's Table 1, for images in [0, 1] as they are."""
    dataset, shape = _BEN_MHENNI_DATA[name.partition("_")[0]]
    return Architecture(
        name=name,
        paper_name=paper_name,
        dataset=dataset,
        input_shape=shape,
        mean=(0.0,) * shape[0],
        std=(1.0,) * shape[0],
        augmented=False,
        build=lambda: LayeredNetwork(convolutions, hidden, shape),
    )


def _residual(
    name: str, dataset: str, side: int, channels: tuple[int, int, int], blocks: int
) -> Architecture:
    shape = (3, side, side)
    return Architecture(
        name=name,
        paper_name="ResNet8",
        dataset=dataset,
        input_shape=shape,
        # The paper's normalisation of CIFAR-10 (Section 5), kept for its stand-in.
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2023, 0.1994, 0.2010),
        augmented=True,
        build=lambda: ResidualNetwork(channels, blocks, shape),
    )


def _sequential(
    name: str, paper_name: str, dataset: str, side: int, channels: tuple[int, int], hidden: int
) -> Architecture:
    """Wong & Kolter's network of MNIST, with 16 and 32 channels and 100 units, or a smaller one."""

    def build(shape: Shape) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(shape[0], channels[0], 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels[0], channels[1], 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(channels[1] * (side // 4) ** 2, hidden),
            nn.ReLU(),
            nn.Linear(hidden, CLASSES),
        )

    return _grey(name, paper_name, dataset, side, build)


def _shortcut(
    name: str, dataset: str, side: int, first: Block, blocks: tuple[Block, ...], hidden: int
) -> Architecture:
    """The residual network of Wong et al. (2018) for CIFAR-10, or a smaller one.

    Theirs is a convolution of 16 channels, four blocks of 16, 16, 32 and 64 channels, and 1,000
    units: 107,496 neurons.

    Args:
        name: The name in settings, rows and files.
        dataset: The data set it classifies.
        side: Height and width of an image.
        first: Channels and stride of the first convolution, 3x3 or, with a stride of 2, 4x4.
        blocks: Channels and stride of each block.
        hidden: Units of the hidden linear layer.
    """
    shape = (3, side, side)

    def build() -> nn.Module:
        (channels, stride), every = first, (first, *blocks)
        pixels = (side // math.prod(stride for _, stride in every)) ** 2
        return nn.Sequential(
            nn.Conv2d(shape[0], channels, 2 + stride, stride=stride, padding=1),
            nn.ReLU(),
            *(ShortcutBlock(depth, *block) for (depth, _), block in pairwise(every)),
            nn.Flatten(),
            nn.Linear(every[-1][0] * pixels, hidden),
            nn.ReLU(),
            nn.Linear(hidden, CLASSES),
        )

    return Architecture(
        name=name,
        paper_name="LPd-res",
        dataset=dataset,
        input_shape=shape,
        # The normalisation of Wong et al.: one factor for all channels.
        mean=(0.485, 0.456, 0.406),
        std=(0.225, 0.225, 0.225),
        augmented=dataset == "cifar10",  # the stand-in's shapes are drawn all over the place
        build=build,
    )


# Blocks of Wong et al.'s residual network.
_WONG_BLOCKS = (16, 1), (16, 1), (32, 2), (64, 2)

# Hidden layers, from Zhu's Table 1.
_ZHU_TABLE1 = {
    "DNN1": (8, 8, 8),
    "DNN2": (8, 8, 8, 8, 8, 8),
    "DNN3": (20, 10, 8, 8),
    "DNN4": (20, 10, 8, 8, 8),
    "DNN5": (20, 20, 10, 10, 10),
}

# The images of Ben Mhenni's networks, by the beginning of their names; the digits stand for both.
_BEN_MHENNI_DATA: dict[str, tuple[str, Shape]] = {
    "mnist": ("mnist", (1, 28, 28)),
    "cifar": ("cifar10", (3, 32, 32)),
    "digits": ("digits", (1, 8, 8)),
}

# Ben Mhenni's Table 1 gives units and layers; these are ERAN's networks of the same names. What is
# printed of MaxPool (13,798 and 53,938 units) is met by exactly these channels and widths.
_SMALL, _MEDIUM = ((16, 4, 2, 0), (32, 4, 2, 0)), ((16, 4, 2, 1), (32, 4, 2, 1))


def _pooled(first: int, second: int) -> tuple[Convolution | None, ...]:
    """Two pairs of 3x3 convolutions, each with pooling behind it."""
    pairs = ((first, 3, 1, 0), (first, 3, 1, 0)), ((second, 3, 1, 0), (second, 3, 1, 0))
    return (*pairs[0], POOL, *pairs[1], POOL)


# Convolutions and hidden layers, by data and name.
_BEN_MHENNI_TABLE1: dict[
    tuple[str, str], tuple[tuple[Convolution | None, ...], tuple[int, ...]]
] = {
    ("CIFAR", "4x100"): ((), (100,) * 4),
    ("CIFAR", "6x100"): ((), (100,) * 6),
    ("CIFAR", "9x200"): ((), (200,) * 9),
    ("CIFAR", "ConvSmall"): (_SMALL, (100,)),
    ("CIFAR", "ConvMed"): (_MEDIUM, (1000,)),
    ("CIFAR", "MaxPool"): (_pooled(24, 32), (100, 100)),
    # On MNIST the layer of outputs is among those that the names count.
    ("MNIST", "3x50"): ((), (50,) * 2),
    ("MNIST", "3x100"): ((), (100,) * 2),
    ("MNIST", "6x100"): ((), (100,) * 5),
    ("MNIST", "9x200"): ((), (200,) * 8),
    ("MNIST", "ConvSmall"): (_SMALL, (100,)),
    ("MNIST", "ConvMed"): (_MEDIUM, (1000,)),
    ("MNIST", "MaxPool"): (_pooled(8, 14), (50, 50)),
}

# Small ones that stand for them at scale demo.
_BEN_MHENNI_STAND_INS = {
    ("CIFAR", "4x100"): (6,) * 4,
    ("MNIST", "3x50"): (8,) * 2,
    ("MNIST", "6x100"): (6,) * 5,
}

ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        _convolutional("cnn_light", "CNNLight", "mnist", 28, (8, 16), 50),
        _convolutional("cnn", "CNN", "mnist", 28, (16, 32), 100),
        # "ResNet8" has two blocks a stage as released: 175,258 parameters, not 78,000.
        _residual("resnet8", "cifar10", 32, (16, 32, 64), 2),
        _convolutional("digits_cnn_light", "CNNLight", "digits", 8, (8, 16), 24),
        _convolutional("digits_cnn", "CNN", "digits", 8, (16, 32), 48),
        _residual("shapes_resnet", "shapes", 16, (8, 16, 32), 1),
        _sequential("verified_cnn", "LPd-cnn", "mnist", 28, (16, 32), 100),
        _dense("verified_mlp", "Adv-mlp", "mnist", 28, (200, 200)),
        _sequential("digits_verified_cnn", "LPd-cnn", "digits", 8, (4, 8), 16),
        _dense("digits_verified_mlp", "Adv-mlp", "digits", 8, (20, 20)),
        _shortcut("verified_resnet", "cifar10", 32, (16, 1), _WONG_BLOCKS, 1000),
        _shortcut("small_verified_resnet", "cifar10", 32, (8, 2), ((16, 2), (32, 2)), 100),
        _shortcut("shapes_verified_resnet", "shapes", 16, (4, 2), ((8, 2),), 16),
        *(
            _dense(f"{prefix}{name.lower()}", name, dataset, side, hidden)
            for prefix, dataset, side in (("", "mnist", 28), ("digits_", "digits", 8))
            for name, hidden in _ZHU_TABLE1.items()
        ),
        *(
            _layered(f"{data}_{name}".lower(), f"{data}-{name}", convolutions, hidden)
            for (data, name), (convolutions, hidden) in _BEN_MHENNI_TABLE1.items()
        ),
        *(
            _layered(f"digits_{data}_{name}".lower(), f"{data}-{name}", (), hidden)
            for (data, name), hidden in _BEN_MHENNI_STAND_INS.items()
        ),
    )
}
