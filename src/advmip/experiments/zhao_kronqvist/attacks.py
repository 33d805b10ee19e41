"""Attacks on the networks as they are, and the adversarial sets that come of them."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import torch
from torch import Tensor

from advmip.datasets import augment
from advmip.experiments.rows import write_rows
from advmip.experiments.runs import PROTOCOL_NAMES
from advmip.experiments.subject import Subject, first_images, load_subject
from advmip.experiments.zhao_kronqvist.answers import accuracies, identity
from advmip.finetuning.parameters import ParameterVector
from advmip.finetuning.training_loss import TrainingLoss
from advmip.gradient_attacks import PROTOCOLS, generate_adversarial_set
from advmip.settings import Protocol, Settings, largest_count

_TIMED_PASSES = 3


def initial(settings: Settings, paper_network: str, network_file: Path, out: Path) -> None:
    """Attack a network as it is, under each protocol, and take and time its training loss.

    Args:
        settings: All settings.
        paper_network: "CNNLight", "CNN" or "ResNet8".
        network_file: The network's weights.
        out: The folder of the rows: evaluations.csv, and timings.csv with the seconds of one pass
            of the training loss.
    """
    subject = load_subject(settings, paper_network, network_file)
    seed = settings["seed"]
    loss, weights = _training_loss(subject, seed)
    evaluated = {
        "method": "initial",
        "adversarial_count": 0,
        "training_loss": loss.value(weights)[0],
    }
    timed = {"what": "training loss", "seconds": _median_seconds(loss, weights)}
    names = {
        protocol: identity(settings, subject, "initial", protocol, seed)
        for protocol in PROTOCOL_NAMES
    }
    evaluations = [
        named | evaluated | accuracies(subject, subject.network, protocol, seed)
        for protocol, named in names.items()
    ]
    write_rows("evaluations", evaluations, out / "evaluations.csv")
    write_rows("timings", [named | timed for named in names.values()], out / "timings.csv")


def adversarial_set(
    settings: Settings,
    paper_network: str,
    network_file: Path,
    protocol: Protocol,
    seed: int,
    attacked_images: int | None,
    out: Path,
) -> None:
    """Attack the training images and keep the worst of each label, as many as any run needs.

    Args:
        settings: All settings.
        paper_network: "CNNLight", "CNN" or "ResNet8".
        network_file: The network's weights.
        protocol: How the attack is run.
        seed: Of the attack.
        attacked_images: How many of the first training images; None for the settings' number.
        out: The set, as .npz.

    Raises:
        InputError: A label has too few misclassified points; nothing is written.
    """
    subject = load_subject(settings, paper_network, network_file)
    largest = largest_count(settings, paper_network)
    count = attacked_images or subject.settings["attacked_images"]
    found = generate_adversarial_set(
        subject.network,
        first_images(subject.train, count),
        PROTOCOLS[protocol],
        subject.attack,
        per_label=largest // 10,
        seed=seed,
    )
    found.take(largest).save(out)


def _median_seconds(loss: TrainingLoss, weights: Tensor) -> float:
    """Seconds of one pass of the training loss: the median of three."""
    seconds = []
    for _ in range(_TIMED_PASSES):
        begun = time.perf_counter()
        loss.value(weights)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def _training_loss(subject: Subject, seed: int) -> tuple[TrainingLoss, Tensor]:
    """The training loss as fine-tuning takes it, and the weights of the network as it is."""
    network = subject.network
    dataset = subject.loss_images
    images = augment(dataset.images, seed) if network.architecture.augmented else dataset.images
    device = network.mean.device
    with torch.no_grad():
        inputs = network.normalise(torch.from_numpy(images).to(device))
    parameters = ParameterVector(network.body)
    labels = torch.from_numpy(dataset.labels).to(device)
    loss = TrainingLoss(network.body, parameters, inputs, labels)
    return loss, parameters.of(network.body)
