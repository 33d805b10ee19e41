"""Networks made robust at a few training images, and what is proved of images of the test set."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advmip.certified_finetuning import robustify
from advmip.certified_finetuning.balls import Images
from advmip.certified_finetuning.descent import descend_on_bounds
from advmip.checking.finetuned import check_finetuned
from advmip.datasets import Dataset
from advmip.errors import InputError
from advmip.experiments.data import first_images
from advmip.experiments.rows import Row, write_rows
from advmip.experiments.solving import key_of, solved
from advmip.experiments.zhao_kronqvist.catalogue import CODE
from advmip.experiments.zhao_kronqvist.certified_instances import (
    CERTIFICATES,
    EXPERIMENT,
    INITIAL,
    LINEAR_BOUNDS,
    PGD_POINTS,
    PROTOCOL,
    CertifiedRun,
    certified_shard_of,
)
from advmip.experiments.zhao_kronqvist.classifier import Classifier, load_classifier
from advmip.experiments.zhao_kronqvist.columns import identity
from advmip.experiments.zhao_kronqvist.proved_shares import ProvedShares
from advmip.finetuning import finetune
from advmip.finetuning.parameters import distance
from advmip.finetuning_settings import CertifiedRuns
from advmip.gradient_attacks import (
    PROTOCOLS,
    AttackSettings,
    accuracy,
    generate_adversarial_set,
)
from advmip.networks import Network
from advmip.provenance import code_digest
from advmip.settings import Settings

# What a run's row depends on among the settings that the runs of a network share.
_DECISIVE = (
    *("iterations", "time_limit", "separation_time_limit"),
    *("verified_images", "image_time_limit", "attacked_images"),
)


def certified_runs(
    settings: Settings,
    paper_network: str,
    shard: int,
    network_file: Path,
    journal: Path,
    out: Path,
) -> None:
    """Do the runs of one job, and verify images with the weights of each.

    Each run goes into a journal as soon as its images are verified; on the way to it iterates and
    verdicts are kept in a folder of the journal's name, so that a process that is killed goes on
    where it was.

    Args:
        settings: All settings.
        paper_network: "CNNLight" or "CNN".
        shard: Which of the jobs on this network.
        network_file: The network's weights.
        journal: Where finished runs are recorded.
        out: The rows, of kind "robustness".

    Raises:
        InputError: The scale has no such runs, a file cannot be used, there are too few points or
            images, or cuts are infeasible.
        CheckError: An answer failed its independent check.
    """
    runs = certified_shard_of(settings, paper_network, shard)
    classifier = load_classifier(settings, paper_network, network_file)
    classifier.network.cpu()
    job = _Job(settings, classifier, journal)
    # Descent lasts as long as the cuts took: they come first.
    for part in (
        [run for run in runs if run.method != LINEAR_BOUNDS],
        [run for run in runs if run.method == LINEAR_BOUNDS],
    ):
        rows = solved(journal, job.identity, settings["reuse"], part, key_of, job.row)
        job.rows.update(zip(part, rows, strict=True))
    write_rows("robustness", [job.rows[run] for run in runs], out)


@dataclass(frozen=True)
class _Job:
    """What the runs of a job have in common, and the rows of those that are done."""

    settings: Settings
    classifier: Classifier
    journal: Path
    rows: dict[CertifiedRun, Row] = field(default_factory=dict)

    @cached_property
    def chosen(self) -> CertifiedRuns:
        """The settings of the runs."""
        return self.settings["zk"]["certified"][self.classifier.paper_network]

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What every result depends on."""
        classifier = self.classifier
        return {
            "code": code_digest(*CODE[EXPERIMENT]),
            "network": classifier.network.digest,
            "datasets": [classifier.train.digest, classifier.test.digest],
            "images": [classifier.settings[name] for name in ("training_images", "test_images")],
            "attack": classifier.settings["attack"],
            "margin": self.settings["zk"]["margin"],
            "threads": self.settings["threads"],
            **{name: self.chosen[name] for name in _DECISIVE},  # type: ignore[literal-required]
        }

    def row(self, run: CertifiedRun) -> Row:
        """Do a run, and verify images with its weights."""
        folder = self.journal.with_suffix("") / key_of(run).replace(" ", ",")
        images = self._images(run)
        network, found = self._tuned(run, images, folder)
        shares = ProvedShares(
            network=network,
            epsilon=run.epsilon,
            time_limit=self.chosen["image_time_limit"],
            threads=self.settings["threads"],
            pgd_iterations=self.classifier.settings["attack"]["iterations"],
            seed=run.seed,
            journal=folder / "verdicts.jsonl",
            identity=self.identity,
            reuse=self.settings["reuse"],
            failures=self.journal.parent,
        )
        test = self.classifier.test
        verified = first_images(test, self.chosen["verified_images"])
        shown = identity(self.settings, self.classifier, EXPERIMENT, PROTOCOL, run.seed)
        row = {
            **shown,
            "method": run.method,
            "epsilon": run.epsilon,
            "training_images": run.images,
            "verified_images": len(verified.labels),
            "test_images": len(test.labels),
            "time_limit": self.chosen["time_limit"],
            "distance": distance(self.classifier.network.body, network.body),
            "clean_accuracy": accuracy(network, test.images, test.labels),
            **found,
            **shares.row(verified, images),
            "status": "ok",
            "checked": True,
        }
        shutil.rmtree(folder)
        return row

    def _images(self, run: CertifiedRun) -> Images:
        """The run's training images: of those drawn by its seed the first that are known.

        Raises:
            InputError: The network knows too few.
        """
        drawn = self._drawn(run.seed, None)
        known: list[tuple[NDArray[np.float32], int]] = []
        for image, label in zip(drawn.images, drawn.labels.tolist(), strict=True):
            if len(known) == run.images:
                return known
            if self.classifier.network.answer(image) == label:
                known.append((image, label))
        raise InputError(
            subject=f"training images of {self.classifier.paper_network}",
            found=f"{len(known)} that it classifies correctly",
            expected=f"{run.images}, as the settings ask for",
            mend="ask for fewer (image_counts), or train it for longer",
        )

    def _drawn(self, seed: int, count: int | None) -> Dataset:
        """So many training images in an order that a seed draws, all where it is None."""
        train = self.classifier.train
        order = np.random.default_rng(seed).permutation(len(train.labels))
        images, labels = train.images[order], train.labels[order]
        return first_images(Dataset(train.name, train.split, images, labels, train.digest), count)

    def _tuned(self, run: CertifiedRun, images: Images, folder: Path) -> tuple[Network, Row]:
        """The network that a run comes to, and the columns that say how."""
        if run.method == INITIAL:
            return self.classifier.network, {}
        if run.method == LINEAR_BOUNDS:
            return self._descended(run, images)
        if run.method == PGD_POINTS:
            return self._corrected(run)
        return self._robustified(run, images, folder)

    def _robustified(self, run: CertifiedRun, images: Images, folder: Path) -> tuple[Network, Row]:
        """Theorem 1 as an algorithm; certificates rest on linear forms alone."""
        certified = run.method == CERTIFICATES
        found = robustify(
            self.classifier.network,
            self.classifier.loss_images,
            images,
            run.epsilon,
            cuts="certificates" if certified else "points",
            iterations=self.chosen["iterations"],
            unfit="leave-out",
            test=self.classifier.test,
            time_limit=self.chosen["time_limit"],
            separation_time_limit=0.0 if certified else self.chosen["separation_time_limit"],
            image_time_limit=self.chosen["image_time_limit"],
            threads=self.settings["threads"],
            seed=run.seed,
            journal=folder / "iterates.jsonl",
            failures=self.journal.parent,
            progress=False,
        )
        parts = ("separation", "gradient", "projection", "line_search")
        seconds = {part: found.seconds.get(part, 0.0) for part in parts}
        return found.network, {
            "iterations": len(found.iterations),
            "points": found.points or None,
            "constraints": found.iterations["rows"].max() if len(found.iterations) else 0,
            "stopped": found.stopped,
            "seconds_total": sum(seconds.values()),
            **{f"seconds_{part}": value for part, value in seconds.items()},
        }

    def _corrected(self, run: CertifiedRun) -> tuple[Network, Row]:
        """Algorithm 1 as published, with as many points, which PGD finds in balls of this size."""
        begun = time.process_time()
        attack = self.classifier.settings["attack"]
        step = attack["step"] / attack["epsilon"]
        points = generate_adversarial_set(
            self.classifier.network,
            self._drawn(run.seed, self.chosen["attacked_images"]),
            PROTOCOLS[PROTOCOL],
            AttackSettings(run.epsilon, step * run.epsilon, attack["iterations"]),
            per_label=run.images // 10,
            seed=run.seed,
            progress=False,
        ).take(run.images)
        separation = time.process_time() - begun
        data = self.classifier.loss_images
        tuned = finetune(
            self.classifier.network,
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

    def _descended(self, run: CertifiedRun, images: Images) -> tuple[Network, Row]:
        """Training on bounds for as long as the cuts of certificates took."""
        seconds = self.rows[run._replace(method=CERTIFICATES)]["seconds_total"]
        begun = time.process_time()
        network = descend_on_bounds(
            self.classifier.network,
            self.classifier.loss_images,
            images,
            run.epsilon,
            seconds=seconds,
            seed=run.seed,
        )
        return network, {"stopped": "time", "seconds_total": time.process_time() - begun}
