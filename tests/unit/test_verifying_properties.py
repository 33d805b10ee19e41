"""`advmip verify net.onnx property.vnnlib`, on a network whose outputs are known in words."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from small_onnx import write_layers, write_network, write_property

from advmip.cli import main
from advmip.errors import InputError
from advmip.properties import Property, load_property, logit
from advmip.verifying_properties import answered, verify_file


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The exit status of `advmip verify`."""
    monkeypatch.setattr("sys.argv", ["advmip", "verify", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize(
    ("condition", "line"),
    [
        ("(>= Y_0 0.6)", r"holds, by \w+; every point lacks at least 0\.1"),
        ("(and (>= Y_0 0.3) (<= Y_1 1))", "violated, confirmed by onnxruntime"),
        ("(or (>= Y_0 0.6) (>= (+ Y_1 X_0) 1.2))", "violated, confirmed by onnxruntime"),
        ("(and (>= Y_0 0.3) (>= X_0 0))", "holds, by"),
    ],
)
def test_a_property_has_its_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    condition: str,
    line: str,
    packed: str,
) -> None:
    network = write_network(tmp_path / f"net.onnx{packed}")
    property_ = write_property(
        tmp_path / f"p.vnnlib{packed}", condition.replace("Y_1 X_1", "Y_1 1")
    )
    assert command(monkeypatch, network, property_) == 0
    assert re.match(
        rf"{re.escape(str(property_))}: {line}.*; \d+\.\d\d s\n$", capsys.readouterr().out
    )


def test_the_counterexample_is_written_as_the_competition_has_it(tmp_path: Path) -> None:
    network = write_network(tmp_path / "net.onnx")
    file = write_property(tmp_path / "p.vnnlib", "(and (>= Y_0 0.3) (>= Y_1 0.8))")
    verify_file(network, file, tmp_path / "result.txt")
    word, said = (tmp_path / "result.txt").read_text().split("\n", 1)
    assert word == "sat"
    assert said.startswith("((X_0 ")
    assert said.endswith("))\n")
    values = {name: float(value) for name, value in re.findall(r"\((\w+) ([^)]+)\)", said)}
    assert list(values) == ["X_0", "X_1", "Y_0", "Y_1"]
    assert values["Y_0"] == abs(values["X_0"]) >= 0.3
    assert values["Y_1"] == values["X_1"] >= 0.8
    verify_file(network, file, tmp_path / "point.npy")
    point = np.load(tmp_path / "point.npy")
    outputs = np.array([abs(point[0]), point[1]])
    assert load_property(file).surplus(point, outputs) >= 0


def test_what_holds_leaves_a_word_and_no_point(tmp_path: Path) -> None:
    network = write_network(tmp_path / "net.onnx")
    file = write_property(tmp_path / "p.vnnlib", "(>= Y_0 0.6)")
    for out in ("result.txt", "point.npy"):
        verify_file(network, file, tmp_path / out)
    assert (tmp_path / "result.txt").read_text() == "unsat\n"
    assert not (tmp_path / "point.npy").exists()


def test_what_onnxruntime_denies_is_unknown(tmp_path: Path) -> None:
    # Y = (X + 1e8) - 1e8, which float32 rounds to 0.
    network = write_layers(tmp_path / "net.onnx", ([[1.0]], [1e8]), ([[1.0]], [-1e8]))
    answer = answered(network, Property.of((np.zeros(1), np.ones(1)), logit(0) >= 0.5))
    assert answer.verdict.status == "violated"
    assert (answer.status, answer.word, answer.counterexample) == ("unknown", "unknown", None)
    assert "onnxruntime" in answer.reason


def test_a_property_needs_the_very_outputs(tmp_path: Path) -> None:
    network = write_network(tmp_path / "net.onnx")
    beyond = Property.of((np.zeros(2), np.ones(2)), logit(2) >= 0)
    with pytest.raises(InputError, match="outputs up to number 2"):
        answered(network, beyond)
    with pytest.raises(InputError, match="3 inputs"):
        answered(network, Property.of((np.zeros(3), np.ones(3)), logit(0) >= 0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("net.onnx", "p.vnnlib", "p.vnnlib"), "one property"),
        (("net.onnx", "p.vnnlib", "image.npy"), "one property"),
        (("net.onnx",), "one property"),
        (("net.onnx", "p.vnnlib", "--out", "result.csv"), "a name ending in '.csv'"),
        (("net.onnx", "nothing.vnnlib"), "no such file"),
        (("nothing.onnx.gz", "p.vnnlib"), "no such file"),
        (("net.onnx", "torn.vnnlib.gz"), "text compressed by gzip"),
        (("net.onnx", "p.vnnlib", "--timeout", "0"), "seconds, above 0"),
        (("p.vnnlib", "--network", "net.onnx"), "name=net.onnx"),
    ],
)
def test_what_cannot_be_used_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_network(Path("net.onnx"))
    write_property(Path("p.vnnlib"), "(>= Y_0 0.6)")
    Path("torn.vnnlib.gz").write_bytes(b"\x1f\x8b torn")
    assert command(monkeypatch, *arguments) == 2
    assert message in capsys.readouterr().err


def test_without_onnxruntime_nothing_is_said_of_an_onnx_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    network = write_network(tmp_path / "net.onnx")
    file = write_property(tmp_path / "p.vnnlib", "(>= Y_0 0.3)")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert command(monkeypatch, network, file) == 2
    assert "advmip[vnnlib]" in capsys.readouterr().err
