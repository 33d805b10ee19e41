"""Retraining from scratch against attacks, which fine-tuning is compared with (Table 1)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from advmip.experiments.defences import pgd_adversary
from advmip.experiments.rows import write_rows
from advmip.experiments.zhao_kronqvist.classifier import Classifier, load_classifier, load_points
from advmip.experiments.zhao_kronqvist.columns import accuracies, identity
from advmip.experiments.zhao_kronqvist.instances import (
    PROTOCOL_NAMES,
    adversarial_folder,
    first_attacks,
)
from advmip.networks import Network
from advmip.networks.training import train
from advmip.settings import Settings


def added_data(
    settings: Settings, paper_network: str, network_file: Path, adversarial_sets: Path, out: Path
) -> None:
    """Train from scratch with adversarial points added to the training data (Table 1).

    Once for each protocol, with the points found under it at the first seed.

    Args:
        settings: All settings.
        paper_network: "CNNLight", "CNN" or "ResNet8".
        network_file: The network that the points were found on.
        adversarial_sets: The folder of the sets made by `adversarial_sets`, job by job.
        out: The rows, of kind "evaluations".
    """
    classifier = load_classifier(settings, paper_network, network_file)
    seed, count = settings["seed"], classifier.settings["retraining"]["adversarial_count"]
    std, mean = classifier.network.std.cpu(), classifier.network.mean.cpu()
    rows = []
    for attack in first_attacks(settings):
        folder = adversarial_folder(settings, adversarial_sets, paper_network, attack)
        points = load_points(folder / attack.file_name).take(count)
        pixels = torch.from_numpy(points.inputs) * std + mean
        begun = time.process_time()
        network = _retrained(settings, classifier, extra=(pixels.numpy(), points.labels))
        row = {
            "method": "adversarial data added",
            "adversarial_count": count,
            "seconds_total": time.process_time() - begun,
        }
        rows.append(
            identity(settings, classifier, "added_data", attack.protocol, seed)
            | row
            | accuracies(classifier, network, attack.protocol, seed)
        )
    write_rows("evaluations", rows, out)


def adversarial_training(
    settings: Settings, paper_network: str, network_file: Path, out: Path
) -> None:
    """Train from scratch on what PGD makes of every batch (Madry et al. 2018).

    PGD stays in the image box, and its radius is in pixels. The one network that comes out is
    attacked under each protocol.

    Args:
        settings: All settings.
        paper_network: "CNNLight", "CNN" or "ResNet8".
        network_file: The network that it is compared with.
        out: The rows, of kind "evaluations".
    """
    classifier = load_classifier(settings, paper_network, network_file)
    inner_iterations = classifier.settings["retraining"]["inner_iterations"]
    adversary = pgd_adversary(classifier.attack.epsilon, inner_iterations)
    begun = time.process_time()
    network = _retrained(settings, classifier, adversary=adversary)
    common = {
        "method": "PGD adversarial training",
        "adversarial_count": len(classifier.train.labels),
        "seconds_total": time.process_time() - begun,
    }
    rows = [
        identity(settings, classifier, "adversarial_training", protocol, settings["seed"])
        | common
        | accuracies(classifier, network, protocol, settings["seed"])
        for protocol in PROTOCOL_NAMES
    ]
    write_rows("evaluations", rows, out)


def _retrained(settings: Settings, classifier: Classifier, **against: Any) -> Network:
    """The classifier's architecture trained anew, against what `against` tells `train`."""
    architecture = classifier.network.architecture
    chosen = classifier.settings["training"].copy()
    chosen["epochs"] = classifier.settings["retraining"]["epochs"]
    network = train(
        architecture,
        classifier.train,
        **chosen,
        augmented=architecture.augmented,
        seed=settings["seed"],
        **against,
    )
    return network.to(classifier.network.mean.device)
