"""Whole benchmarks: every instance has its word, and what is finished is not computed again."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from small_onnx import write_layers, write_network, write_property

from advmip import vnncomp
from advmip.errors import InputError
from advmip.vnncomp import read_instances, run_benchmark

SCRIPTS = Path(__file__).parents[2] / "vnncomp_scripts"


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    """One instance for each word but timeout; the property of the second is compressed."""
    write_network(tmp_path / "net.onnx")
    # Y = (X_0 + 1e8) - 1e8, which float32 rounds to 0.
    write_layers(tmp_path / "large.onnx", ([[1.0, 0.0]], [1e8]), ([[1.0], [1.0]], [-1e8, -1e8]))
    write_property(tmp_path / "holds.vnnlib", "(>= Y_0 0.6)")
    write_property(tmp_path / "violated.vnnlib.gz", "(>= Y_0 0.4)")
    write_property(tmp_path / "rounded.vnnlib", "(>= Y_0 0.2)")
    (tmp_path / "strange.vnnlib").write_text("(exists X)")
    lines = (
        "net.onnx,holds.vnnlib,60",
        "net.onnx,violated.vnnlib,60",
        "large.onnx,rounded.vnnlib,60",
        "net.onnx,strange.vnnlib,60",
    )
    file = tmp_path / "instances.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def rows(results: Path) -> list[dict[str, str]]:
    with results.open(newline="") as file:
        return list(csv.DictReader(file))


def journal(results: Path) -> list[str]:
    file = results.with_suffix(".jsonl")
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line)["key"] for line in lines]


def test_every_instance_has_the_competitions_word(
    benchmark: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "out" / "results.csv"
    assert not run_benchmark(benchmark, results, jobs=2)
    answers = rows(results)
    assert [row["result"] for row in answers] == ["unsat", "sat", "unknown", "error"]
    assert [row["vnnlib"] for row in answers] == [
        row.split(",")[1] for row in benchmark.read_text().splitlines()
    ]
    assert all(0 < float(row["seconds"]) < 60 for row in answers)
    assert "onnxruntime" in answers[2]["reason"]
    assert "(exists ...), in line 1" in answers[3]["reason"]
    said = (results.parent / answers[1]["counterexample"]).read_text()
    assert said.startswith("sat\n((X_0 ")
    line = capsys.readouterr().out
    assert line.startswith("4 instances: 1 sat, 1 unsat, 1 unknown, 1 error; ")
    # What ended in an error is tried again by the next run.
    assert len(journal(results)) == 3


def test_an_instance_that_takes_too_long_is_stopped(benchmark: Path, tmp_path: Path) -> None:
    results = tmp_path / "results.csv"
    assert run_benchmark(benchmark, results, timeout_factor=1e-6)
    assert {row["result"] for row in rows(results)} == {"timeout"}


def test_a_run_that_is_killed_goes_on_where_it_was(benchmark: Path, tmp_path: Path) -> None:
    results = tmp_path / "results.csv"
    command = [sys.executable, "-c", "from advmip.cli import main; main()"]
    command += ["vnncomp", str(benchmark), "--results", str(results)]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not journal(results) and run.poll() is None:
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()
    done = journal(results)
    assert not run_benchmark(benchmark, results)
    keys = journal(results)
    assert keys[: len(done)] == done
    assert len(keys) == len(set(keys)) == 3
    seconds = [row["seconds"] for row in rows(results)]
    run_benchmark(benchmark, results)
    assert [row["seconds"] for row in rows(results)][:3] == seconds[:3]


@pytest.mark.parametrize(("kills", "word"), [(1, "unsat"), (2, "error")])
def test_an_instance_whose_process_is_killed_is_tried_once_more(
    benchmark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills: int, word: str
) -> None:
    honest, left = vnncomp._received, [signal.SIGKILL] * kills

    def killed(pipe: Any) -> Any:
        answer = honest(pipe)
        return None if left and left.pop() else answer

    monkeypatch.setattr(vnncomp, "_received", killed)
    first = read_instances(benchmark)[0]
    answer = vnncomp.answer_of(first, {"solver": "auto", "seed": 0})
    assert answer["result"] == word
    assert ("ended" in answer.get("reason", "")) == (word == "error")


def test_limits_are_each_instances_own(benchmark: Path) -> None:
    benchmark.write_text("net.onnx,holds.vnnlib,60\nnet.onnx,violated.vnnlib,10\n")
    limits = [each.limit for each in read_instances(benchmark, 0.5, 20.0)]
    assert limits == [20.0, 5.0]


@pytest.mark.parametrize("text", ["a,b\n", "a,b,soon\n", None])
def test_what_is_no_benchmark_is_refused(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "instances.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputError, match=r"instances\.csv"):
        read_instances(file)


@pytest.mark.skipif(shutil.which("timeout") is None, reason="the scripts are for GNU coreutils")
@pytest.mark.parametrize(
    ("instance", "seconds", "word"),
    [(0, "60", "unsat"), (1, "60", "sat"), (1, "0.01", "timeout"), (3, "60", "error")],
)
def test_the_competitions_scripts(
    benchmark: Path, tmp_path: Path, instance: int, seconds: str, word: str
) -> None:
    onnx, vnnlib, _ = benchmark.read_text().splitlines()[instance].split(",")
    common = ["v1", "small", str(tmp_path / onnx), str(tmp_path / vnnlib)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    results = tmp_path / "result.txt"
    subprocess.run([SCRIPTS / "prepare_instance.sh", *common], check=True)
    subprocess.run(
        [SCRIPTS / "run_instance.sh", *common, results, seconds],
        check=True,
        env={**os.environ, "PATH": path},
        stderr=subprocess.DEVNULL,
    )
    assert results.read_text().split("\n")[0] == word


def test_the_scripts_refuse_another_version(tmp_path: Path) -> None:
    for script in ("install_tool.sh", "prepare_instance.sh", "run_instance.sh"):
        done = subprocess.run([SCRIPTS / script, "v0"], capture_output=True, check=False)
        assert done.returncode == 1
        assert script.encode() in done.stderr
