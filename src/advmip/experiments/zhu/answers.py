"""What all rows on the thesis share: the network under attack, its images, where they are from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advmip.datasets import Dataset
from advmip.errors import unknown_name
from advmip.experiments.origin import origin_columns
from advmip.experiments.rows import Row
from advmip.experiments.subject import load_split, network_of
from advmip.networks import Network, staged
from advmip.settings import Settings, TrainedNetwork

# Images whose logits are computed together: all training images at once would take a gigabyte.
_BATCH = 5_000
# What decides an attack's answer.
CODE = ("checking.attacks", "datasets", "experiments.zhu", "mip", "networks")


@dataclass(frozen=True)
class Victim:
    """A network of the thesis with the images that it is attacked on.

    Attributes:
        paper_network: The thesis's name for it.
        network: The network.
        images: The images of one split.
        correct: The indices of the images that the network classifies correctly, in order; those
            of the network that it was retrained from, if it was.
    """

    paper_network: str
    network: Network
    images: Dataset
    correct: NDArray[np.intp]

    def correct_of(self, label: int | None) -> NDArray[np.intp]:
        """Those of one class; all where it is None."""
        return (
            self.correct
            if label is None
            else self.correct[self.images.labels[self.correct] == label]
        )


def load_victim(
    settings: Settings, paper_network: str, network_file: Path, split: str = "test"
) -> Victim:
    """Load a network and the images of a split.

    Args:
        settings: All settings.
        paper_network: "DNN1" to "DNN5".
        network_file: The network's weights.
        split: "train" or "test".

    Raises:
        InputError: The name is unknown, a file is missing or damaged, or the file holds another
            architecture than the settings name.
    """
    chosen = thesis_network(settings, paper_network)
    network = network_of(chosen, paper_network, network_file)
    images = load_split(settings, chosen["dataset"], split)
    correct = np.flatnonzero(predictions(network, images.images) == images.labels)
    return Victim(paper_network, network, images, correct)


def thesis_network(settings: Settings, paper_network: str) -> TrainedNetwork:
    """The settings of a network of the thesis.

    Raises:
        InputError: There is none of that name.
    """
    networks = settings["zhu"]["networks"]
    if paper_network not in networks:
        raise unknown_name("network", paper_network, networks)
    return networks[paper_network]


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


def identity(
    settings: Settings, victim: Victim, experiment: str, code: Sequence[str] = CODE
) -> Row:
    """The columns that say what a row is about, and where it comes from."""
    return {
        "source": "zhu",
        "experiment": experiment,
        "network": victim.network.architecture.name,
        "paper_network": victim.paper_network,
        "dataset": victim.images.name,
        "network_digest": victim.network.digest[:16],
        "dataset_digest": victim.images.digest[:16],
        "protocol": "published",
        "seed": settings["seed"],
        **origin_columns(settings["threads"], code),
    }
