"""The whole workflow, end to end, on tiny networks."""

import json

import pandas as pd
import yaml

from .conftest import PROJECT, SMOKE, snakemake

OUTPUTS = yaml.safe_load((PROJECT / "workflow" / "outputs.yaml").read_text())
SUFFIXES = {"tables": (".csv", ".md", ".tex"), "figures": (".csv", ".png", ".pdf")}


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
