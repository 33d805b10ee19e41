"""Descent on the certified loss of chosen images: what cuts are compared with.

What a user would do without them: a few more steps of training, from the weights that are there,
on a bound of the loss in the balls around the images, and on the loss of clean ones.
"""

from __future__ import annotations

import copy
import time

import numpy as np
import torch

from advmip.certified_finetuning.balls import Images
from advmip.datasets import Dataset
from advmip.mip.certified_training import CertifiedLoss
from advmip.networks import Network
from advmip.networks.training import cross_entropy

_LEARNING_RATE = 3e-4
# Balls and clean images of a step.
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
    begun = time.process_time()
    tuned = copy.deepcopy(network).cpu().requires_grad_(True)
    balls = torch.from_numpy(np.stack([image for image, _ in images]))
    labels = torch.tensor([label for _, label in images])
    clean, classes = torch.from_numpy(train.images), torch.from_numpy(train.labels)
    descent = torch.optim.Adam(tuned.parameters(), lr=_LEARNING_RATE)
    certified = CertifiedLoss(epsilon, ramp=1)
    generator = torch.Generator().manual_seed(seed)
    while (spent := time.process_time() - begun) < seconds:
        some = torch.randperm(len(labels), generator=generator)[:_BALLS]
        others = torch.randint(len(classes), (min(_CLEAN, len(classes)),), generator=generator)
        grown = spent / (_RAMP * seconds)
        descent.zero_grad()
        loss = certified(tuned, balls[some], labels[some], grown)
        loss = loss + cross_entropy(tuned, clean[others], classes[others], grown)
        torch.autograd.backward(loss)
        descent.step()
    return tuned.frozen()
