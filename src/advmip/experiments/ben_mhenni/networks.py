"""The paper's networks: trained here, or read from files that others published."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from advmip.errors import InputError, looked_up
from advmip.experiments.classifiers import architecture_of, load_split, network_of
from advmip.experiments.exact.attacked_network import AttackedNetwork
from advmip.networks import Architecture, Network, load_network, new_network, staged
from advmip.provenance import code_digest
from advmip.settings import PublishedNetwork, Settings
from advmip.storage import write_atomically

# What decides an attack's answer.
CODE = (
    *("appearance", "checking.attacks", "datasets", "experiments.ben_mhenni"),
    *("experiments.exact", "gradient_attacks", "mip", "networks"),
)


def copy_published(settings: Settings, paper_network: str, out: Path) -> None:
    """Take a published network from the folder of networks, if it is what its name says.

    Args:
        settings: All settings.
        paper_network: The paper's name, such as "MNIST-3x50".
        out: A file name ending in .onnx.

    Raises:
        InputError: The settings name no file for this network, it is missing or damaged, or it
            holds another network.
    """
    chosen = looked_up("network", paper_network, settings["benmhenni"]["networks"])
    if chosen["file"] is None:
        raise InputError(
            subject=f"settings benmhenni.networks.{paper_network}.file",
            found="none",
            expected="an .onnx file in network_dir",
            mend="name one, or train the network: advmip network train",
        )
    if chosen["defence"]["method"] != "none":
        raise InputError(
            subject=f"settings benmhenni.networks.{paper_network}.defence",
            found=f"{chosen['defence']['method']}, beside the published file {chosen['file']}",
            expected="none, since a published network is not trained",
            mend=f"leave it out, or set benmhenni.networks.{paper_network}.file to null",
        )
    file = Path(settings["network_dir"]) / chosen["file"]
    if not file.is_file():
        raise InputError(
            subject=f"published network {paper_network}",
            found=f"no file {file}",
            expected="one of ERAN's networks (github.com/eth-sri/eran) as ONNX",
            mend="(1) copy it there; (2) set network_dir to a folder that has it; (3) set "
            f"benmhenni.networks.{paper_network}.file to null, and the network is trained",
        )
    _published(chosen, paper_network, file)
    with write_atomically(out) as temporary:
        shutil.copyfile(file, temporary)


def load_attacked_network(
    settings: Settings, paper_network: str, network_file: Path
) -> AttackedNetwork:
    """Load a network and its test images.

    Args:
        settings: All settings.
        paper_network: The paper's name, such as "CIFAR-4x100".
        network_file: The network's weights, or a published network.

    Raises:
        InputError: The name is unknown, a file is missing or damaged, or the file holds another
            architecture than the settings name.
    """
    chosen = looked_up("network", paper_network, settings["benmhenni"]["networks"])
    network = (
        network_of(chosen, paper_network, network_file)
        if chosen["file"] is None
        else _published(chosen, paper_network, network_file)
    )
    return AttackedNetwork.of(
        paper_network, network, load_split(settings, chosen["dataset"], "test")
    )


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
        attacked_network.demand(images[name], {None}, experiment)
    return attacked_networks


def dependencies(
    settings: Settings, attacked_networks: Mapping[str, AttackedNetwork], attacks: Mapping[str, Any]
) -> dict[str, Any]:
    """What the answers of a job depend on, as in `Journal`.

    Args:
        settings: All settings.
        attacked_networks: The networks and images of the job.
        attacks: What the settings say of the attacks on each.
    """
    return {
        "code": code_digest(*CODE),
        "attacked_networks": {
            name: [attacked_network.network.digest, attacked_network.images.digest]
            for name, attacked_network in attacked_networks.items()
        },
        "attacks": attacks,
        "margin": settings["benmhenni"]["margin"],
        "seed": settings["seed"],
        "threads": settings["threads"],
    }


def _published(chosen: PublishedNetwork, paper_network: str, file: Path) -> Network:
    """A published network under the name of the architecture that it was found to have."""
    architecture = architecture_of(chosen, paper_network)
    network = load_network(file)
    found, expected = _layers(network), _layers(new_network(architecture, seed=0))
    if found != expected:
        raise InputError(
            subject=f"published network {paper_network} in {file}",
            found=f"images and layers of ReLUs {found}",
            expected=f"{expected}, as in {architecture.name}",
            mend="name the file of this network",
        )
    named: Architecture = dataclasses.replace(network.architecture, name=architecture.name)
    network.architecture = named
    return network


def _layers(network: Network) -> str:
    form = staged(network.frozen())
    return f"{form.input_shape} to {[stage.width for stage in form.hidden]}"
