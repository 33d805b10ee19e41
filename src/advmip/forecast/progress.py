"""How much of a scale has been done already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from advmip.durability.journal import entries_of
from advmip.forecast.work import Job


def shares_done(folder: Path, jobs: Mapping[str, Job]) -> dict[str, float]:
    """The share of each job that is done, from 0 to 1, by its name.

    A job that has ended has a benchmark; of another one its journal tells how many of its
    instances have. Whether the code is still the same is not asked.

    Args:
        folder: The results of the scale.
        jobs: Its jobs, by name.
    """
    return {name: _share(folder, job) for name, job in jobs.items()}


def _share(folder: Path, job: Job) -> float:
    if (folder / "benchmarks" / f"{job.name}.tsv").is_file():
        return 1.0
    journal = folder / "journals" / f"{job.name}.jsonl"
    keys = {entry["key"] for entry in entries_of(journal)}
    return min(1.0, len(keys) / sum(job.instances.values())) if job.recorded else 0.0
