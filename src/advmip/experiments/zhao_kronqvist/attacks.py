"""Attacks on the networks as they are, and the adversarial sets that come of them."""

from __future__ import annotations

import logging
import statistics
import time
from pathlib import Path

from torch import Tensor

from advmip.experiments.data import first_images
from advmip.experiments.rows import write_rows
from advmip.experiments.zhao_kronqvist.classifier import Classifier, load_classifier
from advmip.experiments.zhao_kronqvist.columns import accuracies, identity
from advmip.experiments.zhao_kronqvist.instances import (
    PROTOCOL_NAMES,
    attacks_of_shard,
    largest_count,
)
from advmip.finetuning.parameters import ParameterVector
from advmip.finetuning.training_loss import TrainingLoss
from advmip.gradient_attacks import PROTOCOLS, generate_adversarial_set
from advmip.settings import Settings

_log = logging.getLogger(__name__)

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
    classifier = load_classifier(settings, paper_network, network_file)
    seed = settings["seed"]
    loss, weights = _training_loss(classifier, seed)
    evaluated = {
        "method": "initial",
        "adversarial_count": 0,
        "training_loss": loss.value(weights)[0],
    }
    timed = {"what": "training loss", "seconds": _median_seconds(loss, weights)}
    names = {
        protocol: identity(settings, classifier, "initial", protocol, seed)
        for protocol in PROTOCOL_NAMES
    }
    evaluations = [
        named | evaluated | accuracies(classifier, classifier.network, protocol, seed)
        for protocol, named in names.items()
    ]
    write_rows("evaluations", evaluations, out / "evaluations.csv")
    write_rows("timings", [named | timed for named in names.values()], out / "timings.csv")


def adversarial_sets(
    settings: Settings, paper_network: str, shard: int, network_file: Path, out: Path
) -> None:
    """Attack the training images and keep the worst of each label, as many as any run needs.

    Args:
        settings: All settings.
        paper_network: "CNNLight", "CNN" or "ResNet8".
        shard: Which of the jobs that attack this network.
        network_file: The network's weights.
        out: The folder of the job's sets, an .npz for each attack.

    Raises:
        InputError: A label has too few misclassified points; that set is not written.
    """
    attacks = attacks_of_shard(settings, paper_network, shard)
    classifier = load_classifier(settings, paper_network, network_file)
    for attack in attacks:
        _log.info("%s", attack)
        images = attack.attacked_images or classifier.settings["attacked_images"]
        largest = largest_count(settings, paper_network, attack)
        found = generate_adversarial_set(
            classifier.network,
            first_images(classifier.train, images),
            PROTOCOLS[attack.protocol],
            classifier.attack,
            per_label=largest // 10,
            seed=attack.seed,
        )
        found.take(largest).save(out / attack.file_name)


def _median_seconds(loss: TrainingLoss, weights: Tensor) -> float:
    """Seconds of one pass of the training loss: the median of three."""
    seconds = []
    for _ in range(_TIMED_PASSES):
        begun = time.process_time()
        loss.value(weights)
        seconds.append(time.process_time() - begun)
    return statistics.median(seconds)


def _training_loss(classifier: Classifier, seed: int) -> tuple[TrainingLoss, Tensor]:
    """The training loss as fine-tuning takes it, and the weights of the network as it is."""
    body = classifier.network.body
    parameters = ParameterVector(body)
    loss = TrainingLoss.of(classifier.network, parameters, classifier.loss_images, seed)
    return loss, parameters.of(body)
