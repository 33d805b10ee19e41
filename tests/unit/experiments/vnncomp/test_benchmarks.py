"""Benchmarks as the workflow answers them: questions, rows, journal, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from small_onnx import write_network, write_property

from advmip import CheckError, InputError
from advmip.experiments.networks import train_network
from advmip.experiments.vnncomp import answers as module
from advmip.experiments.vnncomp.answers import benchmark_answers
from advmip.experiments.vnncomp.catalogue import datasets_of, network_files, shards_with
from advmip.experiments.vnncomp.instances import shards_of, spread
from advmip.settings import Settings, load_settings

WORKFLOW = Path(__file__).parents[4] / "workflow"
BENCHMARK = "acasxu_2022"

# The properties of a benchmark on Y_0 = |X_0|, for X_0 from -0.5 to 0.25.
CONDITIONS = {"above": "(>= Y_0 0.6)", "within": "(>= Y_0 0.4)", "below": "(<= Y_0 -0.1)"}


def settings_for(folder: Path, instances: int = 3, **others: Any) -> Settings:
    """Scale demo with a benchmark of files."""
    chosen = {"instances": instances, "time_limit": 60, **others}
    vnncomp = {"benchmarks": {BENCHMARK: chosen}}
    return load_settings({"vnncomp_dir": str(folder), "vnncomp": vnncomp}, WORKFLOW)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A benchmark of three instances, and what two tools said of them."""
    own = tmp_path / "vnncomp" / BENCHMARK
    own.mkdir(parents=True)
    write_network(own / "net.onnx.gz")
    for name, condition in CONDITIONS.items():
        write_property(own / f"{name}.vnnlib", condition)
    limits = zip(CONDITIONS, (30, 90, 90), strict=True)
    lines = [f"net.onnx,{name}.vnnlib,{limit}" for name, limit in limits]
    (own / "instances.csv").write_text("\n".join(lines))
    published = ["benchmark,onnx,vnnlib,tool,result,seconds"]
    for name, word in zip(CONDITIONS, ("unsat", "sat", "timeout"), strict=True):
        published += [f"{BENCHMARK},net.onnx,{name}.vnnlib,{tool},{word},7.5" for tool in "AB"]
        published.append(f"oval21_2022,net.onnx,{name}.vnnlib,A,{word},1.0")
    (tmp_path / "vnncomp" / "published_results.csv").write_text("\n".join(published))
    return tmp_path / "vnncomp"


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def answer(settings: Settings, out: Path, benchmark: str = BENCHMARK, networks: Path = Path()):
    """The rows of the benchmark's first job: ours and those of tools."""
    benchmark_answers(settings, benchmark, 0, networks, out / "journal.jsonl", out)
    return rows_of(out / "answers.csv"), rows_of(out / "published_answers.csv")


def test_chosen_instances_are_spread_over_a_benchmark() -> None:
    assert spread(3, 9) == [0, 3, 6]
    assert spread(20, 90)[:4] == [0, 4, 9, 13]
    for chosen, whole in ((1, 5), (4, 5), (5, 5)):
        places = spread(chosen, whole)
        assert len(set(places)) == chosen
        assert 0 <= min(places) <= max(places) < whole


def test_a_job_holds_all_solvers_of_its_instances(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, instances=5, solvers=["auto", "highs"])
    settings["vnncomp"]["instances_per_job"] = 3
    shards = shards_of(settings, BENCHMARK)
    assert [len(shard) for shard in shards] == [6, 4]
    assert {each.place for each in shards[1]} == {3, 4}
    names = [shard.name for shard in shards_with(settings, "benchmarks", BENCHMARK)]
    assert names == [f"vnncomp/benchmarks/{BENCHMARK}-{number}" for number in (0, 1)]
    assert not shards_with(settings, "benchmarks", "oval21_2022"), "left out at this scale"
    assert network_files(settings, BENCHMARK) == datasets_of(settings, BENCHMARK) == []


def test_every_answer_has_a_row_beside_those_of_the_tools(folder: Path, tmp_path: Path) -> None:
    ours, theirs = answer(settings_for(folder), tmp_path)
    assert [row["answer"] for row in ours] == ["unsat", "sat", "unsat"]
    assert [row["counterexample"] for row in ours] == ["", "onnxruntime", ""]
    assert [float(row["time_limit"]) for row in ours] == [30, 60, 60], (
        "and no more than the scale's"
    )
    assert [float(row["published_limit"]) for row in ours] == [30, 90, 90]
    assert {row["population"] for row in ours} == {"3"}
    assert all(0 < float(row["seconds_total"]) < 60 for row in ours)
    assert [(row["instance"], row["tool"], row["answer"]) for row in theirs] == [
        (f"{number}", tool, word)
        for number, word in enumerate(("unsat", "sat", "timeout"), 1)
        for tool in "AB"
    ]
    again, _ = answer(settings_for(folder), tmp_path)
    assert again == ours, "none is computed again"


def test_what_an_answer_depends_on_decides_whether_it_counts(folder: Path, tmp_path: Path) -> None:
    answer(settings_for(folder), tmp_path)
    write_property(folder / BENCHMARK / "below.vnnlib", "(>= Y_0 0.0)")
    ours, _ = answer(settings_for(folder), tmp_path)
    assert [row["answer"] for row in ours] == ["unsat", "sat", "sat"]
    assert len((tmp_path / "journal.jsonl").read_text().splitlines()) == 4


def test_boxes_are_asked_of_networks_that_are_made_here(tmp_path: Path) -> None:
    boxes = {"networks": ["DNN1"], "instances": 2, "epsilon": 0.01}
    changed = {"zhu": {"networks": {"DNN1": {"training": {"epochs": 5}}}}}
    settings = load_settings({**changed, "vnncomp": {"benchmarks": {"digits": boxes}}}, WORKFLOW)
    (weights,) = network_files(settings, "digits")
    train_network(settings, "DNN1", tmp_path / weights)
    ours, theirs = answer(settings, tmp_path, "digits", tmp_path)
    assert [(row["instance"], row["solver"]) for row in ours] == [
        *(("1", "auto"), ("1", "highs"), ("2", "auto"), ("2", "highs"))
    ]
    assert {row["dataset"] for row in ours} == {"digits"} == set(datasets_of(settings, "digits"))
    assert ours[0]["answer"] == ours[1]["answer"]
    assert ours[0]["vnnlib"] == "digits 0 within 0.01"
    assert not theirs


def test_solvers_that_contradict_each_other_are_an_error(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {"auto": "unsat", "highs": "sat"}
    monkeypatch.setattr(
        module, "answer_of", lambda _, how: {"result": words[how["solver"]], "seconds": 1.0}
    )
    with pytest.raises(CheckError, match="unsat by auto, but sat by highs"):
        answer(settings_for(folder, solvers=["auto", "highs"]), tmp_path)


def test_what_is_missing_is_named_before_anything_is_answered(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="set vnncomp_dir to a folder that has it"):
        answer(settings_for(tmp_path / "elsewhere"), tmp_path)
    with pytest.raises(InputError, match="at most 3"):
        answer(settings_for(folder, instances=4), tmp_path)
    (folder / BENCHMARK / "below.vnnlib").unlink()
    with pytest.raises(InputError, match=r"below\.vnnlib"):
        answer(settings_for(folder), tmp_path)
    write_property(folder / BENCHMARK / "below.vnnlib", CONDITIONS["below"])
    (folder / "published_results.csv").unlink()
    with pytest.raises(InputError, match=r"published_results\.csv"):
        answer(settings_for(folder), tmp_path)
    assert not (tmp_path / "journal.jsonl").exists()
