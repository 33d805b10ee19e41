"""What an experiment is about: a network of the paper with its data, loaded and checked."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import torch

from advmip.datasets import Dataset, load_dataset
from advmip.errors import InputError, looked_up
from advmip.gradient_attacks import AdversarialSet, AttackSettings
from advmip.networks import ARCHITECTURES, Architecture, Network, load_network
from advmip.settings import NetworkSettings, Settings, TrainedNetwork
from advmip.storage import reading_arrays


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
    network = network_of(chosen, paper_network, network_file)
    train, test = (load_split(settings, chosen["dataset"], split) for split in ("train", "test"))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Classifier(
        paper_network=paper_network,
        settings=chosen,
        network=network.to(device),
        train=train,
        test=first_images(test, chosen["test_images"]),
    )


def network_of(
    chosen: NetworkSettings | TrainedNetwork, paper_network: str, network_file: Path
) -> Network:
    """The network of a file, which must be the one that the settings name.

    Raises:
        InputError: The file is missing or damaged, or holds another architecture.
    """
    architecture_of(chosen, paper_network)
    network = load_network(network_file)
    if network.architecture.name != chosen["architecture"]:
        raise InputError(
            subject=f"network {network_file}",
            found=f"architecture {network.architecture.name}",
            expected=f"{chosen['architecture']}, as the settings say of {paper_network}",
            mend="name the network's own file, or change its architecture in the settings",
        )
    return network


def load_points(file: Path) -> AdversarialSet:
    """The adversarial points of a file.

    Raises:
        InputError: It is missing or damaged.
    """
    with reading_arrays("adversarial set", file, "zk adversarial-sets"):
        return AdversarialSet.load(file)


def trained_network(settings: Settings, paper_network: str) -> NetworkSettings | TrainedNetwork:
    """What training a network of any paper needs: architecture, data set and training.

    Raises:
        InputError: There is none of that name.
    """
    networks: dict[str, NetworkSettings | TrainedNetwork] = {
        **settings["networks"],
        **settings["zhu"]["networks"],
        **settings["benmhenni"]["networks"],
    }
    return looked_up("network", paper_network, networks)


def architecture_of(chosen: NetworkSettings | TrainedNetwork, paper_network: str) -> Architecture:
    """The architecture that the settings name.

    Raises:
        InputError: It is unknown, or it classifies another data set.
    """
    architecture = looked_up("architecture", chosen["architecture"], ARCHITECTURES)
    if architecture.dataset != chosen["dataset"]:
        raise InputError(
            subject=f"settings networks.{paper_network}",
            found=f"{architecture.name} on {chosen['dataset']}",
            expected=f"the data set {architecture.dataset}, whose images it takes",
            mend="change the architecture or the dataset",
        )
    return architecture


def load_split(settings: Settings, name: str, split: str) -> Dataset:
    """A data set from the folder that the settings name."""
    return load_dataset(name, split, Path(settings["data_dir"]), settings["download"])


def first_images(dataset: Dataset, count: int | None) -> Dataset:
    """The first `count` images of a data set, all where it is None; the digest stays the whole's.

    Raises:
        InputError: There are fewer.
    """
    if count is None:
        return dataset
    if count > len(dataset.labels):
        raise InputError(
            subject=f"images of {dataset.name}, {dataset.split}",
            found=str(len(dataset.labels)),
            expected=f"at least the {count} that the settings ask for",
            mend="ask for fewer, or for all with null",
        )
    return dataclasses.replace(
        dataset, images=dataset.images[:count], labels=dataset.labels[:count]
    )
