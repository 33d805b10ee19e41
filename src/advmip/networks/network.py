"""A network with its weights: pixels in, logits out."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn

from advmip.networks.architectures import Architecture


class Network(nn.Module):
    """An architecture's module behind its normalisation of pixels.

    Attributes:
        architecture: What it is built like.
        body: The module itself, which takes normalised inputs.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, architecture: Architecture, body: nn.Module) -> None:
        super().__init__()
        self.architecture = architecture
        self.body = body
        for name, values in (("mean", architecture.mean), ("std", architecture.std)):
            per_channel = torch.tensor(values).reshape(1, -1, 1, 1)
            self.register_buffer(name, per_channel, persistent=False)
        self._identity = set(architecture.mean) == {0.0} and set(architecture.std) == {1.0}

    def normalise(self, images: Tensor) -> Tensor:
        """Inputs of the body (N, C, H, W) from images (N, C, H, W) in [0, 1]."""
        return images if self._identity else (images - self.mean) / self.std

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, 10) of images (N, C, H, W) in [0, 1]."""
        logits: Tensor = self.body(self.normalise(images))
        return logits

    @torch.no_grad()
    def answer(self, image: NDArray[np.floating]) -> int:
        """The class that the network gives an image (C, H, W) in [0, 1], in float32."""
        return int(self(torch.from_numpy(image[None]).float()).argmax())

    @property
    def digest(self) -> str:
        """SHA-256 over everything that decides the outputs: names, shapes and float values.

        Batch norm's count of batches is left out: it is bookkeeping of training. A network that
        was read as a graph has no architecture of ours, so its graph and settings count too.
        """
        digest = hashlib.sha256()
        if isinstance(self.body, fx.GraphModule):
            digest.update(_wiring(self.body).encode())
        for name, tensor in sorted(self.body.state_dict().items()):
            if tensor.is_floating_point():
                digest.update(f"{name}{tuple(tensor.shape)}".encode())
                digest.update(tensor.detach().cpu().contiguous().numpy().astype("<f4").tobytes())
        return digest.hexdigest()

    def frozen(self) -> Network:
        """The network itself, in evaluation mode and with gradients of the weights off."""
        self.eval()
        self.requires_grad_(False)
        return self


def _wiring(body: fx.GraphModule) -> str:
    """What a graph computes, apart from its weights: its code and each layer's settings."""
    layers = [f"{name} {_settings(layer)}" for name, layer in body.named_modules() if name]
    return "\n".join([body.code, *sorted(layers)])


def _settings(layer: nn.Module) -> str:
    """Kind, strides, pads and the like; torch's own repr() leaves out some of them."""
    values = {
        name: value
        for name, value in vars(layer).items()
        if isinstance(value, bool | int | float | str | tuple)
        and not name.startswith("_")
        and name != "training"
    }
    return f"{type(layer).__name__} {sorted(values.items())}"


def new_network(architecture: Architecture, seed: int) -> Network:
    """A network with random weights, the same for the same seed.

    Torch's global generator is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network(architecture, architecture.build())
