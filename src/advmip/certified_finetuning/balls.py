"""The balls that are to be proved robust: checked images with their classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from advmip.errors import InputError
from advmip.mip.domain import Domain
from advmip.networks import Network

Images = Sequence[tuple[NDArray[np.floating], int]]


@dataclass(frozen=True)
class Balls:
    """L-infinity balls in [0, 1] around images.

    Attributes:
        centres: The images (N, pixels), float64.
        labels: Their true classes, int64 (N,).
        epsilon: The radius.
    """

    centres: Tensor
    labels: Tensor
    epsilon: float

    @staticmethod
    def of(network: Network, images: Images, epsilon: float) -> Balls:
        """The balls around images that a network takes.

        Raises:
            InputError: There is no image, one does not fit or leaves [0, 1], or a class is none of
                the network's.
        """
        if not images:
            raise InputError(
                subject="images to be proved",
                found="none",
                expected="at least one",
                mend="name images, such as mnist-train:0-49",
            )
        domain, classes = Domain.of(0.0, 1.0, network), network.outputs()
        for _, label in images:
            if label not in range(classes):
                raise InputError(
                    subject="label of an image to be proved",
                    found=str(label),
                    expected=f"a class from 0 to {classes - 1}",
                    mend="correct the label",
                )
        centres = np.stack([domain.pixels_of(network, image) for image, _ in images])
        labels = np.array([label for _, label in images], np.int64)
        return Balls(torch.from_numpy(centres), torch.from_numpy(labels), epsilon)

    def __len__(self) -> int:
        return len(self.labels)

    def taken(self, places: Sequence[int]) -> Balls:
        """Some of the balls."""
        return Balls(self.centres[list(places)], self.labels[list(places)], self.epsilon)
