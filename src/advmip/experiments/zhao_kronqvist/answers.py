"""What the rows of all runs share: whose answer it is, and the accuracies of a network."""

from __future__ import annotations

from advmip.experiments.origin import origin_columns
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
        "source": "zk",
        "experiment": experiment,
        "network": subject.network.architecture.name,
        "paper_network": subject.paper_network,
        "dataset": subject.train.name,
        "network_digest": subject.network.digest[:16],
        "dataset_digest": subject.train.digest[:16],
        "protocol": protocol,
        "seed": seed,
        **origin_columns(settings["threads"], CODE),
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
