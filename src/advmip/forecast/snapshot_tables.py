"""The times that the tables of a snapshot tell, where no rows are kept: means over instances."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from advmip.experiments.tjeng.instances import name_of
from advmip.experiments.zhu.instances import attacks_of
from advmip.forecast import work
from advmip.forecast.times import Sample
from advmip.forecast.work import Kind, label
from advmip.reporting.ben_mhenni.instances import INSTANCES
from advmip.reporting.tjeng.names import STAGES, WHOLE
from advmip.reporting.zhao_kronqvist.names import ADDED_DATA, ADVERSARIAL_TRAINING
from advmip.reporting.zhu.ablation import VARIANTS
from advmip.reporting.zhu.names import PROGRESSIVE
from advmip.settings import Settings

Row = Mapping[str, str]

# The experiments that the lines of a table are made from.
_MODELS = {
    "zhu_table2": {"basic model": "basic", "exact bounds": "exact", "weaker bounds": "weaker"},
    "zhu_table3": {"basic model": "long_basic", "weaker bounds": "long_weaker"},
}
_VARIANTS = {title: experiment for experiment, title in VARIANTS.items()} | {
    "the linear programs": "without_relaxation"  # so called before linear forms joined them
}
_STAGES = {title: stage for stage, title in STAGES.items()}


class _Mean(NamedTuple):
    """A mean over instances, some of which had no answer when their time was up.

    Attributes:
        seconds: Of an instance.
        images: How many instances.
        unfinished: The share of those without an answer, from 0 to 1.
    """

    seconds: float
    images: float
    unfinished: float


def samples_of_tables(settings: Settings, folder: Path) -> list[Sample]:
    """Samples from the tables and figures of a snapshot; those that it lacks are left out.

    Args:
        settings: The settings of its scale.
        folder: The folder with `tables/` and `figures/`, and with `rows/` of some sources, whose
            tables are not needed.
    """
    readers = {"zhu": _thesis, "benmhenni": _solvers, "tjeng": _verifiers, "zk": _finetuning}
    return [
        sample
        for source, samples in readers.items()
        if not (folder / "rows" / source).is_dir()
        for sample in samples(settings, folder)
    ]


def _read(folder: Path, name: str) -> list[Row]:
    for kind in ("tables", "figures"):
        path = folder / kind / f"{name}.csv"
        if path.is_file():
            with path.open(newline="") as file:
                return list(csv.DictReader(file))
    return []


def _quantities(rows: list[Row], *keys: str) -> dict[tuple[str, ...], dict[str, Row]]:
    """The rows of a tidy table that have a number of ours, by these columns and by quantity."""
    found: dict[tuple[str, ...], dict[str, Row]] = {}
    for row in rows:
        if row["ours"]:
            found.setdefault(tuple(row[key] for key in keys), {})[row["quantity"]] = row
    return found


def _samples(kind: Kind, mean: _Mean, limit: float) -> Iterator[Sample]:
    """A mean in two samples: of those that ended, and of those that their limit ended."""
    share = mean.unfinished
    if share > 0:
        yield Sample(kind, limit, True, share * mean.images)
    if share < 1:
        ended = max(mean.seconds - share * limit, 0.0) / (1.0 - share)
        yield Sample(kind, ended, False, (1.0 - share) * mean.images)


def _thesis(settings: Settings, folder: Path) -> Iterator[Sample]:
    networks = settings["zhu"]["networks"]

    def attacks(experiment: str, name: str, distance: str, mean: _Mean) -> Iterator[Sample]:
        chosen = attacks_of(settings, experiment, name)
        if chosen is not None:
            how = chosen["solver"], chosen["formulation"], chosen["bounds"]
            kind = work.attack(label(networks[name]), distance, *how)
            yield from _samples(kind, mean, chosen["time_limit"])

    for table, models in _MODELS.items():
        for (name, model), found in _quantities(_read(folder, table), "network", "model").items():
            if model in models and "seconds_total" in found:
                yield from attacks(models[model], name, "l1", _mean(found))
            if model in models and "seconds" in found:
                bounding = work.bounding(label(networks[name]), models[model])
                yield Sample(bounding, float(found["seconds"]["ours"]))
    for table in ("zhu_table4", "zhu_table5", "zhu_table6"):
        keys = "paper_network", "distance_name"
        for (name, distance), found in _quantities(_read(folder, table), *keys).items():
            if "seconds_total" in found:
                yield from attacks(PROGRESSIVE, name, distance, _mean(found))
    for row in _read(folder, "zhu_extension1"):
        experiment = _VARIANTS[row["left_out"]]
        if experiment != PROGRESSIVE:
            unfinished = 1.0 - float(row["solved"]) / 100.0
            mean = _Mean(float(row["seconds_total"]), float(row["images"]), unfinished)
            yield from attacks(experiment, row["network"], "l1", mean)


def _mean(found: Mapping[str, Row]) -> _Mean:
    """The mean time of the thesis's attacks."""
    seconds = found["seconds_total"]
    if "solved" in found:
        unfinished = 1.0 - float(found["solved"]["ours"]) / 100.0
    else:
        unfinished = float(found["at_limit"]["ours"]) / 100.0
    return _Mean(float(seconds["ours"]), float(seconds["seeds"]), unfinished)


