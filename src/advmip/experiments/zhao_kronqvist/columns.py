"""What the rows of all runs share: whose answer it is, and the accuracies of a network."""

from __future__ import annotations

from advmip.experiments.origin import network_columns, origin_columns
from advmip.experiments.rows import Row
from advmip.experiments.zhao_kronqvist.catalogue import CODE
from advmip.experiments.zhao_kronqvist.classifier import Classifier
from advmip.finetuning_settings import Protocol
from advmip.gradient_attacks import PROTOCOLS, evaluate
from advmip.networks import Network
from advmip.settings import Settings


def identity(
    settings: Settings, classifier: Classifier, experiment: str, protocol: Protocol, seed: int
) -> Row:
    """The columns that say what a row is about, and where it comes from."""
    code = CODE.get(experiment, CODE["finetuning"])
    return {
        **network_columns(
            experiment, classifier.paper_network, classifier.network, classifier.train
        ),
        **origin_columns(settings, "zk", code, protocol=protocol, seed=seed),
    }


def accuracies(classifier: Classifier, network: Network, protocol: Protocol, seed: int) -> Row:
    """The columns of a network's accuracies on clean and attacked test images, in percent."""
    found = evaluate(network, classifier.test, PROTOCOLS[protocol], classifier.attack, seed=seed)
    return {
        "clean_accuracy": found.clean,
        "fgsm_accuracy": found.fgsm,
        "pgd_accuracy": found.pgd,
        "test_images": found.images,
        "seconds_evaluation": found.seconds,
        "status": "ok",
        "checked": True,
    }
