"""Rows of exact attacks, as experiments write them, with the thesis's own numbers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from example_rows import PAPERS

from advmip.experiments.rows import COLUMNS, write_rows
from advmip.reporting.plan import Plan
from advmip.reporting.rows import Rows
from advmip.reporting.sources import Block, Source, read_sources

IMAGES = 100
EUCLIDEAN = 2.0
SOURCE = read_sources(PAPERS)["zhu"]


def attack(network: str, experiment: str, name: str, rank: int, **found: Any) -> dict[str, Any]:
    """The row of one attack, solved in a second."""
    return {
        "source": "zhu",
        "experiment": experiment,
        "network": network.lower(),
        "paper_network": network,
        "dataset": "mnist",
        "protocol": "published",
        "seed": 0,
        "trained_on": None,
        "examples_added": 0,
        "rank": rank,
        "distance_name": name,
        "bounds": experiment,
        "time_limit": 300.0,
        "gap": 1e-4,
        "outcome": "optimal",
        "distance": 7.70,
        "lower_bound": 7.70,
        "changed_pixels": 12,
        "total_change": 11.12,
        "euclidean": 1.9,
        "nodes": 313,
        "seconds_total": 0.5 + 0.01 * rank,
        "status": "ok",
        "checked": True,
        **found,
    }


def accuracy(
    trained_on: str | None, tested_on: str | None, percent: float, added: int
) -> dict[str, Any]:
    """The row of the accuracy of DNN1."""
    row = attack("DNN1", "test_examples", "l1", 0)
    kept = {name: row[name] for name in COLUMNS["accuracies"] if name in row}
    return kept | {
        "trained_on": trained_on,
        "distance_name": tested_on,
        "examples_added": added,
        "accuracy": percent,
        "test_images": 1000,
    }


def written(folder: Path, rows: dict[str, list[dict[str, Any]]]) -> Path:
    """Row files of every kind, those without rows too."""
    for kind in COLUMNS:
        write_rows(kind, rows.get(kind, []), folder / f"{kind}.csv")
    return folder


class ThesisRows:
    """Rows whose means are the thesis's printed numbers."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in COLUMNS}
        self.source: Source = SOURCE
        for block in self.source.blocks.values():
            # The attacks of Table 8 are those of its objectives; its changes follow from them.
            if block.is_change:
                continue
            for keys, numbers in block.values:
                match = {**block.match, **keys}
                if block.rows == "attacks":
                    self._attacks(block, match, numbers)
                elif block.rows == "accuracies":
                    trained_on, tested_on = match["trained_on"], match["distance_name"]
                    added = 0 if trained_on is None else 1000
                    percent = numbers["accuracy"]
                    self.rows["accuracies"].append(accuracy(trained_on, tested_on, percent, added))
                else:
                    self._once(block.rows, match, numbers)
        # The attacks of Tables 4 to 6 on DNN1 are also those that Table 8 compares with.
        self.rows["attacks"] += [
            row | {"experiment": "test_examples"}
            for row in self.rows["attacks"]
            if (row["experiment"], row["paper_network"]) == ("progressive", "DNN1")
            and row["distance_name"] in ("l0", "l1", "l2-17", "linf")
        ]

    @property
    def plan(self) -> Plan:
        """The plan of exactly these rows."""
        distances: dict[tuple[str, str], set[str]] = {}
        for row in self.rows["attacks"]:
            key = row["experiment"], row["paper_network"]
            distances.setdefault(key, set()).add(row["distance_name"])
        known = {key: frozenset(names) for key, names in distances.items()}
        return Plan({}, {}, {}, True, known)

    def change(self, kind: str, match: dict[str, Any], **values: Any) -> ThesisRows:
        """Set columns of the rows that match."""
        for row in self.rows[kind]:
            if all(row.get(column) == value for column, value in match.items()):
                row.update(values)
        return self

    def read(self, folder: Path) -> Rows:
        """The rows through their files."""
        return Rows(written(folder, self.rows), self.plan)

    def _attacks(self, block: Block, match: dict[str, Any], numbers: dict[str, float]) -> None:
        solved = round(numbers.get("solved", 100.0 - numbers.get("at_limit", 0.0)))
        # Where all are solved the thesis's gap is within what it asked for.
        gap = numbers.get("gap_left", 0.0) / 100.0 * IMAGES / max(1, IMAGES - solved)
        objective = numbers.get("objective", EUCLIDEAN * (1 + numbers.get("bound_gap", 0.0) / 100))
        for rank in range(IMAGES):
            open_gap = gap if rank >= solved else 0.0
            found = {
                "time_limit": block.time_limit,
                "outcome": "optimal" if rank < solved else "feasible",
                "distance": objective,
                "lower_bound": objective * (1 - open_gap),
                "total_change": numbers.get("total_change", math.nan),
                "euclidean": EUCLIDEAN,
                "nodes": numbers.get("nodes", 0),
                "seconds_total": numbers.get("seconds_total", 1.0),
                "trained_on": match.get("trained_on"),
                "examples_added": block.comparable.get("examples_added", 0),
            }
            name = match["distance_name"]
            self.rows["attacks"].append(
                attack(match["paper_network"], match["experiment"], name, rank, **found)
            )

    def _once(self, kind: str, match: dict[str, Any], numbers: dict[str, float]) -> None:
        row = attack(match["paper_network"], match.get("experiment", "bounds"), "l1", 0)
        row |= {"bounds": match.get("bounds"), "hidden_layers": "8 8 8", "unstable": 9}
        # "Every model could be solved in less than a second" (Section 5.1).
        row |= {"seconds_solver": 0.5} | numbers
        self.rows[kind].append({name: row[name] for name in COLUMNS[kind] if name in row})
