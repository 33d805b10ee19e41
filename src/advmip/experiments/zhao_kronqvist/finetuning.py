"""Fine-tuning runs: each is done, checked, attacked, and recorded before the next begins."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from advmip.checking.finetuned import check_finetuned
from advmip.experiments.rows import Row, write_rows
from advmip.experiments.subject import Subject, load_points, load_subject
from advmip.experiments.zhao_kronqvist.answers import CODE, accuracies, identity
from advmip.experiments.zhao_kronqvist.runs import Run, adversarial_folder, part_of
from advmip.finetuning import Finetuned, finetune
from advmip.gradient_attacks import AdversarialSet
from advmip.journal import Journal
from advmip.networks import Network
from advmip.provenance import code_digest
from advmip.settings import Settings, Shards
from advmip.storage import array_digest

_log = logging.getLogger(__name__)

# What decides the rows of a run: finished runs stay valid while these sources stay as they are.
_CODE = (*CODE, "checking.finetuned", "experiments.zhao_kronqvist.finetuning", "finetuning")
_KINDS = ("evaluations", "iterations", "pool")
_SECONDS = ("seconds_projection", "seconds_gradient", "seconds_line_search")
# What a run's rows depend on among the settings that the runs of an experiment share.
_DECISIVE = ("iterations", "fixed_ratio", "complete_pool", "accuracy_per_iteration")


def finetuning_runs(
    settings: Settings,
    experiment: str,
    paper_network: str,
    part: int,
    network_file: Path,
    adversarial_sets: Path,
    journal: Path,
    out: Path,
) -> None:
    """Do the fine-tuning runs of one job.

    Each run goes into a journal, with its evaluations, as soon as it is finished: a process that
    is killed goes on behind the last one.

    Args:
        settings: All settings.
        experiment: A key of `zk.experiments` in the settings.
        paper_network: "CNNLight", "CNN" or "ResNet8".
        part: Which of the experiment's jobs on this network.
        network_file: The network's weights.
        adversarial_sets: The folder of the sets made by `adversarial_sets`, job by job.
        journal: Where finished runs are recorded.
        out: The folder of the rows: evaluations.csv, iterations.csv and pool.csv.

    Raises:
        InputError: The scale has no such runs, a file cannot be used, or cuts are infeasible.
        CheckError: An answer failed its independent check.
    """
    runs = part_of(settings, experiment, paper_network, part)
    subject = load_subject(settings, paper_network, network_file)
    instances = [
        _Instance(settings, experiment, subject, run, adversarial_sets, journal.parent)
        for run in runs
    ]
    with Journal(journal, _dependences(settings, subject), settings["reuse"]) as finished:
        _finish([instance for instance in instances if instance.key not in finished], finished)
        answers = [finished.get(instance.key) for instance in instances]
    for kind in _KINDS:
        rows = [answer["common"] | row for answer in answers for row in answer[kind]]
        write_rows(kind, rows, out / f"{kind}.csv")


@dataclass(frozen=True)
class _Instance:
    """A run with all that it needs."""

    settings: Settings
    experiment: str
    subject: Subject
    run: Run
    adversarial_sets: Path
    failures: Path

    @property
    def shards(self) -> Shards:
        """What the runs of the experiment share."""
        return self.settings["zk"]["experiments"][self.experiment][self.subject.paper_network]

    @cached_property
    def points(self) -> AdversarialSet:
        """The adversarial points of the run."""
        attack, paper_network = self.run.attack, self.subject.paper_network
        folder = adversarial_folder(self.settings, self.adversarial_sets, paper_network, attack)
        return load_points(folder / attack.file_name).take(self.run.adversarial_count)

    @cached_property
    def key(self) -> str:
        """The run's name in the journal: what decides its rows, and other runs do not share."""
        shared = {name: self.shards[name] for name in _DECISIVE}  # type: ignore[literal-required]
        digest = array_digest(self.points.inputs, self.points.labels)[:16]
        run = vars(self.run.attack) | {
            "adversarial_count": self.run.adversarial_count,
            "radius": self.run.radius,
        }
        parts = {**run, **shared, "adversarial_set": digest}
        return " ".join(f"{name}={value}" for name, value in parts.items())

    def answer(self) -> dict[str, Any]:
        """Do the run, check it, and attack what it chose.

        Returns:
            The columns that its rows have in common, and the rows by kind.
        """
        shared, shards, run = self.settings["zk"], self.shards, self.run
        protocol, seed = run.attack.protocol, run.attack.seed
        tuned = finetune(
            self.subject.network,
            self.subject.loss_images,
            self.points,
            iterations=shards["iterations"],
            omega=shared["omega"],
            margin=shared["margin"],
            radius=run.radius,
            fixed_ratio=shards["fixed_ratio"],
            sweeps=shared["sweeps"],
            complete_pool=shards["complete_pool"],
            seed=seed,
        )
        common = identity(self.settings, self.subject, self.experiment, protocol, seed)
        return {
            "common": common
            | {
                "adversarial_count": run.adversarial_count,
                "attacked_images": run.attack.attacked_images,
                "radius": run.radius,
                "fixed_ratio": shards["fixed_ratio"],
                "iterations": shards["iterations"],
            },
            "evaluations": self._evaluations(tuned),
            "iterations": self._iterations(tuned),
            "pool": tuned.pool.to_dict("records"),
        }

    def _evaluations(self, tuned: Finetuned) -> list[Row]:
        """One row for each omega and one for the last iterate; equal choices are attacked once."""
        seconds = {name: float(tuned.iterations[name].sum()) for name in _SECONDS}
        last = tuned.pool[tuned.pool["iteration"] == self.shards["iterations"]].iloc[-1]
        candidates = [(omega, tuned.choice(omega)) for omega in tuned.omega] + [(None, last)]
        answers: dict[tuple[int, float], Row] = {}
        rows = []
        for omega, candidate in candidates:
            place = (int(candidate["iteration"]), float(candidate["alpha"]))
            if place not in answers:
                violation, loss = float(candidate["violation"]), float(candidate["loss"])
                network = tuned.candidate(*place)
                self._check(network, violation, loss)
                answers[place] = {
                    "method": "fine-tuned",
                    "chosen_iteration": place[0],
                    "chosen_alpha": place[1],
                    "violation": violation,
                    "training_loss": loss,
                    "seconds_total": tuned.seconds,
                    **seconds,
                    **self._attacked(network),
                }
            rows.append({"omega": omega, **answers[place]})
        return rows

    def _iterations(self, tuned: Finetuned) -> list[Row]:
        rows = tuned.iterations.to_dict("records")
        if self.shards["accuracy_per_iteration"]:
            for row in rows:
                iterate = tuned.candidate(int(row["iteration"]), 1.0)
                row["pgd_accuracy"] = self._attacked(iterate)["pgd_accuracy"]
        return [{str(name): value for name, value in row.items()} for row in rows]

    def _check(self, network: Network, violation: float, loss: float) -> None:
        check_finetuned(
            network,
            claimed_violation=violation,
            claimed_loss=loss,
            adversarial=self.points,
            train=self.subject.loss_images,
            seed=self.run.attack.seed,
            folder=self.failures,
        )

    def _attacked(self, network: Network) -> Row:
        attack = self.run.attack
        return accuracies(self.subject, network, attack.protocol, attack.seed)


def _dependences(settings: Settings, subject: Subject) -> dict[str, Any]:
    """What every answer of a job depends on."""
    chosen = subject.settings
    return {
        "code": code_digest(*_CODE),
        "network": subject.network.digest,
        "datasets": [subject.train.digest, subject.test.digest],
        "images": [chosen["training_images"], chosen["test_images"]],
        "attack": chosen["attack"],
        "omega": settings["zk"]["omega"],
        "margin": settings["zk"]["margin"],
        "sweeps": settings["zk"]["sweeps"],
    }


def _finish(instances: list[_Instance], finished: Journal) -> None:
    """Do the runs that are not finished, and record each."""
    begun = time.perf_counter()
    for number, instance in enumerate(instances, 1):
        _log.info("run %d of %d: %s", number, len(instances), instance.run)
        finished.record(instance.key, instance.answer())
        spent = time.perf_counter() - begun
        rest = spent / number * (len(instances) - number)
        _log.info("%.0f s so far, about %.0f s left", spent, rest)
