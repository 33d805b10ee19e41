"""Attacked images beside the original ones (Figures 3 and 5)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advmip.checking.attacks import check_attack
from advmip.experiments.exact.attacked_network import (
    AttackedNetwork,
    load_attacked_network,
)
from advmip.experiments.rows import Row, write_rows
from advmip.experiments.zhu.attacked_images import read_attacks
from advmip.experiments.zhu.catalogue import CODE, attack_shards
from advmip.experiments.zhu.instances import CLASSES
from advmip.mip.distances import Box, distance_named
from advmip.mip.goals import targeted
from advmip.pictures import picture_columns
from advmip.settings import Settings

Images = NDArray[np.float64]


def gallery(
    settings: Settings, paper_network: str, network_file: Path, shards: Path, out: Path
) -> None:
    """Write originals and attacked images as rows; each is checked again as it was stored.

    Args:
        settings: All settings.
        paper_network: "DNN1" to "DNN5".
        network_file: The network's weights.
        shards: The folder of row files, by job.
        out: The file of pictures.

    Raises:
        InputError: A file is missing or damaged, or rows and images do not belong together.
        CheckError: A stored image is not the attack that its row says it is.
    """
    attacked_network = load_attacked_network(settings, paper_network, network_file)
    common = attacked_network.columns(settings, "zhu", "gallery", CODE["gallery"])
    rows: dict[tuple[int, str], Row] = {}
    for shard in attack_shards(settings, "gallery", paper_network):
        for attack, flat in zip(*read_attacks(shards / shard), strict=True):
            index = int(attack["image"])
            image = attacked_network.images.images[index].astype(np.float64)
            rows[index, ""] = _picture("original", attack, image)
            if np.isfinite(flat).all():
                shown = flat.reshape(image.shape)
                _check(settings, attacked_network, attack, image, shown, out.parent)
                rows[index, attack["distance_name"]] = _picture(
                    attack["distance_name"], attack, shown
                )
    write_rows("pictures", [common | row for row in rows.values()], out)


def _picture(shown: str, attack: Row, image: Images) -> Row:
    about = {"shown": shown, "image": attack["image"], "label": attack["label"]}
    return {**about, **picture_columns(image), "status": "ok", "checked": True}


def _check(
    settings: Settings,
    attacked_network: AttackedNetwork,
    attack: Row,
    image: Images,
    shown: Images,
    failures: Path,
) -> None:
    """What the row claims, of the image as it was stored."""
    measure = distance_named(attack["distance_name"])
    change = (shown - image).ravel()
    goal = targeted(
        int(attack["target"]), CLASSES, settings["zhu"]["ratio"], settings["zhu"]["margin"]
    )
    check_attack(
        attacked_network.network,
        image=image,
        adversarial=shown,
        claimed=float(attack["distance"]),
        measured=measure.value(change, Box.around(image.ravel(), image.shape)),
        surplus=lambda logits: float(goal.surplus(logits)) + goal.margin,
        folder=failures,
    )
