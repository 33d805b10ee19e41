"""The network under attack, its images, and what rows say of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advmip.datasets import Dataset
from advmip.errors import InputError
from advmip.experiments.data import load_split
from advmip.experiments.networks import network_of
from advmip.experiments.origin import network_columns, origin_columns
from advmip.experiments.rows import Row
from advmip.networks import Network, staged
from advmip.settings import Settings

# Images whose logits are computed together: all training images at once would take a gigabyte.
_BATCH = 5_000


@dataclass(frozen=True)
class AttackedNetwork:
    """A network of a source with the images that it is attacked on.

    Attributes:
        paper_network: The source's name for it.
        network: The network.
        images: The images of one split.
        correct: The indices of the images that the network classifies correctly, in order; those
            of the network that it was retrained from, if it was.
    """

    paper_network: str
    network: Network
    images: Dataset
    correct: NDArray[np.intp]

    @property
    def digests(self) -> list[str]:
        """What stands for it where results depend on it: the digests of weights and images."""
        return [self.network.digest, self.images.digest]

    def columns(self, settings: Settings, source: str, experiment: str, code: Sequence[str]) -> Row:
        """What a row on it says of itself: what it is about, and where it comes from.

        Args:
            settings: All settings.
            source: The source's short name.
            experiment: What the row is for.
            code: Parts of the library that decide it, as in `code_digest`.
        """
        return {
            **network_columns(experiment, self.paper_network, self.network, self.images),
            **origin_columns(settings, source, code),
        }

    def correct_of(self, label: int | None) -> NDArray[np.intp]:
        """Those of one class; all where it is None."""
        return (
            self.correct
            if label is None
            else self.correct[self.images.labels[self.correct] == label]
        )

    def require(self, images: int, labels: set[int | None], experiment: str) -> None:
        """Make sure that there are enough images to attack.

        Args:
            images: How many, of each class that is named.
            labels: Classes, or None for all together.
            experiment: What they are for.

        Raises:
            InputError: There are fewer.
        """
        fewest = min(len(self.correct_of(label)) for label in labels)
        if fewest < images:
            of_each = "" if labels == {None} else " of each class"
            raise InputError(
                subject=f"experiment {experiment} on {self.paper_network}",
                found=f"{fewest} {self.images.split} images that the network classifies correctly",
                expected=f"the {images}{of_each} that the settings ask for",
                mend="ask for fewer images, or train the network longer",
            )


def load_attacked_network(
    settings: Settings, paper_network: str, network_file: Path, split: str = "test"
) -> AttackedNetwork:
    """Load a network and the images of a split.

    Args:
        settings: All settings.
        paper_network: The source's name, such as "DNN1" or "CIFAR-4x100".
        network_file: The network's weights, or a published network.
        split: "train" or "test".

    Raises:
        InputError: The name is unknown, a file is missing or damaged, or the file holds another
            architecture than the settings name.
    """
    network = network_of(settings, paper_network, network_file)
    images = load_split(settings, network.architecture.dataset, split)
    correct = np.flatnonzero(predictions(network, images.images) == images.labels)
    return AttackedNetwork(paper_network, network, images, correct)


def load_attacked_networks(
    settings: Settings,
    experiment: str,
    network_files: Mapping[str, Path],
    images: Mapping[str, int],
) -> dict[str, AttackedNetwork]:
    """Load the networks of a job, each with the images that it is attacked on.

    Args:
        settings: All settings.
        experiment: What they are attacked for.
        network_files: The weights of the networks, by the paper's names.
        images: How many images are attacked on each.

    Raises:
        InputError: A file cannot be used, or a network classifies too few images correctly.
    """
    attacked_networks = {
        name: load_attacked_network(settings, name, network_files[name]) for name in images
    }
    for name, attacked_network in attacked_networks.items():
        attacked_network.require(images[name], {None}, experiment)
    return attacked_networks


def predictions(network: Network, images: NDArray[np.floating]) -> NDArray[np.intp]:
    """The class (n,) that a network gives each of n images (n, C, H, W), in float64."""
    form = staged(network)
    batches = np.array_split(images, range(_BATCH, len(images), _BATCH))
    return np.concatenate(
        [
            form.logits(batch.reshape(len(batch), -1).T.astype(np.float64)).argmax(axis=0)
            for batch in batches
        ]
    )
