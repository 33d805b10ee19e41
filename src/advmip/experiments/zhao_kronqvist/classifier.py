"""A network of the paper with its data, loaded and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from advmip.datasets import Dataset
from advmip.durability.storage import reading_arrays
from advmip.errors import looked_up
from advmip.experiments.data import first_images, load_split
from advmip.experiments.networks import network_of
from advmip.gradient_attacks import AdversarialSet, AttackSettings
from advmip.networks import Network
from advmip.settings import NetworkSettings, Settings


@dataclass(frozen=True)
class Classifier:
    """A network of the paper at the scale of the settings.

    Attributes:
        paper_network: The paper's name for it.
        settings: Its settings.
        network: The network, on the device that computes.
        train: All training images.
        test: The test images that accuracies are taken over.
    """

    paper_network: str
    settings: NetworkSettings
    network: Network
    train: Dataset
    test: Dataset

    @property
    def attack(self) -> AttackSettings:
        """Radius and steps of FGSM and PGD."""
        return AttackSettings(**self.settings["attack"])

    @property
    def loss_images(self) -> Dataset:
        """The training images that the training loss is taken over."""
        return first_images(self.train, self.settings["training_images"])


def load_classifier(settings: Settings, paper_network: str, network_file: Path) -> Classifier:
    """Load a network and its data.

    The network goes to the GPU where there is one.

    Args:
        settings: All settings.
        paper_network: "CNNLight", "CNN" or "ResNet8".
        network_file: The network's weights.

    Raises:
        InputError: The name is unknown, a file is missing or damaged, or the file holds another
            architecture than the settings name.
    """
    chosen = looked_up("network", paper_network, settings["networks"])
    network = network_of(settings, paper_network, network_file)
    train, test = (load_split(settings, chosen["dataset"], split) for split in ("train", "test"))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Classifier(
        paper_network=paper_network,
        settings=chosen,
        network=network.to(device),
        train=train,
        test=first_images(test, chosen["test_images"]),
    )


def load_points(file: Path) -> AdversarialSet:
    """The adversarial points of a file.

    Raises:
        InputError: It is missing or damaged.
    """
    with reading_arrays("adversarial set", file, "zk adversarial-sets"):
        return AdversarialSet.load(file)