def _solvers(settings: Settings, folder: Path) -> Iterator[Sample]:
    """From Table 3, and for networks that it lacks from Figure 7."""
    networks = settings["benmhenni"]["networks"]
    compared = settings["benmhenni"]["experiments"]["efficiency"]["networks"]

    def kind(name: str, distance: str, solver: str) -> Kind:
        bounds = compared[name]["bounds"]
        return work.attack(label(networks[name]), distance, solver, "big-m", bounds)

    printed = set()
    keys = "paper_network", "distance_name", "solver"
    table = _quantities(_read(folder, "benmhenni_table3"), *keys)
    for (name, distance, solver), found in table.items():
        if name in compared and {"seconds_total", "unfinished"} <= found.keys():
            printed.add((name, distance, solver))
            seconds, unfinished = found["seconds_total"], float(found["unfinished"]["ours"])
            mean = _Mean(float(seconds["ours"]), float(seconds["seeds"]), unfinished / INSTANCES)
            chosen = compared[name]
            limit = chosen["time_limit_by_solver"].get(solver, chosen["time_limit"])
            yield from _samples(kind(name, distance, solver), mean, limit)
    for row in _read(folder, "benmhenni_figure7"):
        name, distance, solver = (row[key] for key in keys)
        if name in compared and (name, distance, solver) not in printed:
            stopped = row["at_limit"] == "True"
            weight = float(row["images"])
            yield Sample(kind(name, distance, solver), float(row["seconds"]), stopped, weight)


def _verifiers(settings: Settings, folder: Path) -> Iterator[Sample]:
    experiments = settings["tjeng"]["experiments"]

    def verifications(
        experiment: str, name: str, epsilon: str, variant: str, mean: _Mean
    ) -> Iterator[Sample]:
        chosen = experiments.get(experiment, {}).get(name)
        if chosen is not None:
            kind = work.verification(name_of(settings, name), float(epsilon), variant)
            yield from _samples(kind, mean, chosen["time_limit"])

    table = _read(folder, "tjeng_table1")
    for (name, variant), found in _quantities(table, "network", "variant").items():
        mean = _verified(found, float(found["unfinished"]["ours"]))
        for epsilon in experiments["ablation"][name]["epsilons"]:
            yield from verifications("ablation", name, f"{epsilon}", variant, mean)
    table = _read(folder, "tjeng_table2")
    for (name, radius), found in _quantities(table, "network", "epsilon").items():
        open_share = float(found["upper_error"]["ours"]) - float(found["lower_error"]["ours"])
        mean = _verified(found, open_share)
        yield from verifications("adversarial_error", name, radius, WHOLE, mean)
    for row in _read(folder, "tjeng_extension1"):
        open_share = float(row["unbroken"]) - float(row["certified"])
        mean = _Mean(float(row["seconds"]), float(row["images"]), open_share / 100.0)
        stage = _STAGES[row["stage"]]
        yield from verifications("finetuned", row["network"], row["epsilon"], stage, mean)


def _verified(found: Mapping[str, Row], unfinished: float) -> _Mean:
    """The mean time of verifications, of which so many percent had no verdict."""
    seconds = found["seconds"]
    return _Mean(float(seconds["ours"]), float(seconds["seeds"]), unfinished / 100.0)


def _finetuning(settings: Settings, folder: Path) -> Iterator[Sample]:
    totals: dict[tuple[str, str], dict[str, float]] = {}
    for row in _read(folder, "zk_figure4"):
        if row["curve"] == "ours":
            run = row["network"], row["adversarial_count"]
            totals.setdefault(run, {})[row["quantity"]] = float(row["seconds"])
    for (name, count), seconds in totals.items():
        chosen = settings["networks"][name]
        runs = settings["zk"]["experiments"]["tables"][name]
        network, iterations = label(chosen), runs["iterations"]
        programs = work.projections(network, int(count), runs["fixed_ratio"], iterations)
        yield Sample(programs.kind, seconds["QPs"] / programs.amount)
        others = work.passes(network, iterations, work.training_images(chosen))
        yield Sample(others.kind, (seconds["total"] - seconds["QPs"]) / others.amount)
    for row in _read(folder, "zk_table1"):
        if row["quantity"] == "seconds_total" and row["ours"]:
            method, chosen = row["method"], settings["networks"][row["network"]]
            if method in (ADDED_DATA, ADVERSARIAL_TRAINING):
                epochs = chosen["retraining"]["epochs"]
                effort = work.retraining(label(chosen), method, epochs)
                yield Sample(effort.kind, float(row["ours"]) / effort.amount)
