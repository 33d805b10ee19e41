"""One run at a time in a folder, whatever ended the last one; jobs end with their run."""

import os
import signal
import subprocess
import sys
import time

import pytest

from advmip.durability.running import VARIABLE, begin_run, follow_run, run_at_work
from advmip.errors import InputError

LONGEST_WAIT = 60.0

RUN = """
import subprocess, sys, time
from pathlib import Path
from advmip.durability.running import begin_run
begin_run(Path(sys.argv[1]), lambda line: print(line, flush=True))
jobs = [subprocess.Popen([sys.executable, "-c", job], stdout=sys.stdout) for job in sys.argv[2:]]
print("begun", flush=True)
time.sleep(600)
"""
JOB = """
import os, time
from advmip.durability.running import follow_run
follow_run()
print(os.getpid(), flush=True)
time.sleep(600)
"""


def started(folder, *jobs):
    """A process that begins a run in a folder, and the lines that it and its jobs print."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, folder, *jobs], stdout=subprocess.PIPE, text=True
    )
    return process, process.stdout


def killed(process):
    process.kill()
    process.wait()


def state_of(number):
    """The letter of a process's state in `ps`; none if there is no such process."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(number)], capture_output=True, text=True)
    return state.stdout.strip()[:1]


def is_alive(number):
    """Whether a process runs; one that has ended and was not asked for does not."""
    return state_of(number) not in ("", "Z")


def test_a_second_run_is_refused_and_one_after_a_kill_is_not(tmp_path):
    first, lines = started(tmp_path)
    assert lines.readline() == "begun\n"
    with pytest.raises(InputError, match=f"process {first.pid} on"):
        begin_run(tmp_path)
    assert run_at_work(tmp_path).startswith(f"process {first.pid} on")
    killed(first)
    assert run_at_work(tmp_path) is None
    third, lines = started(tmp_path)
    assert lines.readline() == "begun\n"
    killed(third)


def test_runs_in_different_folders_do_not_meet(tmp_path):
    runs = [started(tmp_path / name) for name in ("demo", "mnist")]
    for process, lines in runs:
        assert lines.readline() == "begun\n"
        killed(process)


def test_a_job_ends_with_its_run(tmp_path):
    run, lines = started(tmp_path, JOB)
    (job,) = {lines.readline(), lines.readline()} - {"begun\n"}
    assert is_alive(int(job))
    killed(run)
    deadline = time.monotonic() + LONGEST_WAIT
    while is_alive(int(job)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(int(job))


def test_the_next_run_waits_for_jobs_that_are_still_at_work(tmp_path):
    run, lines = started(tmp_path, JOB)
    (job,) = {lines.readline(), lines.readline()} - {"begun\n"}
    os.kill(int(job), signal.SIGSTOP)
    while state_of(int(job)) != "T":  # on a machine with much to do it still runs for a while
        time.sleep(0.01)
    killed(run)
    second, lines = started(tmp_path)
    assert "still at work" in lines.readline()
    assert is_alive(int(job))
    os.kill(int(job), signal.SIGCONT)
    assert lines.readline() == "begun\n"
    assert not is_alive(int(job))
    killed(second)


def test_what_a_killed_writer_had_begun_is_removed_and_nothing_else(tmp_path):
    begun = tmp_path / "rows" / ".attacks.0123456789ab.csv"
    kept = [tmp_path / "rows" / name for name in (".hidden", "attacks.csv", ".a.0123456789ab.b.c")]
    begun.parent.mkdir()
    for path in (begun, *kept):
        path.write_text("half")
    run, lines = started(tmp_path)
    assert lines.readline() == "begun\n"
    killed(run)
    assert not begun.exists()
    assert all(path.exists() for path in kept)


def test_a_command_by_hand_and_a_job_elsewhere_follow_no_run(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    follow_run()
    monkeypatch.setenv(VARIABLE, f"another-machine:1:{tmp_path}")
    follow_run()
    assert not list(tmp_path.iterdir())
