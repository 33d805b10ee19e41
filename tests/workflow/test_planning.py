"""What the workflow would do: enough, and no more."""

import re
from collections import Counter

import pytest

from advmip.durability.storage import read_yaml
from advmip.forecast.jobs import jobs_of
from advmip.settings import load_settings

from .conftest import PROJECT, planned_jobs, snakemake


def test_the_scale_of_the_paper_has_shards_of_runs_not_jobs_of_one(workflow_copy):
    jobs = planned_jobs(workflow_copy, "all", "--config", "scale=paper")
    assert jobs["total"] <= 570
    assert jobs["finetuning"] <= 80


@pytest.mark.parametrize("scale", ["demo", "overnight"])
def test_the_forecast_has_the_jobs_that_are_planned(workflow_copy, scale):
    jobs = planned_jobs(workflow_copy, "all", "--config", f"scale={scale}")
    outputs = read_yaml(workflow_copy / "workflow" / "outputs.yaml")
    settings = load_settings({"scale": scale}, workflow_copy / "workflow")
    forecast = Counter(job.rule for job in jobs_of(settings, outputs).values())
    assert forecast.total() == jobs["total"] - jobs["all"]
    alike = ("finetuning", "efficiency", "verifications", "benchmark_answers", "rows", "features")
    assert [forecast[rule] for rule in alike] == [jobs[rule] for rule in alike]


def test_every_rule_says_what_its_jobs_take():
    for file in (PROJECT / "workflow" / "rules").glob("*.smk"):
        rules = len(re.findall(r"^ +threads: ", file.read_text(), re.M))
        for resource in ("mem_mb", "runtime"):
            stated = re.findall(rf"^ +{resource}=\d+,$", file.read_text(), re.M)
            assert len(stated) == rules, (file.name, resource)


def test_the_scale_of_a_night_has_shards_that_are_short(workflow_copy):
    jobs = planned_jobs(workflow_copy, "all", "--config", "scale=overnight")
    assert jobs["total"] <= 700


def test_one_table_asks_for_what_it_needs_alone(workflow_copy):
    jobs = planned_jobs(workflow_copy, "zk_table2")
    assert "network_CNN" not in jobs
    assert "network_ResNet8" not in jobs
    assert jobs["finetuning"] == 1
    assert jobs["table"] == 1


def test_a_file_of_another_scale_is_a_target(workflow_copy):
    target = "results/mnist/tables/zk_table2.csv"
    jobs = planned_jobs(workflow_copy, target, "--config", "scale=mnist")
    assert jobs["table"] == 1


@pytest.mark.parametrize(("weights", "command"), [("trained", "train"), ("released", "fetch")])
def test_networks_are_trained_or_fetched(workflow_copy, weights, command):
    # A profile of the user's own replaces the quiet one of the workflow.
    printed = snakemake(
        workflow_copy,
        *("zk_table2", "--dry-run", "--printshellcmds", "--workflow-profile", "none"),
        *("--config", "scale=mnist", f"weights={weights}"),
    )
    assert f"network {command} CNNLight" in printed.stdout + printed.stderr
