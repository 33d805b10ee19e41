"""One run at a time in a folder of results, and jobs that end with their run.

A process killed with SIGKILL cannot tidy up, so nothing here rests on tidying: the kernel itself
lets go of a lock (flock) when the process that holds it is gone, in whatever way. Jobs outlive the
run that started them when only that is killed; each looks every second whether its run is still
there, and a new run waits for them before it touches their files.
"""

from __future__ import annotations

import csv
import logging
import os
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing import parent_process
from pathlib import Path

from advmip.durability.locking import Lock
from advmip.durability.modification_times import mend_times, watch_clock
from advmip.durability.storage import explained, remove_leftovers
from advmip.durability.written_sizes import note_sizes
from advmip.errors import InputError

# By which a job knows its run: the host, the process and the folder of the run.
VARIABLE = "ADVMIP_RUN"
# By which a job finds the workflow's files; without it they are in the folder `workflow`.
WORKFLOW_VARIABLE = "ADVMIP_WORKFLOW"

_RUN, _JOBS = ".run", ".jobs"
_KILLED = 137  # what a shell says of a process that SIGKILL ended
_SECONDS_BETWEEN_LOOKS = 1.0
# For so long a lock is tried again: a job that looks for its run holds it for a moment.
_PATIENCE = 0.5

_log = logging.getLogger(__name__)
# Files whose locks this process keeps until it ends.
_held: list[Lock] = []


def begin_run(folder: Path, say: Callable[[str], object] = _log.info) -> None:
    """Make this process the one run of a folder, as long as it lives.

    Jobs of an earlier run that was killed are waited for, and what they or it had begun to write
    is removed. Jobs that this process starts from here on belong to it.

    Args:
        folder: The folder of one scale's results; it is created.
        say: Tells the user what is waited for.

    Raises:
        InputError: Another run is alive there, or nothing can be written; nothing is changed then.
    """
    file = folder / _RUN
    with explained(file):
        run, jobs = _lock(file), _lock(folder / _JOBS)
    if not run.taken(patience=_PATIENCE):
        host, process, _ = _named(file)
        raise InputError(
            subject=f"results {folder}",
            found=f"another run at work there, process {process} on {host}",
            expected="one run at a time",
            mend="wait for it, or stop it",
        )
    _held.append(run)
    name = f"{socket.gethostname()}:{os.getpid()}:{folder.resolve()}"
    with explained(file):
        file.write_text(name)
    with jobs:
        if not jobs.taken(patience=_PATIENCE):
            say(f"Jobs of a run that was killed are still at work in {folder}: they end shortly.")
            jobs.take()
    remove_leftovers(folder)
    mend_times(folder)
    watch_clock(lambda: mend_times(folder))
    os.environ[VARIABLE] = name


def follow_run() -> None:
    """End this process with the run that started it, if one did, on this machine.

    Jobs on other machines are their scheduler's: they are neither watched nor waited for.
    """
    host, _, name = _parts(os.environ.get(VARIABLE, ""))
    folder = Path(name)
    if host and folder.is_dir():
        note_sizes(folder)
    if host != socket.gethostname():
        return
    run, jobs = _lock(folder / _RUN), _lock(folder / _JOBS)
    jobs.take(shared=True)
    _held.append(jobs)

    def watch() -> None:
        while True:
            if _is_gone(folder, run):
                os._exit(_KILLED)
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    if _is_gone(folder, run):
        os._exit(_KILLED)
    threading.Thread(target=watch, daemon=True).start()


def follow_parent() -> None:
    """End this process, one of several that share work, with the one that started it."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(_KILLED)

    threading.Thread(target=watch, daemon=True).start()


def run_at_work(folder: Path) -> str | None:
    """The process that is a folder's one run, and its host; None if none is alive."""
    file = folder / _RUN
    if not file.is_file():
        return None
    with Lock(file) as run:
        if run.taken(shared=True):
            return None
    host, process, _ = _named(file)
    return f"process {process} on {host}"


def summary(folder: Path) -> str:
    """What a finished run has come to, in a line: its verdicts, and where the report is.

    Args:
        folder: The folder of one scale's results.
    """
    verdicts, report = folder / "verdicts.csv", folder / "report.html"
    if not (verdicts.is_file() and report.is_file()):
        return f"Finished: {folder}"
    with verdicts.open(newline="") as file:
        counts = Counter(row["verdict"] for row in csv.DictReader(file))
    reached = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    return f"Verdicts: {reached}. Report: {report}"


def _is_gone(folder: Path, run: Lock) -> bool:
    """Whether the run of this job has ended: its lock is free, or another run's."""
    if _parts(os.environ[VARIABLE]) != _named(folder / _RUN):
        return True
    if not run.taken(shared=True):
        return False
    run.let_go()
    return True


def _lock(file: Path) -> Lock:
    """The lock on a file, which is created with its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    return Lock(file)


def _named(file: Path) -> tuple[str, str, str]:
    return _parts(file.read_text())


def _parts(name: str) -> tuple[str, str, str]:
    """Host, process and folder of a run's name; nothing of what is none."""
    match = re.fullmatch(r"([^:]*):(\d+):(.*)", name)
    return (match[1], match[2], match[3]) if match else ("", "", "")
