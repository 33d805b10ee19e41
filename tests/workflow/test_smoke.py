"""The whole workflow, end to end, on tiny networks: what is there, and how it is gone on from."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
import yaml

from advmip.settings import load_settings, save_settings

from .conftest import PROJECT, SMOKE, copy_workflow, planned_jobs, run_module, snakemake

OUTPUTS = yaml.safe_load((PROJECT / "workflow" / "outputs.yaml").read_text())
LONGEST_WAIT = 120.0
SUFFIXES = {"tables": (".csv", ".md", ".tex"), "figures": (".csv", ".png", ".pdf")}


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """The folder of the smallest run of every target, and the finished process."""
    folder = tmp_path_factory.mktemp("smoke")
    copy_workflow(folder)
    finished = snakemake(folder, "all", "--configfile", SMOKE)
    return folder, finished


def lines_of(journal):
    return journal.read_bytes().splitlines() if journal.is_file() else []


def test_every_target_is_made(smoke):
    folder, finished = smoke
    assert finished.returncode == 0, finished.stdout + finished.stderr
    results = folder / "results" / "demo"
    for name, output in OUTPUTS.items():
        for kind in output["makes"]:
            for suffix in SUFFIXES[kind]:
                assert (results / kind / f"{name}{suffix}").stat().st_size > 0, (name, suffix)
    report = (results / "report.html").read_text()
    assert all(name in report for name in OUTPUTS)


def test_the_last_word_is_the_verdicts_and_the_report(smoke):
    folder, finished = smoke
    (line,) = [line for line in finished.stdout.splitlines() if line.startswith("Verdicts:")]
    assert line.endswith("Report: results/demo/report.html")
    verdicts = pd.read_csv(folder / "results" / "demo" / "verdicts.csv")
    for verdict, count in verdicts["verdict"].value_counts().items():
        assert f"{count} {verdict}" in line


def test_every_answer_is_checked_and_says_where_it_comes_from(smoke):
    folder, _ = smoke
    rows = pd.read_csv(folder / "results" / "demo" / "rows" / "zk" / "evaluations.csv")
    assert rows["checked"].all()
    assert set(rows["status"]) == {"ok"}
    assert set(rows["protocol"]) == {"published", "described"}
    for text in rows["provenance"]:
        assert {"advmip", "torch", "processor", "threads", "date"} <= json.loads(text).keys()


def test_equal_choices_are_attacked_once(smoke):
    folder, _ = smoke
    rows = pd.read_csv(folder / "results" / "demo" / "rows" / "zk_table2" / "evaluations.csv")
    tuned = rows[rows["method"] == "fine-tuned"]
    candidate = ["protocol", "adversarial_count", "chosen_iteration", "chosen_alpha"]
    assert (tuned.groupby(candidate)["seconds_evaluation"].nunique() == 1).all()


def test_the_exact_settings_lie_beside_the_results(smoke):
    folder, _ = smoke
    stored = yaml.safe_load((folder / "results" / "demo" / "config.yaml").read_text())
    given = yaml.safe_load(SMOKE.read_text())
    counts = given["zk"]["experiments"]["tables"]["CNN"]["adversarial_counts"]
    assert stored["zk"]["experiments"]["tables"]["CNN"]["adversarial_counts"] == counts
    assert stored["seed"] == 0


def test_every_job_has_a_log(smoke):
    folder, _ = smoke
    results = folder / "results" / "demo"
    assert {path.stem for path in (results / "logs" / "tables").iterdir()} >= {"zk_table2"}
    assert "run 1 of" in (results / "logs" / "zk" / "tables" / "CNN-0.log").read_text()


def test_a_finished_run_has_nothing_left_to_do(smoke):
    folder, _ = smoke
    again = snakemake(folder, "all", "--configfile", SMOKE)
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr


@pytest.mark.parametrize(
    ("change", "redone"),
    [("seed=1", True), ("data_dir=elsewhere", False)],
)
def test_settings_that_decide_results_make_them_again(smoke, change, redone):
    folder, _ = smoke
    jobs = planned_jobs(folder, "zk_table2", "--configfile", SMOKE, "--config", change)
    assert ("finetuning" in jobs) is redone


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
