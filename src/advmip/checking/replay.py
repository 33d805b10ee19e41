"""A network as others run it: in its own precision, whose rounding is measured where it matters.

Libraries and batch sizes sum in different orders, so that what one run rounds to says little of
another. By how much a result may differ is measured at the point itself, on copies of it that
differ in their last digits and so are rounded differently.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch.func import functional_call

from advmip.networks.network import Network

Logits = NDArray[np.float64]
# By how much logits (classes,) exceed what is asked of them.
Surplus = Callable[[Logits], float]

_COPIES = 16
# The last two binary digits of float32 are those that the copies differ in.
_LAST_DIGITS = 2.0**-22
# Another library may round by so many times what is measured.
_SAFETY = 4.0


class Precision(StrEnum):
    """In which arithmetic the network itself confirms an adversarial image."""

    NONE = ""  # there is no image
    FLOAT32 = "float32"  # in float64, and in float32 by more than rounding
    FLOAT64 = "float64"  # in float64 alone

    @property
    def in_words(self) -> str:
        """As an answer says it."""
        return f"confirmed in {self}" if self is Precision.FLOAT32 else f"in {self} alone"


class Replay:
    """Runs a network on images, in float64 and in its own precision.

    Args:
        network: The network.
    """

    def __init__(self, network: Network) -> None:
        self._own = network
        tensors = (*network.named_parameters(), *network.named_buffers())
        self._double = {
            name: tensor.double() if tensor.is_floating_point() else tensor
            for name, tensor in tensors
        }
        self._dtype, self._device = network.mean.dtype, network.mean.device

    @torch.no_grad()
    def exact(self, images: NDArray[np.float64]) -> Logits:
        """Logits (N, classes) of images (N, ...) in float64."""
        inputs = torch.from_numpy(images).to(self._device)
        return np.asarray(functional_call(self._own, self._double, (inputs,)).cpu().numpy())

    @torch.no_grad()
    def rounded(self, images: NDArray[np.float64]) -> Logits:
        """Logits (N, classes) of images (N, ...) in the network's own precision."""
        inputs = torch.from_numpy(images).to(self._device, self._dtype)
        return np.asarray(self._own(inputs).cpu().double().numpy())

    def rounding(self, image: NDArray[np.float64], surplus: Surplus) -> float:
        """By how much a surplus at an image may be rounded in the network's own precision."""
        random = np.random.default_rng(0)
        shaken = random.uniform(-_LAST_DIGITS, _LAST_DIGITS, (_COPIES, *image.shape))
        copies = image * (1.0 + shaken)
        copies[0] = image
        pairs = zip(self.exact(copies), self.rounded(copies), strict=True)
        return _SAFETY * max(abs(surplus(exact) - surplus(rounded)) for exact, rounded in pairs)

    def precision(self, image: NDArray[np.float64], surplus: Surplus) -> Precision:
        """In which arithmetic an image has a positive surplus, if it has one in float64."""
        exact, rounded = (run(image[None])[0] for run in (self.exact, self.rounded))
        if not surplus(exact) > 0:
            return Precision.NONE
        confirmed = surplus(rounded) > 0 and surplus(exact) > self.rounding(image, surplus)
        return self.best if confirmed else Precision.FLOAT64

    @property
    def best(self) -> Precision:
        """The most that `precision` can say: a network in float64 is run in no other arithmetic."""
        return Precision.FLOAT64 if self._dtype == torch.float64 else Precision.FLOAT32
