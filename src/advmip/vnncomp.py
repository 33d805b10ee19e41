"""Benchmarks of the competition of verifiers: instances in a .csv, each within its own time.

A process of its own for each instance: what crashes, or does not stop, ends with its instance.
Each answer goes into a journal beside the results, so that a run that is stopped at any time goes
on where it was.
"""

from __future__ import annotations

import csv
import math
import re
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from advmip.durability.journal import Journal
from advmip.durability.running import follow_parent
from advmip.durability.storage import check_writable, file_digest, write_atomically, write_text
from advmip.errors import CheckError, InputError, in_a_line
from advmip.progress import track
from advmip.provenance import EXACT, code_digest

if TYPE_CHECKING:  # whoever plans a benchmark must not wait for what answers it
    from advmip.properties import Property

SOLVED = ("sat", "unsat")
WORDS = (*SOLVED, "unknown", "timeout", "error")

_COLUMNS = ("onnx", "vnnlib", "result", "seconds", "reason", "counterexample")
# What decides an answer, as in `code_digest`.
_CODE = ("checking", *EXACT, "networks", "verifying_properties")
# What every instance needs: loaded once.
_LOADED = ("advmip.verifying_properties", "advmip.networks.onnx", "onnxruntime")
# So often an instance is begun whose process ends without an answer: it may have been killed for
# what others took of the memory.
_ATTEMPTS = 2
# For so long a process may take to end once it has answered.
_PATIENCE = 5.0


@dataclass(frozen=True)
class Instance:
    """A line of a benchmark.

    Attributes:
        number: Which line, from 1.
        onnx: The network, as the line names it.
        vnnlib: The property, as the line names it.
        network: The network's file.
        asked: The property's file, or the property itself.
        limit: Seconds.
    """

    number: int
    onnx: str
    vnnlib: str
    network: Path
    asked: Path | Property
    limit: float

    @property
    def key(self) -> str:
        """Its name in a journal."""
        return f"{self.onnx} {self.vnnlib} limit={self.limit:g}"


def run_benchmark(
    file: Path,
    results: Path,
    *,
    jobs: int = 1,
    timeout_factor: float = 1.0,
    time_limit: float | None = None,
    solver: str = "auto",
    seed: int = 0,
) -> bool:
    """Answer a benchmark's instances; write results, counterexamples beside them, and a summary.

    Args:
        file: The instances: network, property, seconds; a path relative to the file, compressed by
            gzip if only so it is there.
        results: A .csv, a line for each instance: the competition's word, and seconds of wall time
            from the start of its process to its answer.
        jobs: Instances at a time, 1 at least, one thread each.
        timeout_factor: By which the instances' own seconds are multiplied, above 0.
        time_limit: Seconds that no instance exceeds; None for none.
        solver: "auto", "gurobi", "scip" or "highs".
        seed: Of the attack and the solver.

    Returns:
        Whether every instance has an answer; those that ended in an error are tried anew by the
        next run.

    Raises:
        InputError: The instances cannot be read, a number is out of range, nothing can be written,
            or another run writes there.
    """
    instances = read_instances(file, timeout_factor, time_limit)
    check_writable(results)
    how = {"solver": solver, "seed": seed}
    identity = {"code": code_digest(*_CODE), "files": _digest(instances), **how}
    with Journal(results.with_suffix(".jsonl"), identity) as finished:
        left = [each for each in instances if each.key not in finished]
        failed: dict[str, Any] = {}
        answers = track(_answers(left, jobs, how), "instances", enabled=bool(left), total=len(left))
        for instance, answer in answers:
            text = answer.pop("counterexample", "")
            if text:
                answer["counterexample"] = _kept(results, instance, text)
            if answer["result"] == "error":
                failed[instance.key] = answer
            else:
                finished.record(instance.key, answer)
            _write(results, instances, lambda key: finished.get(key) or failed.get(key))
        _write(results, instances, lambda key: finished.get(key) or failed.get(key))
        print(_summary([finished.get(each.key) or failed[each.key] for each in instances]))
    return not failed


def read_instances(
    file: Path, timeout_factor: float = 1.0, time_limit: float | None = None
) -> list[Instance]:
    """The instances of a benchmark, with the time that each has.

    Args:
        file: As for `run_benchmark`.
        timeout_factor: By which the seconds are multiplied, above 0.
        time_limit: Seconds that no instance exceeds; None for none.

    Raises:
        InputError: The file cannot be read, or a number is out of range.
    """
    for name, value in (("timeout_factor", timeout_factor), ("time_limit", time_limit)):
        if value is not None and not 0 < value < math.inf:
            raise InputError(
                subject=f"{name} of the benchmark",
                found=str(value),
                expected="a number above 0",
                mend=f"correct {name}",
            )
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            rows = [row for row in csv.reader(lines) if row]
        return [
            Instance(
                number,
                onnx.strip(),
                vnnlib.strip(),
                _there(file.parent / onnx.strip()),
                _there(file.parent / vnnlib.strip()),
                min(float(seconds) * timeout_factor, time_limit or math.inf),
            )
            for number, (onnx, vnnlib, seconds) in enumerate(rows, 1)
        ]
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(
            subject=f"instances {file}",
            found="no such file" if isinstance(error, FileNotFoundError) else str(error),
            expected="a .csv with lines of network, property, seconds",
            mend="name the instances.csv of a benchmark",
        ) from error


def answer_of(instance: Instance, how: Mapping[str, Any]) -> dict[str, Any]:
    """Answer one instance, in a process of its own that ends with its time.

    Args:
        instance: The instance.
        how: Other arguments of `answered`: solver, seed, threads.

    Returns:
        `result`, one of `WORDS`, and `seconds` of wall time from the start of the process; unless
        it was ended, also `reason` (why it is unknown or an error), and if there is no error
        `evidence`, `nodes`, `solver` and `processor_seconds` of the verdict, and `counterexample`
        as the competition writes it, with `confirmed`, whether by onnxruntime.
    """
    ((_, answer),) = _answers([instance], 1, how)
    return answer


