"""Exact attacks on the thesis's networks: each is done, checked and recorded before the next."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from advmip.errors import InputError
from advmip.experiments.answering import answered
from advmip.experiments.exact.answers import attack_columns
from advmip.experiments.exact.victims import Victim, predictions
from advmip.experiments.parts import most_images
from advmip.experiments.rows import Row
from advmip.experiments.subject import network_of
from advmip.experiments.zhu.answers import CODE, identity, load_victim
from advmip.experiments.zhu.attacked_images import write_attacks
from advmip.experiments.zhu.bounds import read_bounds
from advmip.experiments.zhu.questions import (
    CLASSES,
    STORED_BOUNDS,
    Question,
    attacks_of,
    examples_added,
    part_of,
    split_of,
)
from advmip.mip import minimal_attack
from advmip.provenance import code_digest
from advmip.settings import ExactAttacks, Settings
from advmip.storage import file_digest

# From the class of an image to its target (Fischetti & Jo, and Zhu).
_SHIFT = 5
# What an attack's answer depends on among the settings of its experiment.
_DECISIVE = ("formulation", "bounds", "solver", "time_limit", "gap")


def exact_attacks(
    settings: Settings,
    experiment: str,
    paper_network: str,
    part: int,
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
        part: Which of the experiment's jobs on this network.
        network_file: The weights of the network as first trained: it says which images.
        bounds_file: Bounds of the network, where the experiment asks for stored ones.
        journal: Where finished attacks are recorded.
        out: The folder of attacks.csv and of the attacked images, adversarial.npz.
        retrained_file: The weights of the network that is attacked instead, if it was retrained.

    Raises:
        InputError: The scale has no such attacks, or a file cannot be used.
        CheckError: An answer failed its independent check.
    """
    questions = part_of(settings, experiment, paper_network, part)
    chosen = attacks_of(settings, experiment, paper_network)
    assert chosen is not None  # part_of found attacks
    split = split_of(experiment)
    victim = load_victim(settings, paper_network, network_file, split)
    victim.demand(most_images(chosen), {each.label for each in questions}, experiment)
    trained_on, chooser = questions[0].trained_on, victim.network
    if (trained_on is None) is not (retrained_file is None):
        raise InputError(
            subject=f"part {part} of experiment {experiment} on {paper_network}",
            found=f"retrained network {retrained_file}",
            expected="none" if trained_on is None else f"the one retrained on {trained_on}",
            mend="name the network that this part attacks; the workflow does so by itself",
        )
    if retrained_file is not None:
        retrained = settings["zhu"]["networks"][paper_network]
        network = network_of(retrained, paper_network, retrained_file)
        victim = dataclasses.replace(victim, network=network)
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
        method = read_bounds(bounds_file, victim)
    depends = {
        "code": code_digest(*CODE),
        "network": victim.network.digest,
        "images": [victim.images.digest, chooser.digest],
        "zhu": [settings["zhu"][name] for name in ("ratio", "margin")],
        "attack": {name: chosen[name] for name in _DECISIVE},  # type: ignore[literal-required]
        "bounds": file_digest(bounds_file) if bounds_file is not None else None,
        "seed": settings["seed"],
        "threads": settings["threads"],
    }
    common = identity(settings, victim, experiment) | {
        "trained_on": trained_on,
        "examples_added": examples_added(settings, paper_network, trained_on),
    }
    answers = answered(
        journal,
        depends,
        settings["reuse"],
        questions,
        _key,
        lambda question: {
            "common": common,
            **_answer(settings, victim, chosen, method, question, journal.parent),
        },
    )
    rows = [answer["common"] | answer["row"] for answer in answers]
    # Recorded as null, a pixel that is not there comes back as None.
    images = np.array([answer["adversarial"] for answer in answers], np.float64)
    write_attacks(out, rows, images)


def _key(question: Question) -> str:
    label = "" if question.label is None else f" label={question.label}"
    return f"distance={question.distance} rank={question.rank}{label}"


def _answer(
    settings: Settings,
    victim: Victim,
    chosen: ExactAttacks,
    bounds: Any,
    question: Question,
    failures: Path,
) -> dict[str, Any]:
    """The row of one attack, and the attacked image, NaN without one."""
    index = int(victim.correct_of(question.label)[question.rank])
    image, label = victim.images.images[index], int(victim.images.labels[index])
    row: Row = {
        "image": index,
        "rank": int(np.searchsorted(victim.correct, index)),
        "label": label,
        "target": (label + _SHIFT) % CLASSES,
        "ratio": settings["zhu"]["ratio"],
        "distance_name": question.distance,
        **{name: chosen[name] for name in _DECISIVE},  # type: ignore[literal-required]
    }
    nothing = [None] * image.size
    predicted = int(predictions(victim.network, image[None])[0])
    if predicted != label:
        # Only a retrained network may: it needs no attack, and the row is left out of all means.
        row |= {"predicted": predicted, "status": "misclassified"}
        return {"row": row, "adversarial": nothing}
    attack = minimal_attack(
        victim.network,
        image,
        label,
        question.distance,
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
