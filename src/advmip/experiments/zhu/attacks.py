"""Exact attacks on the thesis's networks: each is done, checked and recorded before the next."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from advmip.durability.storage import file_digest
from advmip.errors import InputError
from advmip.experiments.exact.attacked_network import (
    AttackedNetwork,
    load_attacked_network,
    predictions,
)
from advmip.experiments.exact.columns import attack_columns
from advmip.experiments.networks import network_of
from advmip.experiments.rows import Row
from advmip.experiments.shards import most_images
from advmip.experiments.solving import identity_of, key_of, solved
from advmip.experiments.zhu.attacked_images import write_attacks
from advmip.experiments.zhu.bounds import read_bounds
from advmip.experiments.zhu.catalogue import CODE
from advmip.experiments.zhu.instances import (
    CLASSES,
    STORED_BOUNDS,
    Instance,
    attacks_of,
    examples_added,
    shard_of,
    split_of,
)
from advmip.mip import minimal_attack
from advmip.settings import ExactAttacks, Settings

# From the class of an image to its target (Fischetti & Jo, and Zhu).
_SHIFT = 5
# What an attack's answer depends on among the settings of its experiment.
_DECISIVE = ("formulation", "bounds", "solver", "time_limit", "gap")


def exact_attacks(
    settings: Settings,
    experiment: str,
    paper_network: str,
    shard: int,
    network_file: Path,
    bounds_file: Path | None,
    journal: Path,
    out: Path,
    retrained_file: Path | None = None,
) -> None:
    """Do the attacks of one job.

    Each goes into a journal as soon as it is finished: a process that is killed goes on behind
    the last one.

    Args:
        settings: All settings.
        experiment: A key of `zhu.experiments` in the settings.
        paper_network: "DNN1" to "DNN5".
        shard: Which of the experiment's jobs on this network.
        network_file: The weights of the network as first trained: it says which images.
        bounds_file: Bounds of the network, where the experiment asks for stored ones.
        journal: Where finished attacks are recorded.
        out: The folder of attacks.csv and of the attacked images, adversarial.npz.
        retrained_file: The weights of the network that is attacked instead, if it was retrained.

    Raises:
        InputError: The scale has no such attacks, or a file cannot be used.
        CheckError: An answer failed its independent check.
    """
    instances = shard_of(settings, experiment, paper_network, shard)
    chosen = attacks_of(settings, experiment, paper_network)
    assert chosen is not None  # shard_of found attacks
    split = split_of(experiment)
    attacked_network = load_attacked_network(settings, paper_network, network_file, split)
    attacked_network.require(most_images(chosen), {each.label for each in instances}, experiment)
    trained_on, first_trained = instances[0].trained_on, attacked_network.network
    if (trained_on is None) is not (retrained_file is None):
        raise InputError(
            subject=f"shard {shard} of experiment {experiment} on {paper_network}",
            found=f"retrained network {retrained_file}",
            expected="none" if trained_on is None else f"the one retrained on {trained_on}",
            mend="name the network that this shard attacks; the workflow does so by itself",
        )
    if retrained_file is not None:
        network = network_of(settings, paper_network, retrained_file)
        attacked_network = dataclasses.replace(attacked_network, network=network)
    method: Any = chosen["bounds"]
    if method in STORED_BOUNDS:
        if trained_on is not None:
            raise InputError(
                subject=f"experiment {experiment} on {paper_network}",
                found=f"bounds {method}, which are stored for the network as first trained",
                expected="bounds that hold for a retrained network",
                mend="choose progressive",
            )
        assert bounds_file is not None
        method = read_bounds(bounds_file, attacked_network)
    identity = identity_of(
        settings,
        CODE["attacks"],
        attacked_network=attacked_network.digests,
        first_trained=first_trained.digest,
        zhu=[settings["zhu"][name] for name in ("ratio", "margin")],
        attack={name: chosen[name] for name in _DECISIVE},  # type: ignore[literal-required]
        bounds=file_digest(bounds_file) if bounds_file is not None else None,
    )
    common = attacked_network.columns(settings, "zhu", experiment, CODE["attacks"]) | {
        "trained_on": trained_on,
        "examples_added": examples_added(settings, paper_network, trained_on),
    }
    results = solved(
        journal,
        identity,
        settings["reuse"],
        instances,
        key_of,
        lambda instance: {
            "common": common,
            **_solve(settings, attacked_network, chosen, method, instance, journal.parent),
        },
    )
    rows = [result["common"] | result["row"] for result in results]
    # Recorded as null, a pixel that is not there comes back as None.
    images = np.array([result["adversarial"] for result in results], np.float64)
    write_attacks(out, rows, images)


def _solve(
    settings: Settings,
    attacked_network: AttackedNetwork,
    chosen: ExactAttacks,
    bounds: Any,
    instance: Instance,
    failures: Path,
) -> dict[str, Any]:
    """The row of one attack, and the attacked image, NaN without one."""
    index = int(attacked_network.correct_of(instance.label)[instance.rank])
    image, label = attacked_network.images.images[index], int(attacked_network.images.labels[index])
    row: Row = {
        "image": index,
        "rank": int(np.searchsorted(attacked_network.correct, index)),
        "label": label,
        "target": (label + _SHIFT) % CLASSES,
        "ratio": settings["zhu"]["ratio"],
        "distance_name": instance.distance,
        **{name: chosen[name] for name in _DECISIVE},  # type: ignore[literal-required]
    }
    nothing = [None] * image.size
    predicted = int(predictions(attacked_network.network, image[None])[0])
    if predicted != label:
        # Only a retrained network may: it needs no attack, and the row is left out of all means.
        row |= {"predicted": predicted, "status": "misclassified"}
        return {"row": row, "adversarial": nothing}
    attack = minimal_attack(
        attacked_network.network,
        image,
        label,
        instance.distance,
        target=row["target"],
        ratio=settings["zhu"]["ratio"],
        margin=settings["zhu"]["margin"],
        formulation=chosen["formulation"],
        bounds=bounds,
        solver=chosen["solver"],
        time_limit=chosen["time_limit"],
        gap=chosen["gap"],
        threads=settings["threads"],
        seed=settings["seed"],
        failures=failures,
    )
    row |= attack_columns(attack, image.astype(np.float64))
    row |= {"status": "ok", "checked": True}
    if attack.adversarial is None:
        return {"row": row, "adversarial": nothing}
    pixels = attack.adversarial.ravel()
    return {"row": row, "adversarial": [round(float(pixel), 9) for pixel in pixels]}
