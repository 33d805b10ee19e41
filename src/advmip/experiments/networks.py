"""The networks that experiments start from: trained here, released or published by others."""

from __future__ import annotations

import dataclasses
import logging
import shutil
from pathlib import Path

from advmip.durability.storage import write_atomically
from advmip.errors import InputError, looked_up
from advmip.experiments.catalogue import networks
from advmip.experiments.data import first_images, load_split
from advmip.experiments.defences import training_against
from advmip.experiments.recipes import NetworkRecipe, made_as
from advmip.gradient_attacks import accuracy
from advmip.networks import (
    ARCHITECTURES,
    Architecture,
    Network,
    load_network,
    new_network,
    save_network,
    staged,
)
from advmip.networks.released import released_network
from advmip.networks.training import Images, Labels, train
from advmip.provenance import provenance
from advmip.settings import Settings

_log = logging.getLogger(__name__)


def train_network(
    settings: Settings,
    paper_network: str,
    out: Path,
    *,
    seed_shift: int = 0,
    extra: tuple[Images, Labels] | None = None,
    extra_asked: int = 0,
) -> None:
    """Train a network of a source from scratch, as its settings say, and write it.

    Args:
        settings: All settings.
        paper_network: The source's name, such as "CNN", "DNN1" or "LPd-cnn-0.1".
        out: A file name ending in .safetensors.
        seed_shift: Is added to the seed of the settings, for other initial weights.
        extra: Images (n, C, H, W) in [0, 1] and labels (n,) that are added to the training images.
        extra_asked: How many the settings ask for, of which some may be missing.

    Raises:
        InputError: The network is unknown or of a file, its data are missing, or training diverges.
    """
    recipe = _recipe(settings, paper_network)
    architecture = _architecture(recipe, paper_network)
    dataset = load_split(settings, recipe.dataset, "train")
    seed = settings["seed"] + seed_shift
    network = train(
        architecture,
        first_images(dataset, recipe.training_images),
        **recipe.training,
        augmented=architecture.augmented,
        seed=seed,
        extra=extra,
        **training_against(recipe.defence),
    )
    _report_accuracy(settings, network)
    origin = made_as(recipe, seed, extra_asked)
    save_network(network, out, {**origin, **provenance(settings["threads"])})


def fetch_network(settings: Settings, paper_network: str, out: Path) -> None:
    """Read the authors' released weights, from a folder or by download, and write the network.

    Args:
        settings: All settings.
        paper_network: "CNNLight", "CNN" or "ResNet8".
        out: A file name ending in .safetensors.

    Raises:
        InputError: No weights of that name were released, or they are missing or altered.
    """
    recipe = _recipe(settings, paper_network)
    architecture = _architecture(recipe, paper_network)
    folder = Path(settings["network_dir"])
    network = released_network(architecture.name, folder, folder)
    _report_accuracy(settings, network)
    save_network(
        network, out, {**made_as(recipe, settings["seed"]), **provenance(settings["threads"])}
    )


def copy_network(settings: Settings, paper_network: str, out: Path) -> None:
    """Take a published network from the folder of networks, if it is what its name says.

    Args:
        settings: All settings.
        paper_network: The source's name, such as "MNIST-3x50".
        out: A file name ending in .onnx.

    Raises:
        InputError: The settings name no file for this network, it is missing or damaged, or it
            holds another network.
    """
    recipe = _recipe(settings, paper_network)
    if recipe.file is None:
        raise InputError(
            subject=f"published network {paper_network}",
            found="no file in its settings",
            expected="an .onnx file in network_dir",
            mend="name one, or train the network: advmip network train",
        )
    if recipe.defence is not None and recipe.defended:
        raise InputError(
            subject=f"defence of {paper_network} in the settings",
            found=f"{recipe.defence['method']}, beside the published file {recipe.file}",
            expected="none, since a published network is not trained",
            mend="leave it out, or set the network's file to null",
        )
    file = Path(settings["network_dir"]) / recipe.file
    if not file.is_file():
        raise InputError(
            subject=f"published network {paper_network}",
            found=f"no file {file}",
            expected="one of ERAN's networks (github.com/eth-sri/eran) as ONNX",
            mend="(1) copy it there; (2) set network_dir to a folder that has it; (3) set the "
            "network's file to null in the settings, and it is trained",
        )
    network_of(settings, paper_network, file)
    with write_atomically(out) as temporary:
        shutil.copyfile(file, temporary)


def network_of(settings: Settings, paper_network: str, network_file: Path) -> Network:
    """The network of a file, which must be the one that the settings name.

    Args:
        settings: All settings.
        paper_network: The source's name for it.
        network_file: The network's weights, or a published network.

    Raises:
        InputError: The network is unknown, or its file is missing, damaged or another network's.
    """
    recipe = _recipe(settings, paper_network)
    architecture, network = _architecture(recipe, paper_network), load_network(network_file)
    if recipe.file is not None:
        # A published network bears the name of the architecture that it turns out to have.
        found, expected = _layers(network), _layers(new_network(architecture, seed=0))
        network.architecture = dataclasses.replace(
            network.architecture, name=architecture.name, dataset=architecture.dataset
        )
    else:
        found, expected = network.architecture.name, architecture.name
    if found != expected:
        raise InputError(
            subject=f"network {network_file}",
            found=found,
            expected=f"{expected}, as the settings say of {paper_network}",
            mend="name the network's own file, or change its architecture in the settings",
        )
    return network


def _recipe(settings: Settings, paper_network: str) -> NetworkRecipe:
    """What the settings say of a network of any source.

    Raises:
        InputError: There is none of that name.
    """
    untrained = settings["tjeng"]["networks"].get(paper_network)
    if untrained is not None and untrained["architecture"] is None:
        raise InputError(
            subject=f"settings tjeng.networks.{paper_network}",
            found="no architecture",
            expected="the name of one",
            mend="name one, or verify the network of its file, which needs no training",
        )
    return looked_up("network", paper_network, networks(settings))


def _architecture(recipe: NetworkRecipe, paper_network: str) -> Architecture:
    """The architecture that the settings name.

    Raises:
        InputError: It is unknown, or it classifies another data set.
    """
    architecture = looked_up("architecture", recipe.architecture, ARCHITECTURES)
    if architecture.dataset != recipe.dataset:
        raise InputError(
            subject=f"network {paper_network} in the settings",
            found=f"{architecture.name} on {recipe.dataset}",
            expected=f"the data set {architecture.dataset}, whose images it takes",
            mend="change the architecture or the dataset",
        )
    return architecture


def _layers(network: Network) -> str:
    form = staged(network.frozen())
    return (
        f"images and layers of ReLUs {form.input_shape} to {[each.width for each in form.hidden]}"
    )


def _report_accuracy(settings: Settings, network: Network) -> None:
    architecture = network.architecture
    test = load_split(settings, architecture.dataset, "test")
    percent = accuracy(network, test.images, test.labels)
    _log.info("%s: %.2f %% of the test images classified correctly", architecture.name, percent)
