"""How far the run of a scale has come, what is left of it, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from advmip.durability.running import run_at_work
from advmip.experiments.outputs import Outputs, outputs_of, sources_of
from advmip.forecast.forecast import Forecast, forecast, ruled
from advmip.forecast.jobs import jobs_of
from advmip.forecast.progress import shares_done
from advmip.settings import Settings


@dataclass(frozen=True)
class Status:
    """Where a run stands.

    Attributes:
        scale: Its scale.
        run: The process that is at work, and its host; None if none is.
        sources: What is done and left of each source, and last of all together; a job that
            several share counts in each.
        begun: The share that is done of each job that has begun and not ended.
    """

    scale: str
    run: str | None
    sources: list[Forecast]
    begun: Mapping[str, float]


def status(settings: Settings, outputs: Outputs, results: Path, workflow: Path) -> Status:
    """What has been done of a scale, and what is left.

    Args:
        settings: The settings of the scale.
        outputs: What `workflow/outputs.yaml` holds.
        results: The folder of the results of all scales.
        workflow: The folder with `scales/` and `schemas/`.
    """
    groups = {source: outputs_of(outputs, source) for source in sources_of(outputs)}
    sources, _ = forecast(settings, outputs, results, workflow, groups)
    folder = results / settings["scale"]
    shares = shares_done(folder, jobs_of(settings, outputs))
    begun = {name: share for name, share in shares.items() if 0.0 < share < 1.0}
    return Status(settings["scale"], run_at_work(folder), sources, begun)


def printed(status: Status, cores: int, now: datetime) -> str:
    """A status to be read in a terminal.

    Args:
        status: What is told.
        cores: How many cores the run has.
        now: The time from which what is left is counted.
    """
    lines = [("source", "jobs", "of", "instances", "of", "core-hours left")]
    lines += [
        (
            each.output,
            f"{each.jobs_done:,}",
            f"{each.jobs:,}",
            f"{each.instances_done:,}",
            f"{each.instances:,}",
            f"{'≥ ' if each.unknown else ''}{each.left / 3600:.2f}",
        )
        for each in status.sources
    ]
    begun = [f"begun: {name}, {share:.0%}" for name, share in sorted(status.begun.items())]
    return "\n".join(
        [f"Scale {status.scale}: {_state(status, cores, now)}", "", *ruled(lines), *begun]
    )


def _state(status: Status, cores: int, now: datetime) -> str:
    """Whether the run is alive, and until when it will be."""
    whole = status.sources[-1]
    if whole.jobs_done == whole.jobs:
        return "finished"
    end = now + timedelta(seconds=whole.left / cores)
    least = "at least " if whole.unknown else "about "
    until = f"{least}until {end:%A %d %B, %H:%M} on {cores} cores"
    if status.run is None:
        return f"no run is at work; one that begins now has work for {until}"
    return f"{status.run} is at work, {until}"
