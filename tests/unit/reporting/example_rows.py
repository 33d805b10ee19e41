"""Rows as experiments write them, from seeded formulas around the published values."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from example_ben_mhenni import ben_mhenni_rows, planned, planned_solvers
from example_pictures import picture_rows
from example_repairs import REPAIRED, repair_rows
from example_robustness import METHODS, robustness_rows
from example_vnncomp import planned_benchmarks, vnncomp_rows

from advmip.experiments.rows import COLUMNS, write_rows
from advmip.finetuning.pool import pareto_front
from advmip.reporting.plan import Plan, by_method
from advmip.reporting.rows import Rows
from advmip.reporting.sources import Source, read_sources
from advmip.reporting.verdicts import judge_source

PAPERS = Path(__file__).parents[3] / "workflow" / "papers"
STEMS = {"CNNLight": "cnn_light", "CNN": "cnn", "ResNet8": "resnet8"}
OWN = {
    "CNNLight": ("cnn_light", "mnist"),
    "CNN": ("cnn", "mnist"),
    "ResNet8": ("resnet8", "cifar10"),
}
STAND_INS = {
    "CNNLight": ("digits_cnn_light", "digits"),
    "CNN": ("digits_cnn", "digits"),
    "ResNet8": ("shapes_resnet", "shapes"),
}
PUBLISHED = {"MNIST-3x100": ("mnist_3x100", "mnist")}
PUBLISHED_STAND_INS = {"MNIST-3x50": ("digits_mnist_3x50", "digits")}
ACCURACIES = ("clean_accuracy", "fgsm_accuracy", "pgd_accuracy")
COUNTS = (10, 20, 30, 40, 50)
PROTOCOLS = ("published", "described")


class ExampleRows:
    """Rows of every experiment; the protocol as published gives the published values.

    Args:
        networks: Architecture and data set by network of the paper.
        seeds: Number of seeds of the tables' runs on the CNNs.
        spread: Standard deviation of accuracies over seeds, in points; the first seed has none.
        iterations: Iterations of the tables' runs.
        algorithm2: Whether ResNet8 is fine-tuned by Algorithm 2 too, three points better.
        counts: Numbers of adversarial examples.
    """

    def __init__(
        self,
        networks: dict[str, tuple[str, str]] = OWN,
        *,
        seeds: int = 1,
        spread: float = 0.0,
        iterations: int = 20,
        algorithm2: bool = False,
        counts: Sequence[int] = COUNTS,
    ) -> None:
        self.networks, self.seeds, self.spread = networks, seeds, spread
        self.iterations, self.counts, self.algorithm2 = iterations, counts, algorithm2
        self.repaired = PUBLISHED if networks is OWN else PUBLISHED_STAND_INS
        self.random = np.random.default_rng(0)
        self.rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in COLUMNS}
        self.source = read_sources(PAPERS)["zk"]
        for network in networks:
            for protocol in PROTOCOLS:
                self._network(network, protocol)
            if network != "ResNet8":
                for seed, row in robustness_rows(network, seeds):
                    self._rows("robustness", network, "described", "extension4", seed, **row)
        for network in self.repaired:
            for seed, row in repair_rows(seeds):
                self._rows("robustness", network, "described", "extension5", seed, **row)
        dnn1 = ("dnn1", "mnist") if networks is OWN else ("digits_dnn1", "digits")
        self.stand_ins = networks is not OWN
        for found in (
            picture_rows(*dnn1),
            ben_mhenni_rows(self.stand_ins),
            vnncomp_rows(self.stand_ins),
        ):
            for kind, rows in found.items():
                self.rows[kind] += rows

    @property
    def plan(self) -> Plan:
        """The plan of exactly these rows."""
        benchmarks = planned_benchmarks(self.stand_ins)
        repaired = {
            (by_method("extension5", method), network): frozenset({"linf"})
            for network in self.repaired
            for method in REPAIRED
        }
        experiments = {
            "tables": self.networks,
            "figure1": ["CNN"],
            "figure2": self.networks,
            "figure3": ["CNNLight", "CNN"],
            "extension1": ["CNNLight", "CNN"] if self.seeds > 1 else [],
            "algorithm2": ["ResNet8"] if self.algorithm2 else [],
            "extension2": ["CNN"],
            "extension3": ["CNNLight", "CNN"],
            **{by_method("extension4", each): ["CNNLight", "CNN"] for each in METHODS},
        }
        return Plan(
            counts={
                (experiment, protocol, network): frozenset(self.counts)
                for experiment, networks in experiments.items()
                for network in networks
                for protocol in PROTOCOLS
            },
            training_images=dict.fromkeys(self.networks),
            retraining_epochs=dict.fromkeys(self.networks, 10),
            released_weights=True,
            distances=planned() | benchmarks | repaired,
            solvers=planned_solvers() | benchmarks,
        )

    def change(self, kind: str, match: dict[str, Any], **values: Any) -> ExampleRows:
        """Set columns of the rows that match; an empty `values` removes the rows."""

        def hit(row: dict[str, Any]) -> bool:
            return all(row.get(column) == value for column, value in match.items())

        if not values:
            self.rows[kind] = [row for row in self.rows[kind] if not hit(row)]
        for row in self.rows[kind]:
            if hit(row):
                row.update(values)
        return self

    def write(self, folder: Path) -> Path:
        """Write the four row files, as the experiments would."""
        folder.mkdir(parents=True, exist_ok=True)
        for kind, rows in self.rows.items():
            write_rows(kind, rows, folder / f"{kind}.csv")
        return folder

    def _network(self, network: str, protocol: str) -> None:
        stem = STEMS[network]
        weaker = 1.0 if protocol == "published" else 0.8
        initial = dict(self.source.blocks[f"{stem}_initial"].values[0][1])
        self._evaluate(network, protocol, "initial", 0, "initial", 0, initial, weaker)
        retrained = self.source.blocks[f"{stem}_retrained"].values[0][1]
        self._evaluate(
            network, protocol, "added_data", 0, "adversarial data added", 50, retrained, weaker
        )
        trained = {"clean_accuracy": 95.0, "fgsm_accuracy": 80.0, "pgd_accuracy": 78.0}
        self._evaluate(
            network,
            protocol,
            "adversarial_training",
            0,
            "PGD adversarial training",
            60000,
            trained,
            weaker,
        )
        self._rows("timings", network, protocol, "timing", 0, what="training loss", seconds=0.5)
        seeds = 1 if network == "ResNet8" else self.seeds
        for seed in range(seeds):
            experiment = "extension1" if seed else "tables"
            for keys, numbers in self.source.blocks[f"{stem}_finetuned"].values:
                if keys["adversarial_count"] in self.counts:
                    self._tune(network, protocol, experiment, seed, keys, numbers, self.iterations)
            for count in self.counts:
                published = self.source.blocks[f"{stem}_finetuned"].published
                keys = {"adversarial_count": count, "omega": 0.0}
                last = {
                    quantity: published(keys, quantity) - 0.5 * (quantity in ACCURACIES)
                    for quantity in ("training_loss", *ACCURACIES)
                }
                empty = {**keys, "omega": None}
                self._tune(network, protocol, experiment, seed, empty, last, self.iterations)
                self._course(network, protocol, experiment, seed, count, 0.0, self.iterations)
        for keys, numbers in self.source.blocks[f"{stem}_finetuned"].values:
            if keys["adversarial_count"] in self.counts:
                half = {name: number * 0.9 for name, number in numbers.items()}
                self._tune(network, protocol, "figure2", 0, keys, half, 2)
        if network == "ResNet8" and self.algorithm2:
            for keys, numbers in self.source.blocks[f"{stem}_finetuned"].values:
                better = {name: number + 3.0 for name, number in numbers.items()}
                self._tune(network, protocol, "algorithm2", 0, keys, better, self.iterations)
            for count in self.counts:
                self._course(network, protocol, "algorithm2", 0, count, 0.0, self.iterations)
        if network == "CNN":
            self._course(network, protocol, "figure1", 0, 50, 0.0, 5)
            for count in (100, 200, 500):
                more = {"training_loss": 0.03, **dict.fromkeys(ACCURACIES, 98 - 400 / count)}
                for omega in (0.0, 0.2, 0.4):
                    keys = {"adversarial_count": count, "omega": omega}
                    self._tune(network, protocol, "extension2", 0, keys, more, 20)
        if network != "ResNet8":
            for images in (1000, 10000):
                for omega in (0.0, 0.2, 0.4):
                    keys = {"adversarial_count": 50, "omega": omega}
                    more = self.source.blocks[f"{stem}_finetuned"].published
                    numbers = {
                        name: more(keys, name) + images / 5000
                        for name in ("training_loss", *ACCURACIES)
                    }
                    self._tune(
                        network, protocol, "extension3", 0, keys, numbers, self.iterations, images
                    )
            for radius in (0.0, 0.05):
                self._course(network, protocol, "figure3", 0, 50, radius, self.iterations)

    def _tune(
        self,
        network: str,
        protocol: str,
        experiment: str,
        seed: int,
        keys: dict[str, Any],
        numbers: dict[str, float],
        iterations: int,
        attacked_images: int | None = None,
    ) -> None:
        weaker = 1.0 if protocol == "published" else 0.9
        moved = {
            name: number
            + (seed > 0) * (name in ACCURACIES) * float(self.random.normal(0, self.spread))
            for name, number in numbers.items()
        }
        total = 2.0 * keys["adversarial_count"]
        self._evaluate(
            network,
            protocol,
            experiment,
            seed,
            "fine-tuned",
            keys["adversarial_count"],
            moved,
            weaker,
            omega=keys["omega"],
            radius=0.0,
            iterations=iterations,
            seconds_total=total,
            seconds_projection=0.03 * total,
            violation=0.1,
            attacked_images=attacked_images,
        )

    def _evaluate(
        self,
        network: str,
        protocol: str,
        experiment: str,
        seed: int,
        method: str,
        count: int,
        numbers: dict[str, float],
        weaker: float,
        **columns: Any,
    ) -> None:
        clean = {name: number for name, number in numbers.items() if name not in ACCURACIES[1:]}
        robust = {name: weaker * numbers[name] for name in ACCURACIES[1:]}
        self._rows(
            "evaluations",
            network,
            protocol,
            experiment,
            seed,
            method=method,
            adversarial_count=count,
            test_images=10000,
            status="ok",
            checked=True,
            **{"seconds_total": 60.0, **columns, **clean, **robust},
        )

    def _course(
        self,
        network: str,
        protocol: str,
        experiment: str,
        seed: int,
        count: int,
        radius: float,
        iterations: int,
    ) -> None:
        run = {"adversarial_count": count, "radius": radius, "iterations": iterations}
        first, loss = 250.0, 0.02
        started = len(self.rows["pool"])
        for iteration in range(iterations + 1):
            violation = first * 0.4**iteration * (0.7 if radius and iteration else 1.0)
            alphas = np.arange(1, 11) / 10 if iteration else [0.0]
            for alpha in alphas:
                self._rows(
                    "pool",
                    network,
                    protocol,
                    experiment,
                    seed,
                    **run,
                    iteration=iteration,
                    alpha=float(alpha),
                    violation=first + float(alpha) * (violation - first),
                    loss=loss + 0.002 * iteration * float(alpha) ** 2,
                    complete=True,
                    pareto=None,
                )
            if iteration:
                self._rows(
                    "iterations",
                    network,
                    protocol,
                    experiment,
                    seed,
                    **run,
                    iteration=iteration,
                    violation=violation,
                    loss=loss + 0.002 * iteration,
                    pgd_accuracy=60 - 50 * 0.7**iteration if experiment == "figure3" else None,
                    seconds_projection=0.01 * iteration,
                )

        candidates = self.rows["pool"][started:]
        front = pareto_front(
            np.array([row["violation"] for row in candidates]),
            np.array([row["loss"] for row in candidates]),
        )
        for row, optimal in zip(candidates, front, strict=True):
            row["pareto"] = bool(optimal)

    def _rows(
        self, kind: str, network: str, protocol: str, experiment: str, seed: int, **columns: Any
    ) -> None:
        architecture, dataset = {**self.networks, **self.repaired}[network]
        origin = {
            "advmip": "0.1.0",
            "python": "3.11.0",
            "torch": "2.15.0",
            "processor": "a processor",
            "cores": 2,
            "threads": 1,
            "date": f"2025-01-0{seed + 1}T00:00:00+00:00",
        }
        self.rows[kind].append(
            {
                "source": "zk",
                "experiment": experiment,
                "network": architecture,
                "paper_network": network,
                "dataset": dataset,
                "network_digest": "0" * 16,
                "dataset_digest": "1" * 16,
                "protocol": protocol,
                "seed": seed,
                "threads": 1,
                "code": "2" * 16,
                "provenance": json.dumps(origin),
                **columns,
            }
        )


@dataclass(frozen=True)
class Example:
    """Rows on disk with their plan."""

    folder: Path
    plan: Plan

    @property
    def rows(self) -> Rows:
        return Rows(self.folder, self.plan)


def written(rows: ExampleRows, folder: Path) -> Example:
    return Example(rows.write(folder), rows.plan)


def judged(example: Example, source: Source, claims: Collection[str]) -> pd.DataFrame:
    """The verdicts on some claims of a source, by the claims' names."""
    verdicts = judge_source(example.rows, source)
    return verdicts[verdicts["name"].isin(claims)].set_index("name")
