"""Adversarial training: networks trained anew on exact adversarial examples (Section 5.4)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from advmip.errors import InputError, looked_up, unknown_name
from advmip.experiments.exact.attacked_network import (
    load_attacked_network,
    predictions,
)
from advmip.experiments.networks import network_of, train_network
from advmip.experiments.rows import Row, write_rows
from advmip.experiments.zhu.attacked_images import read_attacks
from advmip.experiments.zhu.catalogue import CODE, attack_shards
from advmip.experiments.zhu.instances import (
    NO_EXAMPLES,
    RETRAINING_SEED_SHIFT,
    TEST_EXAMPLES,
    TRAINING_EXAMPLES,
    attacks_of,
    examples_added,
    retrainings,
)
from advmip.networks import ARCHITECTURES
from advmip.networks.training import Images, Labels
from advmip.settings import Settings

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Examples:
    """Exact adversarial examples of one distance.

    Attributes:
        images: float32 (n, C, H, W) in [0, 1].
        labels: The true classes, int64 (n,).
    """

    images: Images
    labels: Labels


def retrain(
    settings: Settings, paper_network: str, trained_on: str, shards: Path, out: Path
) -> None:
    """Train a network of the thesis anew, with adversarial examples among its training images.

    An example has the true class of the image that it was made from.

    Args:
        settings: All settings.
        paper_network: "DNN1" to "DNN5".
        trained_on: The distance of the examples; "none" for the control, without examples.
        shards: The folder of row files, by job.
        out: A file name ending in .safetensors.

    Raises:
        InputError: The scale has no such retraining, or a file cannot be used.
    """
    known = retrainings(settings, paper_network)
    if trained_on not in known:
        raise unknown_name(f"retraining of {paper_network} on", trained_on, known)
    extra = None
    if trained_on != NO_EXAMPLES:
        added = load_examples(settings, shards, TRAINING_EXAMPLES, paper_network, trained_on)
        extra = added.images, added.labels
    train_network(
        settings,
        paper_network,
        out,
        seed_shift=RETRAINING_SEED_SHIFT,
        extra=extra,
        extra_asked=examples_added(settings, paper_network, trained_on),
    )


def accuracies(
    settings: Settings,
    paper_network: str,
    network_file: Path,
    retrained: Path,
    shards: Path,
    out: Path,
) -> None:
    """Classify test images and adversarial test examples by a network and by its retrained forms.

    Args:
        settings: All settings.
        paper_network: "DNN1" to "DNN5".
        network_file: The weights of the network as first trained.
        retrained: The folder of the retrained networks' weights, by what they were trained on.
        shards: The folder of row files, by job.
        out: The rows, of kind "accuracies"; the distance is empty for the test images themselves.

    Raises:
        InputError: The scale has no adversarial test examples, or a file cannot be used.
    """
    chosen = attacks_of(settings, TEST_EXAMPLES, paper_network)
    if chosen is None:
        raise InputError(
            subject=f"adversarial test examples of {paper_network}",
            found=f"none at scale {settings['scale']}",
            expected=f"an entry zhu.experiments.{TEST_EXAMPLES}.{paper_network}",
            mend="add it to the scale, or choose another network",
        )
    first = load_attacked_network(settings, paper_network, network_file)
    tests = {None: Examples(first.images.images, first.images.labels)} | {
        name: load_examples(settings, shards, TEST_EXAMPLES, paper_network, name)
        for name in chosen["distances"]
    }
    attacked_networks = {None: first} | {
        trained_on: replace(
            first,
            network=network_of(
                settings, paper_network, retrained / f"{paper_network}-{trained_on}.safetensors"
            ),
        )
        for trained_on in retrainings(settings, paper_network)
    }
    rows: list[Row] = []
    for trained_on, attacked_network in attacked_networks.items():
        common = attacked_network.columns(settings, "zhu", TEST_EXAMPLES, CODE["accuracies"]) | {
            "trained_on": trained_on,
            "examples_added": examples_added(settings, paper_network, trained_on),
        }
        for distance, test in tests.items():
            hits = predictions(attacked_network.network, test.images) == test.labels
            rows.append(
                common
                | {
                    "distance_name": distance,
                    "accuracy": 100.0 * float(hits.mean()),
                    "test_images": len(test.labels),
                }
            )
    write_rows("accuracies", rows, out)


def load_examples(
    settings: Settings, shards: Path, experiment: str, paper_network: str, distance: str
) -> Examples:
    """The adversarial examples of a distance, in the order in which they were asked for.

    An attack that ran out of time without finding anything gives none.

    Args:
        settings: All settings.
        shards: The folder of row files, by job.
        experiment: "training_examples" or "test_examples".
        paper_network: "DNN1" to "DNN5".
        distance: The distance's name.

    Raises:
        InputError: A file is missing or damaged, or there is no example.
    """
    names = attack_shards(settings, experiment, paper_network, distance)
    chosen = looked_up("network", paper_network, settings["zhu"]["networks"])
    architecture = ARCHITECTURES[chosen["architecture"]]
    parts = [_examples_of_job(shards / name, distance, architecture.input_shape) for name in names]
    found = sum(len(part.labels) for part in parts)
    if not found:
        raise InputError(
            subject=f"{experiment} of {paper_network} in {distance}",
            found="no adversarial example",
            expected="at least one",
            mend="give the attacks more time, or add the distance to the scale",
        )
    _log.info("%d %s in %s", found, experiment.replace("_", " "), distance)
    return Examples(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )


def _examples_of_job(folder: Path, distance: str, shape: Sequence[int]) -> Examples:
    rows, pixels = read_attacks(folder)
    images = pixels.reshape(len(rows), *shape).astype(np.float32)
    chosen = np.array(
        [row["distance_name"] == distance and row["status"] == "ok" for row in rows], dtype=bool
    )
    chosen &= np.isfinite(images).all(axis=(1, 2, 3))
    labels = np.array([int(row["label"]) for row in rows], dtype=np.int64)
    return Examples(images[chosen], labels[chosen])
