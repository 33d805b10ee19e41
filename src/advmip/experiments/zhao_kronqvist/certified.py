"""Networks made robust at a few training images, and what is proved of images of the test set."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advmip.certified_finetuning.balls import Images
from advmip.checking.finetuned import check_finetuned
from advmip.errors import InputError
from advmip.experiments.data import first_images, shuffled
from advmip.experiments.rows import Row
from advmip.experiments.zhao_kronqvist.certified_instances import (
    PGD_POINTS,
    PROOFS,
    PROTOCOL,
    CertifiedRun,
)
from advmip.experiments.zhao_kronqvist.classifier import load_classifier
from advmip.experiments.zhao_kronqvist.proved_shares import ProvedShares
from advmip.experiments.zhao_kronqvist.proving import ProvingJob, Start, Tuned, Way
from advmip.finetuning import finetune
from advmip.gradient_attacks import PROTOCOLS, AttackSettings, generate_adversarial_set
from advmip.networks import Network
from advmip.settings import Settings


class ProofsJob(ProvingJob):
    """Runs from images that the network knows, and proofs of images of the test set.

    Args:
        settings: All settings.
        paper_network: "CNNLight" or "CNN".
        network_file: The network's weights.
        journal: As for `ProvingJob`.

    Raises:
        InputError: A file cannot be used.
    """

    def __init__(
        self, settings: Settings, paper_network: str, network_file: Path, journal: Path
    ) -> None:
        self._classifier = classifier = load_classifier(settings, paper_network, network_file)
        self._chosen = settings["zk"]["certified"][paper_network]
        start = Start(
            paper_network=paper_network,
            network=classifier.network.cpu(),
            train=classifier.train,
            loss_images=classifier.loss_images,
            test=classifier.test,
        )
        steps = classifier.attack.iterations
        super().__init__(settings, PROOFS, start, self._chosen, steps, journal)

    def decisive(self) -> Mapping[str, Any]:
        """The attack, the numbers of images, and the margin of Algorithm 1."""
        known = self._classifier.settings
        return {
            "images": [known["training_images"], known["test_images"]],
            "attack": known["attack"],
            "margin": self.settings["zk"]["margin"],
            "verified_images": self._chosen["verified_images"],
            "attacked_images": self._chosen["attacked_images"],
        }

    def images(self, run: CertifiedRun) -> Images:
        """The run's training images: of those drawn by its seed the first that are known.

        Raises:
            InputError: The network knows too few.
        """
        drawn = shuffled(self.start.train, run.seed)
        known: list[tuple[NDArray[np.float32], int]] = []
        for image, label in zip(drawn.images, drawn.labels.tolist(), strict=True):
            if len(known) == run.images:
                return known
            if self.start.network.answer(image) == label:
                known.append((image, label))
        raise InputError(
            subject=f"training images of {self.start.paper_network}",
            found=f"{len(known)} that it classifies correctly",
            expected=f"{run.images}, as the settings ask for",
            mend="ask for fewer (image_counts), or train it for longer",
        )

    def measured(
        self, run: CertifiedRun, network: Network, images: Images, shares: ProvedShares
    ) -> Row:
        """What is proved of test images, and of the training images."""
        test = first_images(self.start.test, self._chosen["verified_images"])
        pairs = list(zip(test.images, map(int, test.labels), strict=True))
        return {"verified_images": len(pairs), **shares.row(pairs, images)}

    def ways(self) -> dict[str, Way]:
        """With Algorithm 1 beside the others."""
        return super().ways() | {PGD_POINTS: self._corrected}

    def _corrected(self, run: CertifiedRun, images: Images, folder: Path) -> Tuned:
        """Algorithm 1 as published, with as many points, which PGD finds in balls of this size."""
        begun = time.process_time()
        attack = self._classifier.attack
        points = generate_adversarial_set(
            self.start.network,
            first_images(shuffled(self.start.train, run.seed), self._chosen["attacked_images"]),
            PROTOCOLS[PROTOCOL],
            AttackSettings(
                run.epsilon, attack.step / attack.epsilon * run.epsilon, attack.iterations
            ),
            per_label=run.images // 10,
            seed=run.seed,
            progress=False,
        ).take(run.images)
        separation = time.process_time() - begun
        data = self.start.loss_images
        tuned = finetune(
            self.start.network,
            data,
            points,
            omega=(0.0,),
            margin=self.settings["zk"]["margin"],
            seed=run.seed,
            progress=False,
        )
        chosen, network = tuned.choice(0.0), tuned.model(0.0)
        check_finetuned(
            network,
            claimed_violation=chosen["violation"],
            claimed_loss=chosen["loss"],
            adversarial=points,
            train=data,
            seed=run.seed,
            folder=self.journal.parent,
        )
        names = ("seconds_gradient", "seconds_projection", "seconds_line_search")
        return network, {
            "iterations": len(tuned.iterations),
            "points": len(points.labels),
            "constraints": tuned.iterations["rows"].max(),
            "stopped": "iterations",
            "seconds_total": separation + tuned.seconds,
            "seconds_separation": separation,
            **{name: tuned.iterations[name].sum() for name in names},
        }