def _there(file: Path) -> Path:
    """A file, or its compressed form if only that is there."""
    packed = file.with_name(f"{file.name}.gz")
    return packed if packed.is_file() and not file.is_file() else file


def _digest(instances: Sequence[Instance]) -> str:
    """That of all files which instances name, and that are there."""
    named = {file for each in instances for file in (each.network, each.asked)}
    files = [file for file in named if isinstance(file, Path)]
    digests = [f"{file.name} {file_digest(file)}" for file in sorted(files) if file.is_file()]
    return sha256("\n".join(digests).encode()).hexdigest()[:16]


@dataclass
class _Job:
    """An instance at work, since a moment of the monotonic clock; the how manieth attempt it is."""

    instance: Instance
    process: BaseProcess
    begun: float
    attempt: int

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.begun

    def end(self, patience: float = 0.0) -> None:
        """By itself within some seconds, else whatever it is at."""
        self.process.join(patience)
        self.process.kill()
        self.process.join()


def _answers(
    instances: Sequence[Instance], jobs: int, how: Mapping[str, Any]
) -> Iterator[tuple[Instance, dict[str, Any]]]:
    """Answers as they come, several instances at a time."""
    context = get_context("forkserver")
    context.set_forkserver_preload(list(_LOADED))
    first = context.Process(target=_ready)
    first.start()
    first.join()
    waiting = deque((instance, 1) for instance in instances)
    working: dict[Connection, _Job] = {}
    try:
        while waiting or working:
            while waiting and len(working) < jobs:
                instance, attempt = waiting.popleft()
                ours, theirs = context.Pipe(duplex=False)
                begun = time.monotonic()
                process = context.Process(target=_work, args=(theirs, instance, how, begun))
                process.start()
                theirs.close()
                working[ours] = _Job(instance, process, begun, attempt)
            soonest = min(job.instance.limit - job.seconds for job in working.values())
            ready = cast(list[Connection], wait(list(working), max(0.0, soonest)))
            for pipe, job in list(working.items()):
                late = job.seconds >= job.instance.limit
                if pipe in ready or late:
                    answer = {"result": "timeout"} if late else _received(pipe)
                    seconds = round(job.seconds, 3)
                    job.end(0.0 if late else _PATIENCE)
                    pipe.close()
                    del working[pipe]
                    if answer is not None:
                        yield job.instance, {**answer, "seconds": seconds}
                    elif job.attempt < _ATTEMPTS:
                        waiting.appendleft((job.instance, job.attempt + 1))
                    else:
                        reason = f"its process ended with status {job.process.exitcode}"
                        yield (
                            job.instance,
                            {"result": "error", "reason": reason, "seconds": seconds},
                        )
    finally:
        for job in working.values():
            job.end()


def _ready() -> None:
    """Nothing: a process that has started has all that is loaded once."""


def _received(pipe: Connection) -> dict[str, Any] | None:
    """The answer of a process; None if it ended without one."""
    try:
        return cast(dict[str, Any], pipe.recv())
    except EOFError:
        return None


def _work(pipe: Connection, instance: Instance, how: Mapping[str, Any], begun: float) -> None:
    """Answer an instance, in a process of its own."""
    from advmip.properties import Property, load_property
    from advmip.verifying_properties import answered

    follow_parent()
    try:
        asked = instance.asked
        property_ = asked if isinstance(asked, Property) else load_property(asked)
        left = max(instance.limit - (time.monotonic() - begun), 1e-3)
        answer = answered(instance.network, property_, time_limit=left, **how)
    except (InputError, CheckError) as error:
        reason = in_a_line(error)
        pipe.send({"result": "error", "reason": reason})
        return
    found = answer.counterexample is not None
    pipe.send(
        {
            "result": answer.word,
            "reason": answer.reason,
            "counterexample": answer.in_competition if found else "",
            "confirmed": found and answer.confirmed,
            "evidence": answer.verdict.evidence.value,
            "nodes": answer.verdict.nodes,
            "solver": answer.verdict.solver,
            "processor_seconds": answer.verdict.processor_seconds,
        }
    )


def _kept(results: Path, instance: Instance, text: str) -> str:
    """The file that a counterexample is written to, relative to the results."""
    name = re.sub(r"\.vnnlib(\.gz)?$", "", Path(instance.vnnlib).name)
    file = Path(f"{results.stem}_counterexamples") / f"{instance.number}-{name}.txt"
    write_text(results.parent / file, text)
    return str(file)


def _write(results: Path, instances: Sequence[Instance], found: Any) -> None:
    """The answers so far, in the order of the instances."""
    with write_atomically(results) as temporary, temporary.open("w", newline="") as file:
        rows = csv.DictWriter(
            file, _COLUMNS, restval="", extrasaction="ignore", lineterminator="\n"
        )
        rows.writeheader()
        for each in instances:
            answer = found(each.key)
            if answer is not None:
                rows.writerow({"onnx": each.onnx, "vnnlib": each.vnnlib, **answer})


def _summary(answers: Sequence[Mapping[str, Any]]) -> str:
    """How many of each word, and how long they took."""
    counts = Counter(answer["result"] for answer in answers)
    parts = [f"{counts[word]} {word}" for word in WORDS if counts[word]]
    seconds = sum(answer["seconds"] for answer in answers)
    return f"{len(answers)} instances: {', '.join(parts) or 'none'}; {seconds:.1f} s"
