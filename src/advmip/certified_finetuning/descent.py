"""Descent by gradients, from the weights that are there: what cuts are compared with.

What a user would do without them: a few more steps of training, on chosen images until they are
right, or on a bound of the loss in the balls around them.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from advmip.certified_finetuning.balls import Images
from advmip.datasets import Dataset
from advmip.mip.certified_training import CertifiedLoss
from advmip.networks import Network

_LEARNING_RATE = 3e-4
# Balls, and images among others, of a step.
_BALLS, _CLEAN = 50, 500
# The share of the time in which the radius grows.
_RAMP = 0.5


def descend_on_bounds(
    network: Network, train: Dataset, images: Images, epsilon: float, *, seconds: float, seed: int
) -> Network:
    """Trains a network on, on bounds of the loss around images and on that of clean ones (Adam).

    How many steps are taken depends on the machine.

    Args:
        network: The network whose weights are started from; it is not changed.
        train: The clean images.
        images: Images with their classes, of the network's input shape, in [0, 1].
        epsilon: The radius of the L-infinity balls around them, above 0.
        seconds: Processor seconds after which no further step is begun.
        seed: Of the choice of images for each step.

    Raises:
        InputError: The network cannot be bounded.
    """
    centres, labels = _tensors(images)
    clean = _Clean(train, seed)
    certified = CertifiedLoss(epsilon, ramp=1)

    def loss(tuned: Network, spent: float) -> Tensor:
        grown = spent / (_RAMP * seconds)
        some = torch.randperm(len(labels), generator=clean.generator)[:_BALLS]
        bounded = certified(tuned, centres[some], labels[some], grown)
        return bounded + clean.loss(tuned)

    return _descended(network, loss, seconds, lambda tuned: False)


def descend_on_images(
    network: Network, train: Dataset | None, images: Images, *, seconds: float, seed: int
) -> Network:
    """Trains a network on, on the loss of images, until it classifies them correctly (Adam).

    Args:
        network: The network whose weights are started from; it is not changed.
        train: Clean images, whose loss is added; None for the chosen ones alone.
        images: Images with their classes, of the network's input shape, in [0, 1].
        seconds: Processor seconds after which no further step is begun, right or not.
        seed: Of the choice of clean images for each step.
    """
    chosen, labels = _tensors(images)
    clean = None if train is None else _Clean(train, seed)

    def loss(tuned: Network, spent: float) -> Tensor:
        of_chosen = cross_entropy(tuned(chosen), labels)
        return of_chosen if clean is None else of_chosen + clean.loss(tuned)

    @torch.no_grad()
    def right(tuned: Network) -> bool:
        return bool((tuned(chosen).argmax(dim=1) == labels).all())

    return _descended(network, loss, seconds, right)


def _descended(
    network: Network,
    loss: Callable[[Network, float], Tensor],
    seconds: float,
    done: Callable[[Network], bool],
) -> Network:
    """Steps down a loss, which is told the seconds spent, until time is up or all is done."""
    begun = time.process_time()
    tuned = copy.deepcopy(network).cpu().requires_grad_(True)
    descent = torch.optim.Adam(tuned.parameters(), lr=_LEARNING_RATE)
    while (spent := time.process_time() - begun) < seconds and not done(tuned):
        descent.zero_grad()
        torch.autograd.backward(loss(tuned, spent))
        descent.step()
    return tuned.frozen()


class _Clean:
    """Clean images, some of which are drawn for every step."""

    def __init__(self, train: Dataset, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self._images, self._labels = torch.from_numpy(train.images), torch.from_numpy(train.labels)

    def loss(self, network: Network) -> Tensor:
        """The loss of some."""
        most = len(self._labels)
        some = torch.randint(most, (min(_CLEAN, most),), generator=self.generator)
        return cross_entropy(network(self._images[some]), self._labels[some])


def _tensors(images: Images) -> tuple[Tensor, Tensor]:
    """Images (N, ...) and their classes (N,)."""
    stacked = np.stack([image for image, _ in images]).astype(np.float32)
    return torch.from_numpy(stacked), torch.tensor([label for _, label in images])
