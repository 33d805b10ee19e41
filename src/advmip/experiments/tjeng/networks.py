"""The networks of the poster: trained here to be robust, or read from a file."""

from __future__ import annotations

import logging
from pathlib import Path

from advmip.errors import InputError, looked_up, unknown_name
from advmip.experiments.classifiers import first_images, load_classifier, load_points, load_split
from advmip.experiments.defences import training_against
from advmip.experiments.tjeng.instances import origin_of
from advmip.experiments.zhao_kronqvist.runs import Attack, adversarial_folder
from advmip.finetuning import finetune
from advmip.gradient_attacks import accuracy
from advmip.networks import ARCHITECTURES, Network, load_network, save_network
from advmip.networks.training import train
from advmip.provenance import provenance
from advmip.settings import Settings, VerifiedNetwork, finetuning_runs_of

_log = logging.getLogger(__name__)


def train_robust_network(settings: Settings, paper_network: str, out: Path) -> None:
    """Train a network against what its settings name, and write it.

    Args:
        settings: All settings.
        paper_network: A key of `tjeng.networks` in the settings.
        out: A file name ending in .safetensors.

    Raises:
        InputError: The network is unknown or of a file, its data are missing, or training diverges.
    """
    chosen = verified_network(settings, paper_network)
    if chosen["architecture"] is None:
        raise InputError(
            subject=f"settings tjeng.networks.{paper_network}",
            found="no architecture",
            expected="the name of one",
            mend="name one, or verify the network of its file, which needs no training",
        )
    architecture, defence = ARCHITECTURES[chosen["architecture"]], chosen["defence"]
    images = load_split(settings, chosen["dataset"], "train")
    network = train(
        architecture,
        first_images(images, chosen["training_images"]),
        **chosen["training"],
        augmented=architecture.augmented,
        seed=settings["seed"],
        **training_against(defence),
    )
    test = load_split(settings, chosen["dataset"], "test")
    percent = accuracy(network, test.images, test.labels)
    _log.info("%s: %.2f %% of the test images classified correctly", paper_network, percent)
    origin = {"weights": "trained", "seed": settings["seed"], **chosen["training"], **defence}
    save_network(network, out, {**origin, **provenance(settings["threads"])})


def finetune_network(
    settings: Settings, paper_network: str, network_file: Path, adversarial_sets: Path, out: Path
) -> None:
    """Fine-tune a network of Zhao & Kronqvist as in their Tables 2 and 3, and write it.

    With the points of the protocol as described, which stay among the images, at the first seed,
    and chosen by the first omega.

    Args:
        settings: All settings.
        paper_network: "CNNLight", "CNN" or "ResNet8".
        network_file: Its weights.
        adversarial_sets: The folder of the sets made by `adversarial_sets`, job by job.
        out: A file name ending in .safetensors.

    Raises:
        InputError: The network is unknown or not fine-tuned at this scale, or a file cannot be
            used.
        CheckError: A projection fails its check.
    """
    subject = load_classifier(settings, paper_network, network_file)
    shards = finetuning_runs_of(settings, "tables", paper_network)
    if shards is None:
        raise unknown_name("fine-tuned network", paper_network, settings["zk"]["experiments"])
    attack = Attack("described", settings["seed"])
    folder = adversarial_folder(settings, adversarial_sets, paper_network, attack)
    count = subject.settings["retraining"]["adversarial_count"]
    omega = settings["zk"]["omega"][0]
    tuned = finetune(
        subject.network,
        subject.loss_images,
        load_points(folder / attack.file_name).take(count),
        iterations=shards["iterations"],
        omega=[omega],
        margin=settings["zk"]["margin"],
        sweeps=settings["zk"]["sweeps"],
        seed=settings["seed"],
    )
    origin = {"weights": "fine-tuned", "adversarial_count": count, "omega": omega}
    network = tuned.model(omega).cpu()
    save_network(network, out, {**origin, **provenance(settings["threads"])})


def network_to_verify(
    settings: Settings, paper_network: str, networks: Path, *, finetuned: bool = False
) -> Network:
    """Load a network that is to be verified.

    Args:
        settings: All settings.
        paper_network: A key of `tjeng.networks` or of `networks` in the settings.
        networks: The folder of networks, with those of `train_robust_network` and
            `finetune_network` in its folder `verified`, each under its name.
        finetuned: Whether it is the fine-tuned form of one of `networks`.

    Raises:
        InputError: The network is unknown, or its file is missing or damaged.
    """
    verified = networks / "verified"
    if finetuned:
        return load_network(verified / f"{paper_network}-finetuned.safetensors")
    if paper_network in settings["networks"]:
        architecture = settings["networks"][paper_network]["architecture"]
        return load_network(networks / f"{architecture}.safetensors")
    chosen = verified_network(settings, paper_network)
    if chosen["file"] is not None:
        return load_network(Path(settings["network_dir"]) / "literature" / chosen["file"])
    return load_network(verified / f"{origin_of(settings, paper_network)}.safetensors")


def name_of(settings: Settings, paper_network: str) -> str:
    """What stands for a network: an architecture, or a file without its suffix."""
    if paper_network in settings["networks"]:
        return settings["networks"][paper_network]["architecture"]
    chosen = verified_network(settings, paper_network)
    return chosen["architecture"] or Path(str(chosen["file"])).stem


def dataset_of(settings: Settings, paper_network: str) -> str:
    """The data set whose images are verified on a network."""
    if paper_network in settings["networks"]:
        return settings["networks"][paper_network]["dataset"]
    return verified_network(settings, paper_network)["dataset"]


def verified_network(settings: Settings, paper_network: str) -> VerifiedNetwork:
    """The settings of a network of the poster, or of the one whose weights it shares.

    Raises:
        InputError: There is none of that name.
    """
    origin = origin_of(settings, paper_network)
    return looked_up("network", origin, settings["tjeng"]["networks"])
