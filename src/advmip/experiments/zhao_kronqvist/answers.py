"""What the rows of all runs share: whose answer it is, and the accuracies of a network."""

from __future__ import annotations

from advmip.experiments.origin import origin_columns, subject_columns
from advmip.experiments.rows import Row
from advmip.experiments.subject import Subject
from advmip.gradient_attacks import PROTOCOLS, evaluate
from advmip.networks import Network
from advmip.settings import Protocol, Settings

# What decides the accuracies of a network; each kind of run adds its own parts.
CODE = (
    *("datasets", "experiments.subject", "experiments.zhao_kronqvist.answers"),
    *("gradient_attacks", "margins", "networks"),
)


def identity(
    settings: Settings, subject: Subject, experiment: str, protocol: Protocol, seed: int
) -> Row:
    """The columns that say what a row is about, and where it comes from."""
    return {
        **subject_columns(experiment, subject.paper_network, subject.network, subject.train),
        **origin_columns(settings, "zk", CODE, protocol=protocol, seed=seed),
    }


def accuracies(subject: Subject, network: Network, protocol: Protocol, seed: int) -> Row:
    """The columns of a network's accuracies on clean and attacked test images, in percent."""
    found = evaluate(network, subject.test, PROTOCOLS[protocol], subject.attack, seed=seed)
    return {
        "clean_accuracy": found.clean,
        "fgsm_accuracy": found.fgsm,
        "pgd_accuracy": found.pgd,
        "test_images": found.images,
        "seconds_evaluation": found.seconds,
        "status": "ok",
        "checked": True,
    }
