"""Tiny networks, once as the library's and once as plain matrices, and images on them."""

from __future__ import annotations

import numpy as np
import torch
from brute_force import CLASSES, SHAPE, TinyNetwork
from torch import nn

from advmip.networks import Architecture, Network


def as_network(tiny: TinyNetwork) -> Network:
    """The library's network of the same weights."""
    layers: list[nn.Module] = [nn.Flatten()]
    for weight, bias in zip(tiny.weights, tiny.biases, strict=True):
        layer = nn.Linear(weight.shape[1], weight.shape[0])
        layer.weight.data = torch.from_numpy(weight).float()
        layer.bias.data = torch.from_numpy(bias).float()
        layers += [layer, nn.ReLU()]
    body = nn.Sequential(*layers[:-1])
    architecture = Architecture(
        name="tiny",
        paper_name="tiny",
        dataset="",
        input_shape=SHAPE,
        mean=(0.0,),
        std=(1.0,),
        augmented=False,
        build=lambda: body,
    )
    # Float32 weights are what both see.
    tiny.weights = [weight.astype(np.float32).astype(np.float64) for weight in tiny.weights]
    tiny.biases = [bias.astype(np.float32).astype(np.float64) for bias in tiny.biases]
    assert tiny.biases[-1].shape == (CLASSES,)
    return Network(architecture, body).frozen()


def instance(
    seed: int, hidden: tuple[int, ...] = (3, 3)
) -> tuple[TinyNetwork, Network, np.ndarray, int]:
    """A network in both forms, an image (pixels,), and the class that the network gives it."""
    tiny = TinyNetwork(seed, hidden)
    network = as_network(tiny)
    image = np.random.default_rng(seed + 100).random(4).round(2)
    return tiny, network, image, int(np.argmax(tiny.logits(image)))
