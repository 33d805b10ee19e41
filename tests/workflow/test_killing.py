"""A whole run killed at random instants, alone or with its jobs, goes on by itself."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from .conftest import CORES, SMOKE, copy_workflow

ROWS = "results/demo/shards/zhu/features/DNN1/neurons.csv"
JOURNAL = "results/demo/journals/zhu/features/DNN1.jsonl"
COMMAND = ("snakemake", "--cores", CORES, ROWS, "--configfile", SMOKE)
SEED = 0


@pytest.fixture
def kills(request):
    return request.config.getoption("--kills")


def begun(folder):
    """A run of one data set, one network and one job with a journal, in a session of its own."""
    with (folder / "printed").open("w") as printed:
        return subprocess.Popen(
            [sys.executable, "-m", *map(str, COMMAND)],
            cwd=folder,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def finished(folder):
    """The seconds of a run that is left alone."""
    start = time.monotonic()
    code = begun(folder).wait()
    assert code == 0, (folder / "printed").read_text()
    return time.monotonic() - start


def apart_from_times(folder):
    rows = pd.read_csv(folder / ROWS)
    timed = [name for name in rows.columns if name.startswith("seconds")]
    return rows.drop(columns=[*timed, "provenance"])


def test_killed_at_random_instants_it_ends_in_the_same_rows(tmp_path, kills):
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    for folder in (undisturbed, disturbed):
        folder.mkdir()
        copy_workflow(folder)
    whole = finished(undisturbed)
    chance = random.Random(SEED)
    for number in range(kills):
        run = begun(disturbed)
        time.sleep(chance.uniform(0.2, 1.0) * whole)
        # In turn: only Snakemake, whose jobs are left behind, and everything.
        (os.kill, os.killpg)[number % 2](run.pid, signal.SIGKILL)
        run.wait()
    finished(disturbed)
    pd.testing.assert_frame_equal(apart_from_times(disturbed), apart_from_times(undisturbed))
    keys = [json.loads(line)["key"] for line in (disturbed / JOURNAL).read_text().splitlines()]
    assert len(keys) == len(set(keys)) == len(apart_from_times(disturbed))


def test_a_second_run_is_refused_in_a_line(tmp_path):
    copy_workflow(tmp_path)
    first = begun(tmp_path)
    claim = tmp_path / "results" / "demo" / ".run"
    while not claim.is_file() or not claim.read_text():
        assert first.poll() is None
        time.sleep(0.05)
    second = subprocess.run(
        [sys.executable, "-m", *map(str, COMMAND)], cwd=tmp_path, capture_output=True, text=True
    )
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert second.returncode == 1
    (line,) = [line for line in second.stderr.splitlines() if "another run" in line]
    assert line.endswith(f"process {first.pid} on {os.uname().nodename}; wait for it, or stop it.")
