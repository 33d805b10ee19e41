"""A run that moves to another machine: what it has trained, bounded and solved moves with it."""

import shutil

import pytest

from .conftest import SMOKE, copy_workflow, planned_jobs, run_module, snakemake

SHARD = "zhu/exact/DNN1-0"
ATTACKS = f"results/demo/shards/{SHARD}/attacks.csv"
JOURNAL = f"results/demo/journals/{SHARD}.jsonl"
NETWORK = "results/demo/networks/digits_dnn1.safetensors"
ASKED = (ATTACKS, "--configfile", SMOKE)


def advmip(folder, *arguments):
    done = run_module(folder, "advmip", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A run of one network, its bounds and attacks on it, and its snapshot in `reference`."""
    folder = tmp_path_factory.mktemp("here")
    copy_workflow(folder)
    made = snakemake(folder, *ASKED)
    assert made.returncode == 0, made.stdout + made.stderr
    advmip(folder, "snapshot", "--results", "results/demo", "--unfinished", "--out", "reference")
    return folder


def restored(here, folder):
    """What `advmip restore` says in the folder of another machine."""
    shutil.copytree(here / "reference", folder / "reference")
    return advmip(folder, "restore", "reference/demo")


def test_elsewhere_nothing_is_trained_bounded_or_solved_again(here, workflow_copy):
    assert planned_jobs(workflow_copy, *ASKED)["total"] == 4  # data set, network, bounds, attacks
    said = restored(here, workflow_copy)
    assert "zhu: 1 finished instances" in said
    assert "networks: 1" in said
    jobs = planned_jobs(workflow_copy, *ASKED)
    assert jobs == {"slower_attacks": 1, "total": 1}

    journal, network = workflow_copy / JOURNAL, (workflow_copy / NETWORK).read_bytes()
    before = journal.read_bytes()
    made = snakemake(workflow_copy, *ASKED)
    assert made.returncode == 0, made.stdout + made.stderr
    assert journal.read_bytes() == before
    assert (workflow_copy / NETWORK).read_bytes() == network == (here / NETWORK).read_bytes()
    assert (workflow_copy / ATTACKS).read_bytes() == (here / ATTACKS).read_bytes()
    again = snakemake(workflow_copy, *ASKED)
    assert "Nothing to be done" in again.stdout + again.stderr


def test_a_network_that_was_trained_elsewhere_already_stays_and_this_is_said(here, workflow_copy):
    trained = snakemake(workflow_copy, NETWORK, "--configfile", SMOKE, "--config", "seed=1")
    assert trained.returncode == 0, trained.stdout + trained.stderr
    network = (workflow_copy / NETWORK).read_bytes()
    said = restored(here, workflow_copy)
    assert f"{NETWORK} was here and stays: instances of the kept one count no more" in said
    assert (workflow_copy / NETWORK).read_bytes() == network
    jobs = planned_jobs(workflow_copy, *ASKED, "--config", "seed=1")
    assert jobs == {"network_bounds": 1, "slower_attacks": 1, "total": 2}
