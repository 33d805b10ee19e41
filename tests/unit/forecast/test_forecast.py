"""What a scale will cost, from rows, journals, benchmarks and tables of other runs."""

from __future__ import annotations

import csv
import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from advmip.durability.storage import read_yaml
from advmip.experiments.rows import write_rows
from advmip.forecast import work
from advmip.forecast.forecast import TOTAL, Forecast, forecast, printed
from advmip.forecast.jobs import closure, jobs_of
from advmip.forecast.measured import measured
from advmip.forecast.snapshot_tables import samples_of_tables
from advmip.forecast.times import Sample, Times
from advmip.forecast.work import Effort, Kind
from advmip.settings import Settings, load_settings, save_settings

WORKFLOW = Path(__file__).parents[3] / "workflow"
OUTPUTS = read_yaml(WORKFLOW / "outputs.yaml")
L1 = work.attack("digits_dnn1", "l1", "auto", "big-m", "progressive")
ATTACK = {
    "source": "zhu",
    "experiment": "progressive",
    "network": "digits_dnn1",
    "paper_network": "DNN1",
    "distance_name": "l1",
    "formulation": "big-m",
    "bounds": "progressive",
    "solver": "auto",
    "time_limit": 5,
    "outcome": "optimal",
    "status": "ok",
}


def small(**attacks: Any) -> Settings:
    """Scale demo with other attacks on DNN1."""
    progressive = {"DNN1": {"distances": ["l1"], "images": 10, "time_limit": 60, **attacks}}
    return load_settings({"zhu": {"experiments": {"progressive": progressive}}}, WORKFLOW)


def attacks(*seconds: float, **columns: Any) -> list[dict[str, Any]]:
    return [
        ATTACK | {"image": place, "seconds_total": each} | columns
        for place, each in enumerate(seconds)
    ]


