"""What a change of the library's code makes again, and what it leaves."""

import shutil

import pandas as pd
import pytest

from .conftest import CORES, PROJECT, SMOKE, run_module

FOLDER = "results/demo/shards/zhu/features/DNN1"
JOURNAL = "results/demo/journals/zhu/features/DNN1.jsonl"


def run(folder, reuse, *arguments):
    """A run of one data set, one network and one job with a journal, by the library's own copy."""
    finished = run_module(
        folder,
        "snakemake",
        *("--cores", CORES, f"{FOLDER}/neurons.csv", "--configfile", SMOKE),
        *("--config", f"reuse={reuse}", *arguments),
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout + finished.stderr


@pytest.fixture
def library(workflow_copy, monkeypatch):
    """A copy of the library, which all commands run."""
    shutil.copytree(PROJECT / "src", workflow_copy / "src")
    monkeypatch.setenv("PYTHONPATH", str(workflow_copy / "src"))
    return workflow_copy / "src" / "advmip"


def test_a_comment_throws_away_everything_or_nothing(workflow_copy, library):
    journal, rows = workflow_copy / JOURNAL, workflow_copy / FOLDER / "neurons.csv"
    run(workflow_copy, "same-code")
    before, made = journal.read_text(), pd.read_csv(rows)
    with (library / "mip" / "activation_maximization.py").open("a") as file:
        file.write("# Nothing changes.\n")

    assert "Nothing to be done" in run(workflow_copy, "any-code")
    run(workflow_copy, "any-code", "--forcerun", "features")
    assert journal.read_text() == before
    pd.testing.assert_frame_equal(pd.read_csv(rows), made)

    run(workflow_copy, "same-code")
    assert len(journal.read_text().splitlines()) == 2 * len(made)
    assert set(pd.read_csv(rows)["code"]).isdisjoint(made["code"])
