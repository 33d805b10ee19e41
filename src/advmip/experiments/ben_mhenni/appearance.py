"""Attacks by several methods, and how visible they are (Table 2, Figure 5)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from advmip.appearance import busy_share, structural_similarity, unchanged_share
from advmip.checking.attacks import check_attack
from advmip.experiments.ben_mhenni.catalogue import CODE
from advmip.experiments.ben_mhenni.instances import APPEARANCE, Instance, shard_of
from advmip.experiments.exact.attacked_network import (
    AttackedNetwork,
    load_attacked_networks,
)
from advmip.experiments.rows import Row, write_rows
from advmip.experiments.shards import networks_of
from advmip.experiments.solving import identity_of, key_of, solved
from advmip.gradient_attacks import (
    AttackSettings,
    CarliniWagnerSettings,
    carlini_wagner,
    fgsm,
    pgd,
)
from advmip.mip import minimal_attack
from advmip.mip.distances import (
    Box,
    Distance,
    L1PlusTotalVariation,
    TotalVariation,
    distance_named,
)
from advmip.mip.margins import lead
from advmip.networks import staged
from advmip.pictures import picture_columns
from advmip.settings import Appearance, Settings

Image = NDArray[np.float64]

GRADIENT_METHODS = ("fgsm", "pgd", "carlini-wagner")
_VARIATION = "l1+tv"
_ISOTROPIC, _OF_IMAGE = "isotropic", "image"


def visible_attacks(
    settings: Settings, shard: int, network_files: Mapping[str, Path], journal: Path, out: Path
) -> None:
    """Do the attacks of one job by every method, measure them, and keep pictures of grey ones.

    Every attack that succeeds is confirmed by the network itself.

    Args:
        settings: All settings.
        shard: Which of the experiment's jobs.
        network_files: The weights of the job's networks, by the paper's names.
        journal: Where finished attacks are recorded.
        out: The folder of perturbations.csv and pictures.csv.

    Raises:
        InputError: The scale has no such job, or a file cannot be used.
        CheckError: An answer failed its independent check.
    """
    instances = shard_of(settings, APPEARANCE, shard)
    shown = settings["benmhenni"]["experiments"]["appearance"]["networks"]
    images = {name: shown[name]["images"] for name in networks_of(instances)}
    attacked_networks = load_attacked_networks(settings, APPEARANCE, network_files, images)

    def solve(instance: Instance) -> dict[str, Any]:
        name = instance.paper_network
        attacked_network = attacked_networks[name]
        common = attacked_network.columns(settings, "benmhenni", APPEARANCE, CODE[APPEARANCE])
        found = _found(settings, attacked_network, shown[name], instance, journal.parent)
        return {kind: [common | row for row in rows] for kind, rows in found.items()}

    names = ("attack", "carlini_wagner", "time_limit", "gap")
    results = []
    for name, attacked_network in attacked_networks.items():
        # Of its network alone: others may share the job, or another one.
        identity = identity_of(
            settings,
            CODE[APPEARANCE],
            attacked_networks={name: attacked_network.digests},
            attacks={name: [shown[name][each] for each in names]},  # type: ignore[literal-required]
            margin=settings["benmhenni"]["margin"],
            variation_weight=settings["benmhenni"]["variation_weight"],
        )
        own = [each for each in instances if each.paper_network == name]
        results += solved(journal, identity, settings["reuse"], own, key_of, solve)
    for kind in ("perturbations", "pictures"):
        rows = [row for each in results for row in each[kind]]
        write_rows(kind, rows, out / f"{kind}.csv")


def minimised(method: str, image: Image, weight: float) -> Distance:
    """The distance that a method minimises.

    Args:
        method: A distance's name; "l1+tv" may be followed by "-image", for the variation of the
            attacked image in place of the perturbation's, and by "-isotropic", for that as it is
            printed.
        image: The original.
        weight: Of the variation.
    """
    name, *kinds = method.split("-")
    if name != _VARIATION:
        return distance_named(method)
    of = image.ravel() if _OF_IMAGE in kinds else None
    return L1PlusTotalVariation(weight, TotalVariation(_ISOTROPIC in kinds, of))


def _found(
    settings: Settings,
    attacked_network: AttackedNetwork,
    chosen: Appearance,
    instance: Instance,
    failures: Path,
) -> dict[str, list[Row]]:
    """The row of one attack, and the pictures of the original and of what was found."""
    index = int(attacked_network.correct[instance.rank])
    image = attacked_network.images.images[index].astype(np.float64)
    label = int(attacked_network.images.labels[index])
    about: Row = {"image": index, "label": label}
    row: Row = {**about, "rank": instance.rank, "method": instance.method}
    begun = time.process_time()
    if instance.method in GRADIENT_METHODS:
        attacked = _gradient_attack(settings, attacked_network, chosen, instance.method, image)
        row["outcome"] = "feasible"
    else:
        attack = minimal_attack(
            attacked_network.network,
            image,
            label,
            minimised(instance.method, image, settings["benmhenni"]["variation_weight"]),
            margin=settings["benmhenni"]["margin"],
            time_limit=chosen["time_limit"],
            gap=chosen["gap"],
            threads=settings["threads"],
            seed=settings["seed"],
            failures=failures,
        )
        attacked = image if attack.adversarial is None else attack.adversarial
        row |= {
            "outcome": attack.status.value,
            "distance": attack.distance,
            "lower_bound": attack.lower_bound,
            "solver_taken": attack.solver,
        }
    row["seconds_total"] = time.process_time() - begun
    predicted = int(staged(attacked_network.network).logits(attacked.ravel()).argmax())
    succeeded = predicted != label
    row |= {"success": 100.0 * succeeded, "status": "ok", "checked": True}
    if succeeded:
        _confirm(attacked_network, image, attacked, label, failures)
        row |= {
            "predicted": predicted,
            "unchanged_share": unchanged_share(image, attacked),
            "busy_share": busy_share(image, attacked),
            "similarity": 100.0 * structural_similarity(image, attacked),
            "total_change": float(np.abs(attacked - image).sum()),
            "variation": _variation(attacked - image),
            "image_variation": _variation(attacked),
        }
    pictures = []
    if len(image) == 1:
        shown = [("original", image)] + [(instance.method, attacked)] * succeeded
        pictures = [
            {**about, "shown": name, **picture_columns(each), "status": "ok", "checked": True}
            for name, each in shown
        ]
    return {"perturbations": [row], "pictures": pictures}


def _gradient_attack(
    settings: Settings,
    attacked_network: AttackedNetwork,
    chosen: Appearance,
    method: str,
    image: Image,
) -> Image:
    """What a gradient attack makes of an image; the attack is run in float32, as the network is."""
    inputs = torch.from_numpy(image[None].astype(np.float32))
    network, ball = attacked_network.network, AttackSettings(**chosen["attack"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings["seed"])
        if method == "fgsm":
            attacked = fgsm(network, inputs, ball.epsilon, clip=True)
        elif method == "pgd":
            attacked = pgd(network, inputs, ball, clip=True)
        else:
            attacked = carlini_wagner(
                network, inputs, CarliniWagnerSettings(**chosen["carlini_wagner"])
            )
    pixels: Image = attacked.numpy()[0].astype(np.float64)
    return pixels


def _confirm(
    attacked_network: AttackedNetwork, image: Image, attacked: Image, label: int, failures: Path
) -> None:
    """Ask the network itself whether the image has left its class."""
    length = float(np.abs(attacked - image).sum())
    check_attack(
        attacked_network.network,
        image=image,
        adversarial=attacked,
        claimed=length,
        measured=length,
        surplus=lambda logits: lead(logits, label),
        folder=failures,
    )


def _variation(values: Image) -> float:
    """The anisotropic total variation."""
    measure = TotalVariation()
    return measure.value(values.ravel(), Box.around(np.zeros(values.size), values.shape))
