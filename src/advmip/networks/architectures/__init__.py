"""The networks of the papers, and small ones of the same families.

Modules of Zhao & Kronqvist carry the parameter names of the authors' released weights, so that
those load as they are. Convolutions are 3x3 where nothing else is said; a stride of 2 halves the
image where other networks would pool.
"""

from __future__ import annotations

from functools import partial

from advmip.networks.architectures.architecture import Architecture, for_dataset
from advmip.networks.architectures.convolutional import (
    POOL,
    Convolution,
    ConvolutionalNetwork,
    LayeredNetwork,
    wong_kolter_network,
)
from advmip.networks.architectures.dense import DenseNetwork
from advmip.networks.architectures.residual import Block, ResidualNetwork, shortcut_network

__all__ = ["ARCHITECTURES", "Architecture"]

# Hidden layers, from Zhu's Table 1.
_ZHU_TABLE1 = {
    "DNN1": (8, 8, 8),
    "DNN2": (8, 8, 8, 8, 8, 8),
    "DNN3": (20, 10, 8, 8),
    "DNN4": (20, 10, 8, 8, 8),
    "DNN5": (20, 20, 10, 10, 10),
}

# The images of Ben Mhenni's networks; the digits stand for both.
_BEN_MHENNI_DATA = {"CIFAR": "cifar10", "MNIST": "mnist"}

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

# The first convolution, the blocks and the units of Wong et al.'s network, and of a smaller one.
_WONG_CIFAR10: dict[str, tuple[Block, tuple[Block, ...], int]] = {
    "verified_resnet": ((16, 1), ((16, 1), (16, 1), (32, 2), (64, 2)), 1000),
    "small_verified_resnet": ((8, 2), ((16, 2), (32, 2)), 100),
}

# How pixels are normalised: by Zhao & Kronqvist (Section 5), and by Wong et al., with one factor.
_RESNET8 = partial(
    for_dataset,
    paper_name="ResNet8",
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2023, 0.1994, 0.2010),
    augmented=True,
)
_WONG = partial(
    for_dataset, paper_name="LPd-res", mean=(0.485, 0.456, 0.406), std=(0.225, 0.225, 0.225)
)


ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        for_dataset("cnn_light", "CNNLight", "mnist", partial(ConvolutionalNetwork, (8, 16), 50)),
        for_dataset("cnn", "CNN", "mnist", partial(ConvolutionalNetwork, (16, 32), 100)),
        # "ResNet8" has two blocks a stage as released: 175,258 parameters, not 78,000.
        _RESNET8("resnet8", dataset="cifar10", build=partial(ResidualNetwork, (16, 32, 64), 2)),
        for_dataset(
            "digits_cnn_light", "CNNLight", "digits", partial(ConvolutionalNetwork, (8, 16), 24)
        ),
        for_dataset("digits_cnn", "CNN", "digits", partial(ConvolutionalNetwork, (16, 32), 48)),
        _RESNET8("shapes_resnet", dataset="shapes", build=partial(ResidualNetwork, (8, 16, 32), 1)),
        for_dataset(
            "verified_cnn", "LPd-cnn", "mnist", partial(wong_kolter_network, (16, 32), 100)
        ),
        for_dataset("verified_mlp", "Adv-mlp", "mnist", partial(DenseNetwork, (200, 200))),
        for_dataset(
            "digits_verified_cnn", "LPd-cnn", "digits", partial(wong_kolter_network, (4, 8), 16)
        ),
        for_dataset("digits_verified_mlp", "Adv-mlp", "digits", partial(DenseNetwork, (20, 20))),
        *(
            _WONG(name, dataset="cifar10", build=partial(shortcut_network, *sizes), augmented=True)
            for name, sizes in _WONG_CIFAR10.items()
        ),
        # The stand-in's shapes are drawn all over the place, which augmentation would not add to.
        _WONG(
            "shapes_verified_resnet",
            dataset="shapes",
            build=partial(shortcut_network, (4, 2), ((8, 2),), 16),
        ),
        *(
            for_dataset(f"{prefix}{name.lower()}", name, dataset, partial(DenseNetwork, hidden))
            for prefix, dataset in (("", "mnist"), ("digits_", "digits"))
            for name, hidden in _ZHU_TABLE1.items()
        ),
        *(
            for_dataset(
                f"{data}_{name}".lower(),
                f"{data}-{name}",
                _BEN_MHENNI_DATA[data],
                partial(LayeredNetwork, convolutions, hidden),
            )
            for (data, name), (convolutions, hidden) in _BEN_MHENNI_TABLE1.items()
        ),
        *(
            for_dataset(
                f"digits_{data}_{name}".lower(),
                f"{data}-{name}",
                "digits",
                partial(LayeredNetwork, (), hidden),
            )
            for (data, name), hidden in _BEN_MHENNI_STAND_INS.items()
        ),
    )
}
