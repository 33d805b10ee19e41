"""The questions of a benchmark: lines of the competition's files, or boxes around test images."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from advmip.datasets.dataset import CLASSES
from advmip.durability.storage import file_digest
from advmip.errors import InputError
from advmip.experiments.data import first_images, load_split
from advmip.experiments.vnncomp.catalogue import recipes_of
from advmip.experiments.vnncomp.instances import benchmark_of, spread
from advmip.properties import robustness
from advmip.settings import Settings
from advmip.vnncomp import Instance, read_instances

PUBLISHED = "published_results.csv"

_PUBLISHED_COLUMNS = ("benchmark", "onnx", "vnnlib", "tool", "result", "seconds")
# What rows call the data of the competition's own files.
_DATASET = "vnncomp"


@dataclass(frozen=True)
class Question:
    """An instance of a benchmark, and what rows say of it.

    Attributes:
        instance: What is asked, within the scale's time.
        published_limit: The seconds that the benchmark gives it.
        population: How many instances the benchmark has.
        dataset: The data set.
        network_digest: The first digits of the digest of the network's file.
        property_digest: Those of the property's file, or of the data set.
    """

    instance: Instance
    published_limit: float
    population: int
    dataset: str
    network_digest: str
    property_digest: str

    @property
    def key(self) -> str:
        """Its name in a journal: what it is, and what it depends on."""
        return f"{self.instance.key} {self.network_digest} {self.property_digest}"


class PublishedAnswer(NamedTuple):
    """What a tool said in the competition.

    Attributes:
        tool: The tool.
        answer: The competition's word.
        seconds: Wall time with the tool's start-up, on the competition's machines.
    """

    tool: str
    answer: str
    seconds: float


def questions(settings: Settings, benchmark: str, networks: Path) -> list[Question]:
    """The instances of a benchmark that a scale chooses, in the benchmark's order.

    Args:
        settings: All settings.
        benchmark: A key of `vnncomp.benchmarks` in the settings.
        networks: The folder of networks that are made here.

    Raises:
        InputError: A file is missing or damaged, or there are fewer instances.
    """
    if benchmark_of(settings, benchmark)["networks"]:
        return _boxes(settings, benchmark, networks)
    return _lines(settings, benchmark)


def published_answers(
    settings: Settings, benchmark: str
) -> Mapping[tuple[str, str], list[PublishedAnswer]]:
    """What the tools of the competition said, by network and property; nothing of boxes.

    Raises:
        InputError: The file of published answers is missing or damaged.
    """
    if benchmark_of(settings, benchmark)["networks"]:
        return {}
    file = Path(settings["vnncomp_dir"]) / PUBLISHED
    found: dict[tuple[str, str], list[PublishedAnswer]] = {}
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                if row["benchmark"] == benchmark:
                    answer = PublishedAnswer(row["tool"], row["result"], float(row["seconds"]))
                    found.setdefault((row["onnx"], row["vnnlib"]), []).append(answer)
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise InputError(
            subject=f"published answers {file}",
            found="no such file" if isinstance(error, FileNotFoundError) else repr(error),
            expected=f"a .csv with the columns {', '.join(_PUBLISHED_COLUMNS)}",
            mend="put it there, or set vnncomp_dir to the folder that has it",
        ) from error
    return found


def _lines(settings: Settings, benchmark: str) -> list[Question]:
    """Instances of the competition's files."""
    chosen = benchmark_of(settings, benchmark)
    file = Path(settings["vnncomp_dir"]) / benchmark / "instances.csv"
    if not file.is_file():
        raise InputError(
            subject=f"benchmark {benchmark}",
            found=f"no file {file}",
            expected="a benchmark of VNN-COMP (github.com/VNN-COMP) as published: instances.csv, "
            "with its networks and properties beside it",
            mend="(1) copy its folder there; (2) set vnncomp_dir to a folder that has it; (3) run "
            "a scale that does without, such as demo",
        )
    published = read_instances(file)
    if chosen["instances"] > len(published):
        raise InputError(
            subject=f"instances of {benchmark} in the settings",
            found=str(chosen["instances"]),
            expected=f"at most {len(published)}, as many as {file} has",
            mend="ask for fewer",
        )
    for each in published:
        for named in (each.network, each.asked):
            if isinstance(named, Path) and not named.is_file():
                raise InputError(
                    subject=f"instance {each.number} of {benchmark}",
                    found=f"no file {named}",
                    expected="every file that instances.csv names, as it is or compressed by gzip",
                    mend="copy the benchmark's folder whole",
                )
    return [
        Question(
            dataclasses.replace(each, limit=min(each.limit, chosen["time_limit"])),
            each.limit,
            len(published),
            _DATASET,
            file_digest(each.network)[:16],
            file_digest(str(each.asked))[:16],
        )
        for each in (published[place] for place in spread(chosen["instances"], len(published)))
    ]


def _boxes(settings: Settings, benchmark: str, networks: Path) -> list[Question]:
    """Boxes around the first test images, by turns on each network."""
    chosen, recipes = benchmark_of(settings, benchmark), recipes_of(settings, benchmark)
    names, epsilon, count = chosen["networks"], chosen["epsilon"], chosen["instances"]
    tests = {
        name: first_images(load_split(settings, recipe.dataset, "test"), count)
        for name, recipe in recipes.items()
    }
    found = []
    for place in range(count):
        name = names[place % len(names)]
        test, weights = tests[name], networks / recipes[name].weights
        instance = Instance(
            number=place + 1,
            onnx=weights.name,
            vnnlib=f"{test.name} {place} within {epsilon:g}",
            network=weights,
            asked=robustness(test.images[place], int(test.labels[place]), CLASSES, epsilon),
            limit=chosen["time_limit"],
        )
        digests = file_digest(weights)[:16], test.digest[:16]
        found.append(Question(instance, instance.limit, count, test.name, *digests))
    return found
