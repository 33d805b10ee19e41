"""Fine-tuning runs: each is done, checked, attacked, and recorded before the next begins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from advmip.checking.finetuned import check_finetuned
from advmip.durability.storage import array_digest
from advmip.experiments.rows import Row, write_rows
from advmip.experiments.solving import solved
from advmip.experiments.zhao_kronqvist.catalogue import CODE, FINETUNING_KINDS
from advmip.experiments.zhao_kronqvist.classifier import Classifier, load_classifier, load_points
from advmip.experiments.zhao_kronqvist.columns import accuracies, identity
from advmip.experiments.zhao_kronqvist.instances import Run, adversarial_folder, shard_of
from advmip.finetuning import Finetuned, finetune
from advmip.finetuning_settings import FinetuningRuns
from advmip.gradient_attacks import AdversarialSet
from advmip.networks import Network
from advmip.provenance import code_digest
from advmip.settings import Settings

_SECONDS = ("seconds_projection", "seconds_gradient", "seconds_line_search")
# What a run's rows depend on among the settings that the runs of an experiment share.
_DECISIVE = ("iterations", "fixed_ratio", "complete_pool", "accuracy_per_iteration")


def finetuning_runs(
    settings: Settings,
    experiment: str,
    paper_network: str,
    shard: int,
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
        shard: Which of the experiment's jobs on this network.
        network_file: The network's weights.
        adversarial_sets: The folder of the sets made by `adversarial_sets`, job by job.
        journal: Where finished runs are recorded.
        out: The folder of the rows: evaluations.csv, iterations.csv and pool.csv.

    Raises:
        InputError: The scale has no such runs, a file cannot be used, or cuts are infeasible.
        CheckError: An answer failed its independent check.
    """
    runs = shard_of(settings, experiment, paper_network, shard)
    classifier = load_classifier(settings, paper_network, network_file)
    instances = [
        _Instance(settings, experiment, classifier, run, adversarial_sets, journal.parent)
        for run in runs
    ]
    results = solved(
        journal,
        _identity(settings, classifier),
        settings["reuse"],
        instances,
        lambda instance: instance.key,
        lambda instance: instance.solve(),
    )
    for kind in FINETUNING_KINDS:
        rows = [result["common"] | row for result in results for row in result[kind]]
        write_rows(kind, rows, out / f"{kind}.csv")


@dataclass(frozen=True)
class _Instance:
    """A run with all that it needs."""

    settings: Settings
    experiment: str
    classifier: Classifier
    run: Run
    adversarial_sets: Path
    failures: Path

    @property
    def chosen(self) -> FinetuningRuns:
        """What the runs of the experiment share."""
        return self.settings["zk"]["experiments"][self.experiment][self.classifier.paper_network]

    @cached_property
    def points(self) -> AdversarialSet:
        """The adversarial points of the run."""
        attack, paper_network = self.run.attack, self.classifier.paper_network
        folder = adversarial_folder(self.settings, self.adversarial_sets, paper_network, attack)
        return load_points(folder / attack.file_name).take(self.run.adversarial_count)

    @cached_property
    def key(self) -> str:
        """The run's name in the journal: what decides its rows, and other runs do not share."""
        shared = {name: self.chosen[name] for name in _DECISIVE}  # type: ignore[literal-required]
        digest = array_digest(self.points.inputs, self.points.labels)[:16]
        run = vars(self.run.attack) | {
            "adversarial_count": self.run.adversarial_count,
            "radius": self.run.radius,
        }
        parts = {**run, **shared, "adversarial_set": digest}
        return " ".join(f"{name}={value}" for name, value in parts.items())

    def solve(self) -> dict[str, Any]:
        """Do the run, check it, and attack what it chose.

        Returns:
            The columns that its rows have in common, and the rows by kind.
        """
        shared, chosen, run = self.settings["zk"], self.chosen, self.run
        protocol, seed = run.attack.protocol, run.attack.seed
        tuned = finetune(
            self.classifier.network,
            self.classifier.loss_images,
            self.points,
            iterations=chosen["iterations"],
            omega=shared["omega"],
            margin=shared["margin"],
            radius=run.radius,
            fixed_ratio=chosen["fixed_ratio"],
            sweeps=shared["sweeps"],
            complete_pool=chosen["complete_pool"],
            seed=seed,
        )
        common = identity(self.settings, self.classifier, self.experiment, protocol, seed)
        return {
            "common": common
            | {
                "adversarial_count": run.adversarial_count,
                "attacked_images": run.attack.attacked_images,
                "radius": run.radius,
                "fixed_ratio": chosen["fixed_ratio"],
                "iterations": chosen["iterations"],
            },
            "evaluations": self._evaluations(tuned),
            "iterations": self._iterations(tuned),
            "pool": tuned.pool.to_dict("records"),
        }

    def _evaluations(self, tuned: Finetuned) -> list[Row]:
        """One row for each omega and one for the last iterate; equal choices are attacked once."""
        seconds = {name: float(tuned.iterations[name].sum()) for name in _SECONDS}
        last = tuned.pool[tuned.pool["iteration"] == self.chosen["iterations"]].iloc[-1]
        candidates = [(omega, tuned.choice(omega)) for omega in tuned.omega] + [(None, last)]
        results: dict[tuple[int, float], Row] = {}
        rows = []
        for omega, candidate in candidates:
            place = (int(candidate["iteration"]), float(candidate["alpha"]))
            if place not in results:
                violation, loss = float(candidate["violation"]), float(candidate["loss"])
                network = tuned.candidate(*place)
                self._check(network, violation, loss)
                results[place] = {
                    "method": "fine-tuned",
                    "chosen_iteration": place[0],
                    "chosen_alpha": place[1],
                    "violation": violation,
                    "training_loss": loss,
                    "seconds_total": tuned.seconds,
                    **seconds,
                    **self._attacked(network),
                }
            rows.append({"omega": omega, **results[place]})
        return rows

    def _iterations(self, tuned: Finetuned) -> list[Row]:
        # The points are given: no time goes into their separation.
        rows = tuned.iterations.drop(columns="seconds_separation").to_dict("records")
        if self.chosen["accuracy_per_iteration"]:
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
            train=self.classifier.loss_images,
            seed=self.run.attack.seed,
            folder=self.failures,
        )

    def _attacked(self, network: Network) -> Row:
        attack = self.run.attack
        return accuracies(self.classifier, network, attack.protocol, attack.seed)


def _identity(settings: Settings, classifier: Classifier) -> dict[str, Any]:
    """What every result of a job depends on."""
    chosen = classifier.settings
    return {
        "code": code_digest(*CODE["finetuning"]),
        "network": classifier.network.digest,
        "datasets": [classifier.train.digest, classifier.test.digest],
        "images": [chosen["training_images"], chosen["test_images"]],
        "attack": chosen["attack"],
        "omega": settings["zk"]["omega"],
        "margin": settings["zk"]["margin"],
        "sweeps": settings["zk"]["sweeps"],
    }
