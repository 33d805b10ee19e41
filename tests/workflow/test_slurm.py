"""A slice of the demo through a real Slurm has the same tables, also if a job is killed there."""

import os
import signal
import subprocess
import time

import pytest

from .conftest import CORES
from .demo_slice import Slice
from .one_machine_cluster import asked, cluster

pytestmark = pytest.mark.slurm

PROFILE = ("--profile", "workflow/profiles/slurm")


@pytest.fixture(scope="module", autouse=True)
def slurm(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("cluster"), CORES):
        yield


def kill_jobs(folder):
    """Kill what computes in a folder, on the node that this machine is."""
    listed = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True)
    for line in listed.stdout.splitlines():
        number, _, command = line.strip().partition(" ")
        at_work = command.strip().startswith("python -m advmip zhu features")
        if at_work and os.readlink(f"/proc/{number}/cwd") == str(folder):
            os.kill(int(number), signal.SIGKILL)


def test_the_tables_are_the_same(demo_slice, tmp_path):
    scaled_out = Slice(tmp_path / "scaled-out", options=PROFILE)
    scaled_out.finished()
    scaled_out.check(demo_slice)
    assert "SLURM jobid" in scaled_out.printed
    print(f"{scaled_out.seconds:.0f} s through Slurm, {demo_slice.seconds:.0f} s without")


def test_a_job_that_is_killed_on_its_node_is_gone_on_from(demo_slice, tmp_path):
    disturbed = Slice(tmp_path / "disturbed", options=PROFILE)
    run = disturbed.begun()
    while len(disturbed.lines) < 3 and run.poll() is None:
        time.sleep(0.05)
    kill_jobs(disturbed.folder)
    assert run.wait() == 1, disturbed.printed
    before = disturbed.lines
    assert len(before) < len(demo_slice.lines)
    assert not asked("squeue", "--noheader").strip()
    disturbed.finished()
    disturbed.check(demo_slice, before)
