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
from advmip.settings import Settings

# What decides an attack's answer.
CODE = ("checking.attacks", "datasets", "experiments.zhu", "mip", "networks")


@dataclass(frozen=True)
class Victim:
    """A network of the thesis with the test images that it classifies correctly.

    Attributes:
        paper_network: The thesis's name for it.
        network: The network.
        test: The test images.
        correct: The indices of the test images that it classifies correctly, in order.
    """

    paper_network: str
    network: Network
    test: Dataset
    correct: NDArray[np.intp]

    def correct_of(self, label: int | None) -> NDArray[np.intp]:
        """Those of one class; all where it is None."""
        return (
            self.correct if label is None else self.correct[self.test.labels[self.correct] == label]
        )


def load_victim(settings: Settings, paper_network: str, network_file: Path) -> Victim:
    """Load a network and its test images.

    Args:
        settings: All settings.
        paper_network: "DNN1" to "DNN5".
        network_file: The network's weights.

    Raises:
        InputError: The name is unknown, a file is missing or damaged, or the file holds another
            architecture than the settings name.
    """
    networks = settings["zhu"]["networks"]
    if paper_network not in networks:
        raise unknown_name("network", paper_network, networks)
    chosen = networks[paper_network]
    network = network_of(chosen, paper_network, network_file)
    test = load_split(settings, chosen["dataset"], "test")
    columns = test.images.reshape(len(test.images), -1).T.astype(np.float64)
    predicted = staged(network).logits(columns).argmax(axis=0)
    return Victim(paper_network, network, test, np.flatnonzero(predicted == test.labels))


def identity(
    settings: Settings, victim: Victim, experiment: str, code: Sequence[str] = CODE
) -> Row:
    """The columns that say what a row is about, and where it comes from."""
    return {
        "source": "zhu",
        "experiment": experiment,
        "network": victim.network.architecture.name,
        "paper_network": victim.paper_network,
        "dataset": victim.test.name,
        "network_digest": victim.network.digest[:16],
        "dataset_digest": victim.test.digest[:16],
        "protocol": "published",
        "seed": settings["seed"],
        **origin_columns(settings["threads"], code),
    }
