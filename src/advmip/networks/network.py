"""A network with its weights: pixels in, logits out."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn

from advmip.errors import InputError
from advmip.layout import Layout
from advmip.networks.architectures import Architecture


class Network(nn.Module):
    """An architecture's module behind its normalisation of pixels.

    Attributes:
        architecture: What it is built like.
        body: The module itself, which takes normalised inputs.
        layout: What the axes of an image mean.
        file: Where it was read from, as that was named; None if it came from no file.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, architecture: Architecture, body: nn.Module) -> None:
        super().__init__()
        self.architecture = architecture
        self.body = body
        self.layout = architecture.layout or Layout(architecture.input_shape)
        self.file: Path | None = None
        self._identity = set(architecture.mean) == {0.0} and set(architecture.std) == {1.0}
        for name, values in (("mean", architecture.mean), ("std", architecture.std)):
            # One number does for an input of any axes that is not normalised.
            kept = torch.tensor(values[:1] if self._identity else values, dtype=_precision(body))
            sizes = (1, -1, *(1 for _ in architecture.input_shape[1:]))
            self.register_buffer(name, kept.reshape(sizes), persistent=False)

    def normalise(self, images: Tensor) -> Tensor:
        """Inputs of the body from images (N, C, H, W) in [0, 1], in the network's precision."""
        images = images.to(self.mean.dtype)
        return images if self._identity else (images - self.mean) / self.std

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, classes) of images (N, C, H, W), or of the input's own axes, in [0, 1]."""
        logits: Tensor = self.body(self.normalise(images))
        return logits

    @torch.no_grad()
    def answer(self, image: NDArray[np.floating]) -> int:
        """The class that the network gives an image in [0, 1], in its own precision.

        Raises:
            InputError: The image has another shape than the network's input.
        """
        # Torch takes no arrays that are stepped through backwards.
        own = np.ascontiguousarray(self.layout.own(image)[None])
        return int(self(torch.from_numpy(own)).argmax())

    @torch.no_grad()
    def outputs(self) -> int:
        """How many outputs the network gives for an image."""
        return int(self(torch.zeros(1, *self.layout.shape, device=self.mean.device)).shape[1])

    def with_two_classes(self) -> Network:
        """The network that a single logit z means: class 1 where z is above 0, else class 0.

        Its logits are 0 and z, as for a last sigmoid that is cut at a half.

        Raises:
            InputError: The network has another number of outputs.
        """
        if self.outputs() != 1:
            raise InputError(
                subject=f"network {self.architecture.paper_name}",
                found=f"{self.outputs()} outputs",
                expected="a single one, which two classes can be read from",
                mend="take the network as it is",
            )
        classes = nn.Linear(1, 2, bias=False, dtype=_precision(self.body))
        classes.load_state_dict({"weight": torch.tensor([[0.0], [1.0]])})
        body = fx.symbolic_trace(nn.Sequential(self.body, classes))
        architecture = replace(self.architecture, build=lambda: copy.deepcopy(body))
        return Network(architecture, body).frozen()

    def laid_out(self, layout: Layout) -> Network:
        """The same network, with the same weights, whose images have this layout."""
        return Network(replace(self.architecture, layout=layout), self.body).frozen()

    @property
    def digest(self) -> str:
        """SHA-256 over everything that decides the outputs: names, shapes and values.

        Batch norm's count of batches is left out: it is bookkeeping of training. A network that
        was read as a graph has no architecture of ours, so its graph and settings count too.
        """
        digest = hashlib.sha256()
        if isinstance(self.body, fx.GraphModule):
            digest.update(_wiring(self.body).encode())
        for name, tensor in sorted(self.body.state_dict().items()):
            if name.endswith("num_batches_tracked"):
                continue
            digest.update(f"{name}{tuple(tensor.shape)}".encode())
            kind = "<f4" if tensor.is_floating_point() else "<i8"
            kind = "<f8" if tensor.dtype == torch.float64 else kind
            digest.update(tensor.detach().cpu().contiguous().numpy().astype(kind).tobytes())
        return digest.hexdigest()

    def frozen(self) -> Network:
        """The network itself, in evaluation mode and with gradients of the weights off."""
        self.eval()
        self.requires_grad_(False)
        return self


def _precision(body: nn.Module) -> torch.dtype:
    """The type of a module's numbers; float32 if it has none."""
    kinds = (tensor.dtype for tensor in body.state_dict().values() if tensor.is_floating_point())
    return next(kinds, torch.float32)


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
