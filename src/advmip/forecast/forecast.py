"""What each table and figure of a scale will cost, and all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from advmip.experiments.outputs import Outputs, files_of
from advmip.forecast.jobs import closure, jobs_of
from advmip.forecast.measured import Measured, measured
from advmip.forecast.progress import shares_done
from advmip.forecast.times import Span, Times
from advmip.forecast.work import Job
from advmip.settings import Settings

TOTAL = "all"


@dataclass(frozen=True)
class Forecast:
    """The cost of some jobs.

    Attributes:
        output: The table or figure that they make, the group of these, or `TOTAL`.
        jobs: How many jobs.
        jobs_done: How many of them have ended.
        instances: How many attacks, verifications or runs these hold.
        instances_done: How many of them have ended.
        seconds: Of one core.
        left: What of `seconds.least` is not done yet.
        unknown: In how many of the jobs is something that nothing bounds: it has no limit, and
            no time of its like is known. It counts for nothing in `seconds`.
        memory: The most that one of them needs, in bytes; None if that is not known of any.
    """

    output: str
    jobs: int
    jobs_done: int
    instances: int
    instances_done: int
    seconds: Span
    left: float
    unknown: int
    memory: float | None


def forecast(
    settings: Settings,
    outputs: Outputs,
    results: Path,
    workflow: Path,
    groups: Mapping[str, Iterable[str]] | None = None,
) -> tuple[list[Forecast], Measured]:
    """The cost of each table and figure, or of groups of them, and last of all of them.

    A job that several share counts in each of them, and once in all.

    Args:
        settings: The settings of the scale.
        outputs: What `workflow/outputs.yaml` holds.
        results: The folder of the results of all scales.
        workflow: The folder with `scales/` and `schemas/`.
        groups: Tables and figures by the name of their group; each alone if left out.

    Returns:
        The costs, and what they are drawn from.
    """
    known = measured(results, outputs, workflow)
    jobs = jobs_of(settings, outputs)
    times = Times(known.samples)
    costs = {name: _cost(job, times) for name, job in jobs.items()}
    done = shares_done(results / settings["scale"], jobs)
    memory = {name: _memory(job, known.memory) for name, job in jobs.items()}
    groups = {name: (name,) for name in outputs} if groups is None else groups
    chosen = {name: closure(jobs, files_of(outputs, *group)) for name, group in groups.items()}
    chosen[TOTAL] = set(jobs)

    def summed(output: str, names: Iterable[str]) -> Forecast:
        own = [jobs[name] for name in names]
        counts = {job.name: sum(job.instances.values()) for job in own if job.recorded}
        spans = [costs[job.name] for job in own]
        return Forecast(
            output=output,
            jobs=len(own),
            jobs_done=sum(done[job.name] == 1.0 for job in own),
            instances=sum(counts.values()),
            instances_done=sum(round(done[name] * count) for name, count in counts.items()),
            seconds=Span(sum(span.least for span, _ in spans), sum(span.most for span, _ in spans)),
            left=sum((1.0 - done[job.name]) * costs[job.name][0].least for job in own),
            unknown=sum(not known for _, known in spans),
            memory=max((memory[job.name] or 0.0 for job in own), default=0.0) or None,
        )

    return [summed(output, names) for output, names in chosen.items()], known


def _cost(job: Job, times: Times) -> tuple[Span, bool]:
    """Seconds of a job, as far as they are known, and whether they are."""
    least, most, known = 0.0, 0.0, True
    for instance, number in job.instances.items():
        for effort in instance.efforts:
            span = times.expected(effort, instance.limit)
            if span is None:
                known = False
            else:
                least, most = least + number * span.least, most + number * span.most
    return Span(least, most), known


def _memory(job: Job, known: Mapping[tuple[str, str], float]) -> float | None:
    """The most memory of jobs of its rule on its networks, or on any."""
    networks = {effort.kind.network for instance in job.instances for effort in instance.efforts}
    alike = [known[job.rule, network] for network in networks if (job.rule, network) in known]
    others = [memory for (rule, _), memory in known.items() if rule == job.rule]
    return max(alike or others, default=None)


def printed(scale: str, forecasts: Iterable[Forecast], known: Measured) -> str:
    """A table to be read in a terminal, and what its marks say."""
    lines = [("output", "jobs", "instances", "core-hours", "at most", "left", "unknown", "memory")]
    lines += [
        (
            each.output,
            f"{each.jobs:,}",
            f"{each.instances:,}",
            _hours(each.seconds),
            _most(each.seconds),
            f"{each.left / 3600:.2f}",
            f"{each.unknown or ''}",
            "" if each.memory is None else f"{each.memory / 1e9:.1f} GB",
        )
        for each in forecasts
    ]
    unread = [f"Not read, for its settings are of another version: {path}" for path in known.unread]
    return "\n".join(
        [
            f"What scale {scale} will cost, from the times of {len(known.samples):,} samples",
            "",
            *ruled(lines),
            "",
            "A job that several outputs share counts in each, and once in all.",
            "≥: some of an instance's like were ended by a limit, or none has been run.",
            "at most: all of those take their whole limit.",
            "left: of the core-hours, what has not been done yet.",
            "unknown: no limit, and nothing like it has been run; it counts for nothing.",
            *unread,
        ]
    )


def ruled(lines: Sequence[Sequence[str]]) -> list[str]:
    """A table in columns; rules set off its first line, which names them, and the last, the sum."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    rows = [
        "  ".join(
            text.rjust(width) if place else text.ljust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    rule = "-" * len(rows[0])
    return [rows[0], rule, *rows[1:-1], rule, rows[-1]]


def _hours(seconds: Span) -> str:
    mark = "≥ " if seconds.most > 1.01 * seconds.least else ""
    return f"{mark}{seconds.least / 3600:.2f}"


def _most(seconds: Span) -> str:
    return f"{seconds.most / 3600:.2f}" if seconds.most > 1.01 * seconds.least else ""
