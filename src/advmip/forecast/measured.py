"""What finished instances took: from rows, journals, benchmarks, and tables kept of them."""

from __future__ import annotations

import csv
import gzip
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from advmip.durability.journal import entries_of
from advmip.errors import InputError
from advmip.experiments.outputs import Outputs
from advmip.forecast import work
from advmip.forecast.jobs import jobs_of
from advmip.forecast.snapshot_tables import samples_of_tables
from advmip.forecast.times import Sample
from advmip.forecast.work import label
from advmip.reporting.zhao_kronqvist.names import ADDED_DATA, ADVERSARIAL_TRAINING
from advmip.settings import Settings, load_settings

Row = Mapping[str, Any]

# What a limit ended: an attack without its proof, a verification without a verdict.
_STOPPED = {"feasible", "unknown"}
_KINDS = (
    *("attacks", "perturbations", "verifications", "answers", "bounds", "evaluations"),
    "robustness",
)
_MEGABYTE = 1024.0**2


class Measured:
    """All that is known of what was run.

    Attributes:
        samples: The times of instances.
        memory: The most memory of jobs, in bytes, by rule and network.
        unread: Folders whose settings are no longer settings, so that nothing is known of them.
    """

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.memory: dict[tuple[str, str], float] = {}
        self.unread: list[Path] = []

    def add_results(self, folder: Path, outputs: Outputs, workflow: Path) -> None:
        """Take in the results of one scale, finished or not."""
        try:
            settings = load_settings(folder / "config.yaml", workflow)
        except InputError:
            self.unread.append(folder)
            return
        self.samples += _samples(settings, _rows(folder))
        for name, job in jobs_of(settings, outputs).items():
            benchmark = _benchmark(folder / "benchmarks" / f"{name}.tsv")
            if benchmark is None:
                continue
            seconds, memory = benchmark
            efforts = [effort for instance in job.instances for effort in instance.efforts]
            for effort in efforts:
                key = job.rule, effort.kind.network
                self.memory[key] = max(memory, self.memory.get(key, 0.0))
            if not job.recorded:
                (effort,) = efforts
                self.samples.append(Sample(effort.kind, seconds / effort.amount))

    def add_snapshot(self, folder: Path, workflow: Path) -> None:
        """Take in what is kept of a scale's results: rows, and tables for what these lack."""
        try:
            settings = load_settings({"scale": folder.name}, workflow)
        except InputError:
            self.unread.append(folder)
            return
        rows = list(_samples(settings, _rows(folder)))
        self.samples += _and_others(rows, samples_of_tables(settings, folder))


def measured(results: Path, outputs: Outputs, workflow: Path) -> Measured:
    """What the results of all scales say, and for scales without any their snapshots.

    Args:
        results: The folder of results, a folder for each scale, and snapshots in `reference/`.
        outputs: What `workflow/outputs.yaml` holds.
        workflow: The folder with `scales/` and `schemas/`.
    """
    found = Measured()
    for folder in sorted(path.parent for path in results.glob("*/config.yaml")):
        found.add_results(folder, outputs, workflow)
    kept = Measured()
    for folder in sorted(path for path in (results / "reference").glob("*") if path.is_dir()):
        kept.add_snapshot(folder, workflow)
    # A machine's own times come before those of the machine that a snapshot was made on.
    found.samples = _and_others(found.samples, kept.samples)
    found.unread += kept.unread
    return found


def _and_others(samples: list[Sample], others: list[Sample]) -> list[Sample]:
    """Samples, and those of other kinds from elsewhere."""
    known = {sample.kind for sample in samples}
    return samples + [sample for sample in others if sample.kind not in known]


def _rows(folder: Path) -> dict[tuple[str, ...], tuple[str, Row]]:
    """All rows below a folder, each instance once, with their kinds."""
    found: dict[tuple[str, ...], tuple[str, Row]] = {}
    for kind in _KINDS:
        for path in sorted(folder.rglob(f"{kind}.csv*")):
            opened = gzip.open if path.suffix == ".gz" else open
            with opened(path, "rt", newline="") as file:
                for row in csv.DictReader(file):
                    found[_identity(kind, row)] = kind, row
    for path in sorted((folder / "journals").rglob("*.jsonl")):
        for kind, answer in _recorded(path):
            texts = {name: "" if value is None else str(value) for name, value in answer.items()}
            found.setdefault(_identity(kind, texts), (kind, texts))
    return found


def _identity(kind: str, row: Row) -> tuple[str, ...]:
    columns = (
        *("source", "experiment", "paper_network", "network", "trained_on", "image", "epsilon"),
        *("distance_name", "method", "variant", "bounds", "solver", "time_limit", "instance"),
        *("protocol", "seed"),
        *("adversarial_count", "attacked_images", "radius", "fixed_ratio", "iterations", "omega"),
        *("training_images", "verified_images", "task"),
    )
    return (kind, *(str(row.get(column) or "") for column in columns))


