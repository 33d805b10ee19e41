"""The networks that experiments start from: trained here, or the authors' own."""

from __future__ import annotations

import logging
from pathlib import Path

from advmip.errors import looked_up
from advmip.experiments.classifiers import architecture_of, load_split, trained_network
from advmip.experiments.defences import PLAINLY, training_against
from advmip.gradient_attacks import accuracy
from advmip.networks import Network, save_network
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
) -> None:
    """Train a network of the paper from scratch, as its settings say, and write it.

    Args:
        settings: All settings.
        paper_network: "CNNLight", "CNN", "ResNet8", or "DNN1" to "DNN5".
        out: A file name ending in .safetensors.
        seed_shift: Is added to the seed of the settings, for other initial weights.
        extra: Images (n, C, H, W) in [0, 1] and labels (n,) that are added to the training images.

    Raises:
        InputError: The network is unknown, its data are missing, or training diverges.
    """
    chosen = trained_network(settings, paper_network)
    architecture = architecture_of(chosen, paper_network)
    defended = settings["benmhenni"]["networks"].get(paper_network)
    dataset = load_split(settings, chosen["dataset"], "train")
    network = train(
        architecture,
        dataset,
        **chosen["training"],
        augmented=architecture.augmented,
        seed=settings["seed"] + seed_shift,
        extra=extra,
        **(training_against(defended["defence"]) if defended else PLAINLY),
    )
    _report_accuracy(settings, network)
    origin = {
        "weights": "trained",
        "seed": settings["seed"] + seed_shift,
        "added_images": 0 if extra is None else len(extra[1]),
        **chosen["training"],
        **(defended["defence"] if defended else {}),
    }
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
    chosen = looked_up("network", paper_network, settings["networks"])
    architecture_of(chosen, paper_network)
    folder = Path(settings["network_dir"])
    network = released_network(chosen["architecture"], folder, folder)
    _report_accuracy(settings, network)
    save_network(network, out, {"weights": "released", **provenance(settings["threads"])})


def _report_accuracy(settings: Settings, network: Network) -> None:
    architecture = network.architecture
    test = load_split(settings, architecture.dataset, "test")
    percent = accuracy(network, test.images, test.labels)
    _log.info("%s: %.2f %% of the test images classified correctly", architecture.name, percent)
