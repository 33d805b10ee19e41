"""Runs that go on until images are proved robust: what the experiments that have them share."""

from __future__ import annotations

import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from advmip.certified_finetuning import robustify
from advmip.certified_finetuning.balls import Images
from advmip.certified_finetuning.descent import descend_on_bounds
from advmip.datasets import Dataset
from advmip.experiments.origin import network_columns, origin_columns
from advmip.experiments.rows import Row
from advmip.experiments.solving import key_of, solved
from advmip.experiments.zhao_kronqvist.catalogue import CODE
from advmip.experiments.zhao_kronqvist.certified_instances import (
    CERTIFICATES,
    INITIAL,
    LINEAR_BOUNDS,
    POINTS,
    PROTOCOL,
    CertifiedRun,
)
from advmip.experiments.zhao_kronqvist.proved_shares import ProvedShares
from advmip.finetuning import InfeasibleCutsError
from advmip.finetuning.parameters import distance
from advmip.finetuning_settings import ProvingRuns
from advmip.gradient_attacks import accuracy
from advmip.networks import Network
from advmip.provenance import code_digest
from advmip.settings import Settings

# What a run's row depends on among the settings that the runs of a network share.
_DECISIVE = ("iterations", "time_limit", "separation_time_limit", "image_time_limit")

Tuned = tuple[Network, Row]
Way = Callable[[CertifiedRun, Images, Path], Tuned]


@dataclass(frozen=True)
class Start:
    """A network that runs start from, with its data.

    Attributes:
        paper_network: The source's name for it.
        network: The network, on the processor.
        train: All training images.
        loss_images: Those that the training loss is taken over.
        test: The test images that accuracies are taken over.
    """

    paper_network: str
    network: Network
    train: Dataset
    loss_images: Dataset
    test: Dataset


class ProvingJob(ABC):
    """What the runs of a job have in common, and the rows of those that are done.

    Args:
        settings: All settings.
        experiment: The experiment.
        start: The network with its data.
        limits: The settings of the runs that all experiments have.
        pgd_iterations: Steps of the attack that proofs are held against.
        journal: Where finished runs are recorded; on the way to them iterates and verdicts are kept
            in a folder of its name.
    """

    # Whether images that the network gets wrong are to be made right.
    repair = False

    def __init__(
        self,
        settings: Settings,
        experiment: str,
        start: Start,
        limits: ProvingRuns,
        pgd_iterations: int,
        journal: Path,
    ) -> None:
        self.settings, self.experiment, self.start, self.limits = (
            settings,
            experiment,
            start,
            limits,
        )
        self._pgd_iterations, self.journal = pgd_iterations, journal
        self._rows: dict[CertifiedRun, Row] = {}

    def done(self, runs: Sequence[CertifiedRun]) -> list[Row]:
        """The rows of runs; each goes into the journal before the next begins."""
        # Descent lasts as long as the cuts took: they come first.
        for part in (
            [run for run in runs if run.method != LINEAR_BOUNDS],
            [run for run in runs if run.method == LINEAR_BOUNDS],
        ):
            reuse = self.settings["reuse"]
            rows = solved(self.journal, self.identity, reuse, part, key_of, self._row)
            self._rows.update(zip(part, rows, strict=True))
        return [self._rows[run] for run in runs]

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What every result depends on."""
        start = self.start
        return {
            "code": code_digest(*CODE[self.experiment]),
            "network": start.network.digest,
            "datasets": [start.train.digest, start.test.digest],
            "threads": self.settings["threads"],
            **{name: self.limits[name] for name in _DECISIVE},  # type: ignore[literal-required]
            **self.decisive(),
        }

    @abstractmethod
    def decisive(self) -> Mapping[str, Any]:
        """What else every result depends on."""

    @abstractmethod
    def images(self, run: CertifiedRun) -> Images:
        """The training images of a run."""

    @abstractmethod
    def measured(
        self, run: CertifiedRun, network: Network, images: Images, shares: ProvedShares
    ) -> Row:
        """The columns of what the new weights are worth."""

    def ways(self) -> dict[str, Way]:
        """What is done by each method."""
        return {
            INITIAL: lambda run, images, folder: (self.start.network, {}),
            CERTIFICATES: self._robustified,
            POINTS: self._robustified,
            LINEAR_BOUNDS: self._descended,
        }

    def _row(self, run: CertifiedRun) -> Row:
        """Do a run, and see what its weights are worth."""
        folder = self.journal.with_suffix("") / key_of(run).replace(" ", ",")
        start, images = self.start, self.images(run)
        begun = time.process_time()
        try:
            network, found = self.ways()[run.method](run, images, folder)
        except InfeasibleCutsError:
            seconds = time.process_time() - begun
            network, found = start.network, {"stopped": "infeasible", "seconds_total": seconds}
        shares = ProvedShares(
            network=network,
            epsilon=run.epsilon,
            time_limit=self.limits["image_time_limit"],
            threads=self.settings["threads"],
            pgd_iterations=self._pgd_iterations,
            seed=run.seed,
            journal=folder / "verdicts.jsonl",
            identity=self.identity,
            reuse=self.settings["reuse"],
            failures=self.journal.parent,
        )
        code = CODE[self.experiment]
        row = {
            **network_columns(self.experiment, start.paper_network, start.network, start.train),
            **origin_columns(self.settings, "zk", code, protocol=PROTOCOL, seed=run.seed),
            "method": run.method,
            "epsilon": run.epsilon,
            "training_images": run.images,
            "test_images": len(start.test.labels),
            "time_limit": self.limits["time_limit"],
            "distance": distance(start.network.body, network.body),
            "clean_accuracy": accuracy(network, start.test.images, start.test.labels),
            **found,
            **self.measured(run, network, images, shares),
            "status": "ok",
            "checked": True,
        }
        shutil.rmtree(folder)
        return row

    def _robustified(self, run: CertifiedRun, images: Images, folder: Path) -> Tuned:
        """Theorem 1 as an algorithm; certificates rest on linear forms alone."""
        certified = run.method == CERTIFICATES
        found = robustify(
            self.start.network,
            self.start.loss_images,
            images,
            run.epsilon,
            cuts="certificates" if certified else "points",
            iterations=self.limits["iterations"],
            unfit="leave-out",
            repair=self.repair,
            test=self.start.test,
            time_limit=self.limits["time_limit"],
            separation_time_limit=0.0 if certified else self.limits["separation_time_limit"],
            image_time_limit=self.limits["image_time_limit"],
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

    def _descended(self, run: CertifiedRun, images: Images, folder: Path) -> Tuned:
        """Training on bounds for as long as the cuts of certificates took."""
        seconds = self._rows[run._replace(method=CERTIFICATES)]["seconds_total"]
        begun = time.process_time()
        network = descend_on_bounds(
            self.start.network,
            self.start.loss_images,
            images,
            run.epsilon,
            seconds=seconds,
            seed=run.seed,
        )
        return network, {"stopped": "time", "seconds_total": time.process_time() - begun}
