"""A copy of the workflow in a folder of its own, and what its smallest run leaves there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SMOKE = Path(__file__).parent / "smoke.yaml"
CORES = 2


def copy_workflow(folder):
    """The files that a run of the workflow needs, without results."""
    shutil.copytree(PROJECT / "workflow", folder / "workflow")
    shutil.copytree(PROJECT / "envs", folder / "envs")
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(PROJECT / name, folder / name)
    (folder / "profiles").symlink_to("workflow/profiles")


def run_module(folder, module, *arguments):
    """Run a Python module in a folder, as the commands `snakemake` and `advmip` do."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


def snakemake(folder, *arguments):
    return run_module(folder, "snakemake", "--cores", CORES, *arguments)


def planned_jobs(folder, *arguments):
    """Jobs by rule, from a dry run."""
    planned = snakemake(folder, "--dry-run", *arguments)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    table = (planned.stdout + planned.stderr).rpartition("Job stats:")[2]
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.M)}


@pytest.fixture
def workflow_copy(tmp_path):
    copy_workflow(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def demo_slice(tmp_path_factory):
    """A slice of the demo that was left alone."""
    from .demo_slice import Slice

    undisturbed = Slice(tmp_path_factory.mktemp("slice") / "undisturbed")
    undisturbed.finished()
    return undisturbed