def cost_of(output: str, settings: Settings, results: Path) -> Forecast:
    costs, _ = forecast(settings, OUTPUTS, results, WORKFLOW)
    return next(each for each in costs if each.output == output)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results of an earlier run of scale demo, without any rows."""
    save_settings(load_settings({}, WORKFLOW), tmp_path / "demo" / "config.yaml")
    return tmp_path


def test_finished_instances_tell_the_mean_of_those_to_come(results: Path) -> None:
    shard = results / "demo" / "shards" / "zhu" / "progressive" / "DNN1-0" / "attacks.csv"
    write_rows("attacks", attacks(1.0, 2.0, 6.0), shard)
    times = Times(measured(results, OUTPUTS, WORKFLOW).samples)
    assert times.expected(Effort(L1), 60.0) == (3.0, 3.0)
    assert times.expected(Effort(L1), 4.0) == pytest.approx((7 / 3, 7 / 3)), "none above the limit"


def test_what_a_limit_ended_takes_at_least_so_long(results: Path) -> None:
    shard = results / "demo" / "shards" / "zhu" / "progressive" / "DNN1-0" / "attacks.csv"
    rows = attacks(1.0) + attacks(5.0, outcome="feasible", image=1)
    write_rows("attacks", rows, shard)
    times = Times(measured(results, OUTPUTS, WORKFLOW).samples)
    assert times.expected(Effort(L1), 60.0) == (3.0, 30.5)
    assert times.expected(Effort(L1), 5.0) == (3.0, 3.0), "with the same limit all is known"


def test_an_unfinished_shard_tells_what_its_journal_holds(results: Path) -> None:
    journal = results / "demo" / "journals" / "zhu" / "progressive" / "DNN1-0.jsonl"
    journal.parent.mkdir(parents=True)
    lines = [
        json.dumps({"key": f"{place}", "identity": {}, "result": {"common": {}, "row": row}})
        for place, row in enumerate(attacks(2.0, 4.0))
    ]
    journal.write_text("\n".join([*lines, lines[0][:50]]))
    samples = measured(results, OUTPUTS, WORKFLOW).samples
    assert samples == [Sample(L1, 2.0), Sample(L1, 4.0)], "the torn line is left out"
    shard = results / "demo" / "shards" / "zhu" / "progressive" / "DNN1-0" / "attacks.csv"
    write_rows("attacks", attacks(2.0, 4.0), shard)
    assert measured(results, OUTPUTS, WORKFLOW).samples == samples, "each instance counts once"


def test_answers_to_a_benchmark_tell_the_time_of_others(results: Path) -> None:
    about = {"source": "vnncomp", "paper_network": "eran_2021", "solver": "auto", "vnnlib": "a"}
    answers = [
        about | {"instance": 1, "answer": "unsat", "seconds_total": 2.0},
        about | {"instance": 2, "answer": "timeout", "seconds_total": 60.0},
    ]
    shard = results / "demo" / "shards" / "vnncomp" / "benchmarks" / "eran_2021-0" / "answers.csv"
    write_rows("answers", answers[:1], shard)
    journal = results / "demo" / "journals" / "vnncomp" / "benchmarks" / "eran_2021-1.jsonl"
    journal.parent.mkdir(parents=True)
    journal.write_text(json.dumps({"key": "a", "identity": {}, "result": answers[1]}) + "\n")
    times = Times(measured(results, OUTPUTS, WORKFLOW).samples)
    effort = Effort(work.answering("eran_2021", "auto"))
    assert times.expected(effort, 300.0) == (31.0, 151.0)


def test_runs_until_images_are_proved_tell_the_time_of_others(results: Path) -> None:
    about = {"source": "zk", "paper_network": "CNNLight", "network": "digits_cnn_light"}
    about |= {"epsilon": 0.06, "verified_images": 40, "method": "certificates"}
    row = about | {"training_images": 10, "seconds_total": 3.0, "seconds_evaluation": 100.0}
    start = about | {"training_images": 0, "method": "initial", "seconds_evaluation": 40.0}
    journal = results / "demo" / "journals" / "zk" / "extension4" / "CNNLight-0.jsonl"
    journal.parent.mkdir(parents=True)
    lines = [{"key": "a", "identity": {}, "result": each} for each in (row, start)]
    # On the way to a row: verdicts of images, which tell nothing yet.
    lines.append({"key": "test from 0", "identity": {}, "result": {"found": []}})
    journal.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    times = Times(measured(results, OUTPUTS, WORKFLOW).samples)
    tuned = work.certified("digits_cnn_light", 0.06, 10, "certificates")
    assert times.expected(tuned, math.inf) == (3.0, 3.0)
    assert times.expected(work.proofs("digits_cnn_light", 0.06, 100), math.inf) == (150.0, 150.0)


def test_where_nothing_is_known_the_limit_is_the_most(results: Path) -> None:
    times = Times([])
    assert times.expected(Effort(L1), 60.0) == (0.0, 60.0)
    assert times.expected(Effort(Kind("training", "dnn1"), 50), math.inf) is None


def test_the_nearest_number_of_breakpoints_is_at_least_a_beginning() -> None:
    def kind(distance: str) -> Kind:
        return L1._replace(method=distance)

    times = Times([Sample(kind("l2-5"), 1.0), Sample(kind("l2-17"), 4.0), Sample(kind("l0"), 9.0)])
    assert times.expected(Effort(kind("l2-33")), 60.0) == (4.0, 60.0)
    assert times.expected(Effort(kind("l2-6")), 60.0) == (1.0, 60.0)
    assert times.expected(Effort(kind("l1")), 60.0) == (0.0, 60.0), "L0 tells nothing of L1"


def test_benchmarks_tell_the_time_and_the_memory_of_whole_jobs(results: Path) -> None:
    benchmark = results / "demo" / "benchmarks" / "networks" / "DNN1.tsv"
    benchmark.parent.mkdir(parents=True)
    benchmark.write_text("s\th:m:s\tmax_rss\n10.0\t0:00:10\t500.0\n")
    known = measured(results, OUTPUTS, WORKFLOW)
    epochs = load_settings({}, WORKFLOW)["zhu"]["networks"]["DNN1"]["training"]["epochs"]
    longer = work.training(
        {"architecture": "digits_dnn1", "dataset": "digits"} | _training(2 * epochs)
    )
    times = Times(known.samples)
    assert times.expected(longer, math.inf) == pytest.approx((20.0, 20.0))
    assert cost_of("zhu_table4", small(), results).memory == 500.0 * 1024**2


def _training(epochs: int) -> dict[str, Any]:
    return {"training": {"epochs": epochs}}


def test_an_output_costs_what_it_needs_and_all_counts_shared_jobs_once(results: Path) -> None:
    shard = results / "demo" / "shards" / "zhu" / "progressive" / "DNN1-0" / "attacks.csv"
    write_rows("attacks", attacks(3600.0, time_limit=7200), shard)
    scale = small(time_limit=7200.0)
    fourth, fifth = (cost_of(f"zhu_table{number}", scale, results) for number in (4, 5))
    everything = cost_of(TOTAL, scale, results)
    assert fourth.seconds.least == fifth.seconds.least == 36_000.0
    others = 38 * 5.0  # L1 on DNN1 elsewhere, which seconds end
    assert everything.seconds.least == 36_000.0 + others
    assert fourth.jobs < everything.jobs == len(jobs_of(scale, OUTPUTS))
    assert cost_of("zhu_figure1", scale, results).instances == 0
    text = printed("demo", *forecast(scale, OUTPUTS, results, WORKFLOW))
    (line,) = (line for line in text.splitlines() if line.startswith("zhu_table4"))
    assert line.split()[1:4] == [f"{fourth.jobs}", f"{fourth.instances}", "10.00"]
    nothing = printed("demo", *forecast(scale, OUTPUTS, results / "none", WORKFLOW))
    (line,) = (line for line in nothing.splitlines() if line.startswith("zhu_table4"))
    assert line.split()[3:5] == ["≥", "0.00"], "limits alone say what it takes at most"


def test_what_is_done_already_is_not_left(results: Path) -> None:
    shard = results / "demo" / "shards" / "zhu" / "progressive" / "DNN1-0" / "attacks.csv"
    write_rows("attacks", attacks(360.0, time_limit=7200), shard)
    scale = small(time_limit=7200.0, attacks_per_job=5)
    assert cost_of("zhu_table4", scale, results).left == 3600.0
    benchmark = results / "demo" / "benchmarks" / "zhu" / "progressive" / "DNN1-0.tsv"
    benchmark.parent.mkdir(parents=True)
    benchmark.write_text("s\tmax_rss\n1800.0\t500.0\n")
    journal = results / "demo" / "journals" / "zhu" / "progressive" / "DNN1-1.jsonl"
    journal.parent.mkdir(parents=True)
    entry = {"identity": {}, "result": {"common": {}, "row": ATTACK | {"seconds_total": 360.0}}}
    keys = ("rank=0", "rank=1", "rank=1")
    journal.write_text("".join(json.dumps(entry | {"key": key}) + "\n" for key in keys))
    half = cost_of("zhu_table4", scale, results)
    assert half.seconds.least == 3600.0
    assert half.left == pytest.approx(3600.0 - 1800.0 - 720.0)


def test_a_table_needs_no_jobs_of_other_sources() -> None:
    jobs = jobs_of(small(), OUTPUTS)
    needed = closure(jobs, ["tables/zhu_table8"])
    assert "retrained/DNN1-none" in needed
    assert "networks/DNN1" in needed
    assert not {name for name in needed if name.startswith(("zk", "benmhenni", "adv"))}


def test_a_network_that_is_defended_is_another() -> None:
    chosen = load_settings({"scale": "overnight"}, WORKFLOW)["benmhenni"]["networks"]
    assert work.label(chosen["MNIST-3x50"]) == "mnist_3x50"
    assert work.label(chosen["MNIST-6x100"]) == "mnist_6x100, linear-bounds"


def test_tables_of_a_snapshot_tell_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    rows = [
        {"network": "DNN1", "paper_network": "DNN1", "distance_name": "l1", "seeds": 4} | more
        for more in (
            {"quantity": "seconds_total", "ours": 20.0},
            {"quantity": "solved", "ours": 75.0},
            {"quantity": "nodes", "ours": ""},
        )
    ]
    with (tmp_path / "tables" / "zhu_table4.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    samples = samples_of_tables(small(time_limit=50.0), tmp_path)
    assert samples == [Sample(L1, 50.0, True, 1.0), Sample(L1, 10.0, False, 3.0)]
    # Rows say more than the tables that were made from them.
    (tmp_path / "rows" / "zhu").mkdir(parents=True)
    assert not samples_of_tables(small(time_limit=50.0), tmp_path)


def test_the_snapshots_that_are_kept_can_be_read(tmp_path: Path) -> None:
    reference = WORKFLOW.parent / "results" / "reference"
    shutil.copytree(
        reference, tmp_path / "reference", ignore=shutil.ignore_patterns("*.p*", "*.tex")
    )
    known = measured(tmp_path, OUTPUTS, WORKFLOW)
    assert not known.unread
    whats = {sample.kind.what for sample in known.samples}
    assert {"attack", "verification", "passes", "projections", "retraining"} <= whats


def test_results_of_settings_that_are_none_any_more_are_named(results: Path) -> None:
    (results / "demo" / "config.yaml").write_text("scale: demo\nsede: 1\n")
    costs, known = forecast(small(), OUTPUTS, results, WORKFLOW)
    assert known.unread == [results / "demo"]
    assert f"{results / 'demo'}" in printed("demo", costs, known)
