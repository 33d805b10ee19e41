"""Which instances of which benchmarks a scale sets out to answer, and how they are divided.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from typing import NamedTuple

from advmip.errors import looked_up
from advmip.experiments.shards import chosen_shard, chunked
from advmip.settings import Benchmark, Settings

EXPERIMENT = "benchmarks"


class Instance(NamedTuple):
    """One question to one solver.

    Attributes:
        place: Which of the benchmark's instances that the scale chooses, from 0.
        solver: Who answers.
    """

    place: int
    solver: str


def benchmark_of(settings: Settings, benchmark: str) -> Benchmark:
    """The settings of a benchmark.

    Raises:
        InputError: The scale has none of that name.
    """
    return looked_up("benchmark", benchmark, settings["vnncomp"]["benchmarks"])


def shards_of(settings: Settings, benchmark: str) -> list[list[Instance]]:
    """The questions of a benchmark, one list for each job; none if left out.

    All solvers of an instance are in one job, which holds their answers against each other.
    """
    chosen = settings["vnncomp"]["benchmarks"].get(benchmark)
    if chosen is None:
        return []
    places = chunked(range(chosen["instances"]), settings["vnncomp"]["instances_per_job"])
    return [
        [Instance(place, solver) for place in shard for solver in chosen["solvers"]]
        for shard in places
    ]


def shard_of(settings: Settings, benchmark: str, shard: int) -> list[Instance]:
    """The questions of one job.

    Raises:
        InputError: There is no such job at this scale.
    """
    shards = shards_of(settings, benchmark)
    return chosen_shard(shards, shard, f"benchmark {benchmark}", settings["scale"])


def spread(chosen: int, whole: int) -> list[int]:
    """Which instances of a benchmark are chosen, from 0: evenly, since the like stand together.

    Args:
        chosen: How many, `whole` at most.
        whole: How many there are.
    """
    return [place * whole // chosen for place in range(chosen)]
