"""Images that a published network gets wrong, made right with a ball around each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from advmip.certified_finetuning.balls import Images
from advmip.certified_finetuning.descent import descend_on_images
from advmip.certified_finetuning.last_layer import repair_last_layer
from advmip.datasets import Dataset
from advmip.datasets.fog import fogged
from advmip.errors import InputError
from advmip.experiments.data import first_images, load_split, shuffled
from advmip.experiments.networks import network_of
from advmip.experiments.rows import Row
from advmip.experiments.zhao_kronqvist.certified_instances import (
    FOG,
    GRADIENT,
    GRADIENT_WITH_TRAINING,
    LAST_LAYER_L1,
    LAST_LAYER_LINF,
    REPAIRS,
    CertifiedRun,
)
from advmip.experiments.zhao_kronqvist.proved_shares import ProvedShares
from advmip.experiments.zhao_kronqvist.proving import ProvingJob, Start, Tuned, Way
from advmip.gradient_attacks import accuracy
from advmip.networks import Network
from advmip.settings import Settings

# Steps of the attack that proofs are held against.
_PGD_ITERATIONS = 40
_BATCH = 1000

_NORMS: dict[str, Literal["l1", "linf"]] = {LAST_LAYER_L1: "l1", LAST_LAYER_LINF: "linf"}
_DECISIVE = ("fog", "searched_images", "other_images", "training_images")


class RepairsJob(ProvingJob):
    """Runs from images that the network gets wrong; others that it gets wrong are held out.

    Args:
        settings: All settings.
        paper_network: A name of `benmhenni.networks` in the settings.
        network_file: The network.
        journal: As for `ProvingJob`.

    Raises:
        InputError: A file cannot be used.
    """

    repair = True

    def __init__(
        self, settings: Settings, paper_network: str, network_file: Path, journal: Path
    ) -> None:
        self._chosen = settings["zk"]["repair"][paper_network]
        network = network_of(settings, paper_network, network_file).cpu().frozen()
        name = network.architecture.dataset
        train, test = (load_split(settings, name, split) for split in ("train", "test"))
        start = Start(
            paper_network=paper_network,
            network=network,
            train=train,
            loss_images=first_images(train, self._chosen["training_images"]),
            test=test,
        )
        self._wrong = cache(self._wrong_images)
        super().__init__(settings, REPAIRS, start, self._chosen, _PGD_ITERATIONS, journal)

    def decisive(self) -> Mapping[str, Any]:
        """The numbers of images, and the fog."""
        return {name: self._chosen[name] for name in _DECISIVE}  # type: ignore[literal-required]

    def images(self, run: CertifiedRun) -> Images:
        """The run's training images: the first of those wrong in the order that its seed draws.

        Raises:
            InputError: There are too few, none being left beside them.
        """
        wrong = self._wrong(run.task, run.seed)
        if len(wrong.labels) <= run.images:
            raise InputError(
                subject=f"training images of {self.start.paper_network}, {run.task}",
                found=f"{len(wrong.labels)} that it gets wrong",
                expected=f"more than {run.images}: those to be repaired, and others",
                mend="ask for fewer (image_counts), or search more images (searched_images)",
            )
        pairs = zip(wrong.images[: run.images], wrong.labels[: run.images].tolist(), strict=True)
        return list(pairs)

    def measured(
        self, run: CertifiedRun, network: Network, images: Images, shares: ProvedShares
    ) -> Row:
        """How many images come right: of those chosen, in balls around them, and of others."""
        wrong, most = self._wrong(run.task, run.seed), self._chosen["other_images"]
        others = slice(run.images, run.images + most)
        right = None
        if images:
            chosen = wrong.images[: run.images], wrong.labels[: run.images]
            right = accuracy(network, *chosen)
        return {
            "task": run.task,
            "training_right": right,
            "other_images": len(wrong.labels[others]),
            "others_right": accuracy(network, wrong.images[others], wrong.labels[others]),
            "verified_images": 0,
            **shares.row([], images),
        }

    def ways(self) -> dict[str, Way]:
        """With descent on the images, and linear programs of the last layer."""
        return super().ways() | {
            GRADIENT: self._trained,
            GRADIENT_WITH_TRAINING: self._trained,
            LAST_LAYER_L1: self._last_layer,
            LAST_LAYER_LINF: self._last_layer,
        }

    def _wrong_images(self, task: str, seed: int) -> Dataset:
        """The images that the network gets wrong, in an order that a seed draws.

        Of the first training images so many are searched, as they are or in fog.
        """
        searched = first_images(self.start.train, self._chosen["searched_images"])
        if task == FOG:
            images = fogged(searched.images, self._chosen["fog"], self.settings["seed"])
            searched = replace(searched, images=images)
        wrong = _answers(self.start.network, searched) != searched.labels
        chosen = replace(searched, images=searched.images[wrong], labels=searched.labels[wrong])
        return shuffled(chosen, seed)

    def _trained(self, run: CertifiedRun, images: Images, folder: Path) -> Tuned:
        """Descent on the loss of the images until they are right, beside training images or not."""
        begun = time.process_time()
        network = descend_on_images(
            self.start.network,
            self.start.loss_images if run.method == GRADIENT_WITH_TRAINING else None,
            images,
            seconds=self.limits["time_limit"],
            seed=run.seed,
        )
        right = all(network.answer(image) == label for image, label in images)
        stopped = "converged" if right else "time"
        return network, {"stopped": stopped, "seconds_total": time.process_time() - begun}

    def _last_layer(self, run: CertifiedRun, images: Images, folder: Path) -> Tuned:
        """The linear program of the last layer."""
        begun = time.process_time()
        network, status = repair_last_layer(
            self.start.network,
            images,
            norm=_NORMS[run.method],
            time_limit=self.limits["time_limit"],
            threads=self.settings["threads"],
            seed=run.seed,
        )
        return network, {
            "stopped": status.value,
            "seconds_total": time.process_time() - begun,
        }


@torch.no_grad()
def _answers(network: Network, data: Dataset) -> np.ndarray[Any, Any]:
    """The classes that a network gives to images (N,)."""
    parts = (data.images[start : start + _BATCH] for start in range(0, len(data.labels), _BATCH))
    return torch.cat([network(torch.from_numpy(part)).argmax(dim=1) for part in parts]).numpy()
