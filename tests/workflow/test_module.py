"""The workflow in another's: imported as a module, and started from elsewhere."""

import pytest

from .conftest import PROJECT, snakemake

IMPORTING = f"""
module robustness:
    snakefile:
        "{PROJECT / "Snakefile"}"
    config:
        {{"scale": "demo", "seed": 3}}


use rule * from robustness as robustness_*


rule summary:
    default_target: True
    input:
        rules.robustness_kronqvist.input,


onstart:
    robustness.begin()
"""


@pytest.fixture
def elsewhere(tmp_path):
    """A folder with nothing in it but a workflow that imports this one."""
    (tmp_path / "Snakefile").write_text(IMPORTING)
    return tmp_path


def test_another_workflow_plans_what_it_asks_for_of_ours(elsewhere):
    planned = snakemake(elsewhere, "--dry-run")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    jobs = planned.stdout + planned.stderr
    assert "robustness_finetuning" in jobs
    assert "robustness_exact_attacks" not in jobs


def test_jobs_find_our_files_and_leave_results_where_they_are_started(elsewhere):
    results = elsewhere / "results" / "demo"
    figure = "results/demo/figures/kronqvist_figure1.png"
    finished = snakemake(elsewhere, figure)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert (elsewhere / figure).stat().st_size > 0
    assert "seed: 3" in (results / "config.yaml").read_text()
    # Snakemake's own report holds the figure under its source.
    reported = snakemake(elsewhere, "--report", "report.html", figure)
    assert reported.returncode == 0, reported.stdout + reported.stderr
    assert "kronqvist_figure1.png" in (elsewhere / "report.html").read_text()


@pytest.mark.parametrize("file", ["Snakefile", "workflow/Snakefile"])
def test_without_settings_of_its_own_a_folder_has_those_beside_the_workflow(tmp_path, file):
    planned = snakemake(tmp_path, "--dry-run", "zk_table2", "--snakefile", PROJECT / file)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert "finetuning" in planned.stdout + planned.stderr
