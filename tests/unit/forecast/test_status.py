"""`advmip status`: what is done of a scale, what is left, and until when."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from advmip import cli
from advmip.durability.storage import read_yaml
from advmip.experiments.outputs import sources_of
from advmip.forecast.status import printed, status
from advmip.settings import load_settings, save_settings

PROJECT = Path(__file__).parents[3]
WORKFLOW = PROJECT / "workflow"
OUTPUTS = read_yaml(WORKFLOW / "outputs.yaml")
SETTINGS = load_settings({}, WORKFLOW)
NOON = datetime(2026, 1, 5, 12)


def finish(folder: Path, job: str, seconds: float) -> None:
    benchmark = folder / "benchmarks" / f"{job}.tsv"
    benchmark.parent.mkdir(parents=True, exist_ok=True)
    benchmark.write_text(f"s\tmax_rss\n{seconds}\t100.0\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A stopped run of scale demo: a job of the lecture has ended, one of the thesis has begun."""
    folder = tmp_path / "demo"
    save_settings(SETTINGS, folder / "config.yaml")
    finish(folder, "kronqvist/relaxation/TwoNodes", 7.0)
    journal = folder / "journals" / "zhu" / "progressive" / "DNN1-0.jsonl"
    journal.parent.mkdir(parents=True)
    journal.write_text(json.dumps({"identity": {}, "key": "rank=0", "result": {}}) + "\n")
    return folder


def test_a_stopped_run_has_ended_jobs_begun_ones_and_what_is_left(folder: Path) -> None:
    found = status(SETTINGS, OUTPUTS, folder.parent, WORKFLOW)
    assert [each.output for each in found.sources] == [*sources_of(OUTPUTS), "all"]
    done = {each.output: (each.jobs_done, each.instances_done) for each in found.sources}
    assert done["kronqvist"] == (1, 0), "a job without rows of its own has no instances"
    assert done["zhu"] == (0, 1)
    assert done["all"] == (1, 1)
    assert list(found.begun) == ["zhu/progressive/DNN1-0"]
    text = printed(found, 2, NOON)
    assert "no run is at work" in text
    assert "begun: zhu/progressive/DNN1-0" in text


def test_a_run_at_work_is_named_and_ends_when_what_is_left_is_done(folder: Path) -> None:
    found = status(SETTINGS, OUTPUTS, folder.parent, WORKFLOW)
    whole = replace(found.sources[-1], left=9 * 3600.0, unknown=0)
    alive = replace(found, run="process 7 on here", sources=[whole])
    text = printed(alive, 3, NOON)
    assert "process 7 on here is at work, about until Monday 05 January, 15:00 on 3 cores" in text
    unknown = replace(alive, sources=[replace(whole, unknown=1)])
    assert "at least until Monday 05 January, 15:00" in printed(unknown, 3, NOON)
    finished = replace(alive, run=None, sources=[replace(whole, jobs_done=whole.jobs)])
    assert "Scale demo: finished" in printed(finished, 3, NOON)


def test_the_command_tells_it_of_the_scale_that_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(PROJECT)
    monkeypatch.setattr("sys.argv", ["advmip", "status", "demo", "--results", str(folder.parent)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 0
    assert "Scale demo: no run is at work" in capsys.readouterr().out