def _recorded(path: Path) -> Iterator[tuple[str, Row]]:
    """The rows that a journal holds."""
    for entry in entries_of(path):
        result = entry["result"]
        common = result.get("common", {})
        if "row" in result:
            yield "attacks", common | result["row"]
        elif "variant" in result:
            yield "verifications", result
        elif "vnnlib" in result:
            yield "answers", result
        elif "distance_name" in result:
            yield "attacks", result
        elif "training_images" in result:
            yield "robustness", result
        for kind in ("evaluations", "perturbations"):
            for row in result.get(kind, ()):
                yield kind, common | row


def _samples(
    settings: Settings, rows: Mapping[tuple[str, ...], tuple[str, Row]]
) -> Iterator[Sample]:
    networks: dict[str, Any] = {
        **settings["zhu"]["networks"],
        **settings["benmhenni"]["networks"],
    }

    def network(row: Row) -> str:
        chosen = networks.get(row["paper_network"])
        if chosen is not None and chosen["architecture"] == row["network"]:
            return label(chosen)
        return str(row["network"])

    for kind, row in rows.values():
        stopped = row.get("outcome") in _STOPPED
        if kind == "attacks" and row["status"] in ("ok", "refused"):
            how = row["solver"], row["formulation"], row["bounds"]
            about = work.attack(network(row), row["distance_name"], *how)
            # Refused as soon as the model is there: nothing beside what others take.
            seconds = float(row["seconds_total"]) if row["status"] == "ok" else 0.0
            yield Sample(about, seconds, stopped and row["status"] == "ok")
        elif kind == "perturbations":
            about = work.visible_attack(network(row), row["method"])
            yield Sample(about, float(row["seconds_total"]), stopped)
        elif kind == "verifications":
            about = work.verification(row["network"], float(row["epsilon"]), row["variant"])
            yield Sample(about, float(row["seconds_total"]), stopped)
        elif kind == "answers":
            about = work.answering(row["paper_network"], row["solver"])
            late = row["answer"] == "timeout"
            yield Sample(about, float(row["seconds_total"]), late)
        elif kind == "bounds":
            yield Sample(work.bounding(network(row), row["bounds"]), float(row["seconds"]))
        elif kind == "robustness":
            yield from _robustness(row)
    evaluations = [row for kind, row in rows.values() if kind == "evaluations"]
    yield from _retrainings(settings, evaluations)
    yield from _finetunings(settings, evaluations)


def _robustness(row: Row) -> Iterator[Sample]:
    """Two samples a run: its fine-tuning, if it is any, and the verification of images."""
    epsilon, images = float(row["epsilon"]), int(row["training_images"])
    verified = work.proofs(row["network"], epsilon, int(row["verified_images"]) + images)
    if verified.amount:
        yield Sample(verified.kind, float(row["seconds_evaluation"]) / verified.amount)
    if row.get("seconds_total"):
        tuned = work.certified(row["network"], epsilon, images, row["method"])
        yield Sample(tuned.kind, float(row["seconds_total"]))


def _retrainings(settings: Settings, evaluations: Iterable[Row]) -> Iterator[Sample]:
    for row in evaluations:
        chosen = settings["networks"].get(row["paper_network"])
        if row["method"] in (ADDED_DATA, ADVERSARIAL_TRAINING) and chosen is not None:
            effort = work.retraining(row["network"], row["method"], chosen["retraining"]["epochs"])
            yield Sample(effort.kind, float(row["seconds_total"]) / effort.amount)


def _finetunings(settings: Settings, evaluations: Iterable[Row]) -> Iterator[Sample]:
    """Three samples a run: its quadratic programs, its passes, and the attacks on what it chose."""
    seen: set[tuple[str, ...]] = set()
    for row in evaluations:
        chosen = settings["networks"].get(row["paper_network"])
        if row["method"] != "fine-tuned" or chosen is None:
            continue
        network, iterations = row["network"], int(row["iterations"])
        images = int(row["test_images"])
        attacked = work.evaluations(network, row["protocol"], images)
        yield Sample(attacked.kind, float(row["seconds_evaluation"]) / attacked.amount)
        run = _identity("", {**row, "omega": ""})
        if run in seen:
            continue
        seen.add(run)
        count, ratio = int(row["adversarial_count"]), float(row["fixed_ratio"] or 0.0)
        programs = work.projections(network, count, ratio, iterations)
        projection = float(row["seconds_projection"])
        yield Sample(programs.kind, projection / programs.amount)
        others = work.passes(network, iterations, work.training_images(chosen))
        yield Sample(others.kind, (float(row["seconds_total"]) - projection) / others.amount)


def _benchmark(path: Path) -> tuple[float, float] | None:
    """Seconds and bytes of a job, as Snakemake measured them; None if it has not ended."""
    if not path.is_file():
        return None
    with path.open(newline="") as file:
        row = next(csv.DictReader(file, delimiter="\t"), None)
    if row is None:
        return None
    memory = _number(row.get("max_rss"))
    return _number(row.get("s")), 0.0 if math.isnan(memory) else memory * _MEGABYTE


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan
