"""A whole run killed at random instants, alone or with its jobs, goes on by itself."""

import os
import random
import signal
import subprocess
import time

import pytest

from .demo_slice import RESULTS, Slice

SEED = 0


@pytest.fixture
def kills(request):
    return request.config.getoption("--kills")


def kill_the_run(run):
    """Only Snakemake, whose jobs are left behind."""
    os.kill(run.pid, signal.SIGKILL)


def kill_a_job(run):
    """Only the job at work, if there is one."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "-s", str(run.pid)], capture_output=True, text=True
    )
    for line in listed.stdout.splitlines():
        number, _, command = line.strip().partition(" ")
        if command.strip().startswith("python -m advmip"):
            os.kill(int(number), signal.SIGKILL)


def kill_everything(run):
    os.killpg(run.pid, signal.SIGKILL)


def test_killed_at_random_instants_it_ends_in_the_same_rows(demo_slice, tmp_path, kills):
    disturbed = Slice(tmp_path / "disturbed")
    chance = random.Random(SEED)
    for number in range(kills):
        before = disturbed.lines
        run = disturbed.begun()
        time.sleep(chance.uniform(0.2, 1.0) * demo_slice.seconds)
        (kill_the_run, kill_everything, kill_a_job)[number % 3](run)
        run.wait()
        assert disturbed.lines[: len(before)] == before
    disturbed.goes_on(demo_slice)


def test_a_second_run_is_refused_in_a_line(tmp_path):
    one = Slice(tmp_path / "one")
    first = one.begun()
    claim = one.folder / RESULTS / ".run"
    while not claim.is_file() or not claim.read_text():
        assert first.poll() is None
        time.sleep(0.05)
    second = one.begun()
    assert second.wait() == 1
    (line,) = [line for line in one.printed.splitlines() if "another run" in line]
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert line.endswith(f"process {first.pid} on {os.uname().nodename}; wait for it, or stop it.")
