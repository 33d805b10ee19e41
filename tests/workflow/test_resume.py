"""A run killed at any instant goes on where it was."""

import json
import os
import signal
import subprocess
import sys
import time

from advmip.settings import load_settings, save_settings

from .conftest import SMOKE, run_module

LONGEST_WAIT = 120.0


def lines_of(journal):
    return journal.read_bytes().splitlines() if journal.is_file() else []


def test_a_run_killed_in_its_midst_repeats_no_finished_instance(smoke, tmp_path):
    folder, _ = smoke
    settings = load_settings(SMOKE, folder / "workflow")
    shards = settings["zk"]["experiments"]["tables"]["CNN"]
    shards["adversarial_counts"], shards["iterations"] = [10, 20, 30, 40, 50], 6
    shards["seeds"] = {"published": 1, "described": 0}
    save_settings(settings, tmp_path / "config.yaml")
    journal = tmp_path / "journal.jsonl"
    arguments = [
        *("zk", "finetune", "CNN", "--experiment", "tables", "--shard", "0"),
        *("--settings", tmp_path / "config.yaml"),
        *("--network-file", folder / "results/demo/networks/digits_cnn.safetensors"),
        *("--adversarial-sets", folder / "results/demo/adversarial"),
        *("--journal", journal, "--out", tmp_path / "rows"),
    ]

    process = subprocess.Popen(
        [sys.executable, "-m", "advmip", *map(str, arguments)],
        cwd=folder,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + LONGEST_WAIT
    while not lines_of(journal) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = [json.loads(line) for line in lines_of(journal)]
    assert 1 <= len(before) < 5
    assert not (tmp_path / "rows").exists()

    resumed = run_module(folder, "advmip", *arguments)

    assert resumed.returncode == 0, resumed.stderr
    after = [json.loads(line) for line in lines_of(journal)]
    assert after[: len(before)] == before
    keys = [line["key"] for line in after]
    assert len(keys) == len(set(keys)) == 5
    assert f"run 1 of {5 - len(before)}" in resumed.stderr
    evaluations = (tmp_path / "rows" / "evaluations.csv").read_text().splitlines()
    assert len(evaluations) == 1 + 5 * (len(settings["zk"]["omega"]) + 1)


def test_a_finished_job_done_again_computes_nothing(smoke):
    folder, _ = smoke
    results = folder / "results" / "demo"
    journal = results / "journals" / "zk" / "tables" / "CNN-0.jsonl"
    before = journal.read_bytes()
    rows = (results / "shards" / "zk" / "tables" / "CNN-0" / "evaluations.csv").read_bytes()
    again = run_module(
        folder,
        "advmip",
        *("zk", "finetune", "CNN", "--experiment", "tables", "--shard", "0"),
        *("--settings", results / "config.yaml"),
        *("--network-file", results / "networks" / "digits_cnn.safetensors"),
        *("--adversarial-sets", results / "adversarial"),
        *("--journal", journal, "--out", results / "shards" / "again"),
    )
    assert again.returncode == 0, again.stderr
    assert journal.read_bytes() == before
    assert (results / "shards" / "again" / "evaluations.csv").read_bytes() == rows
