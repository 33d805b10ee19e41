"""The command line of the standard of VNN-LIB 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_onnx import write_network, write_property

from advmip.cli import main
from advmip.vnnlib_standard import CAPABILITIES

QUERY = """(vnnlib-version <2.0>)
(declare-network f
    (declare-input image float32 [1, 2])
    (declare-output Y float32 [1, 2]))
(assert (and (<= image[0,0] 0.25) (>= image[0,0] -0.5)))
(assert (and (<= image[0,1] 1.0) (>= image[0,1] 0.0)))
"""


def said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object
) -> list[str]:
    """What a command prints, in lines; it must end well."""
    monkeypatch.setattr("sys.argv", ["advmip", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    return capsys.readouterr().out.splitlines()


def test_a_query_is_answered_in_the_words_of_the_standard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    network = write_network(tmp_path / "net.onnx")
    file = tmp_path / "query.vnnlib"
    asked = ("verify", file, "--network", f"f={network}", "--timeout", 60)
    file.write_text(QUERY + "(assert (>= Y[0,0] 0.6))")
    assert said(monkeypatch, capsys, *asked) == ["unsat"]
    file.write_text(QUERY + "(assert (and (>= Y[0,0] 0.3) (<= (+ Y[0,0] image[0,0]) 0.1)))")
    word, given, *inputs, answer, first, second = said(monkeypatch, capsys, *asked)
    assert (word, given, answer) == ("sat", "image float32 [1,2]", "Y float32 [1,2]")
    assert (float(first), float(second)) == (-float(inputs[0]), float(inputs[1]))
    assert -0.5 <= float(inputs[0]) <= -0.3


def test_version_1_is_answered_as_in_the_competition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    network = write_network(tmp_path / "net.onnx")
    file = write_property(tmp_path / "p.vnnlib", "(>= Y_0 0.3)")
    lines = said(monkeypatch, capsys, "verify", file, "--network", f"f={network}")
    assert lines[0] == "sat"
    assert lines[1].startswith("((X_0 ")


@pytest.mark.parametrize("networks", [["g"], ["f", "g"]])
def test_it_is_the_declared_network_that_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    networks: list[str],
) -> None:
    network = write_network(tmp_path / "net.onnx")
    file = tmp_path / "query.vnnlib"
    file.write_text(QUERY + "(assert (>= Y[0,0] 0.6))")
    named = [word for name in networks for word in ("--network", f"{name}={network}")]
    monkeypatch.setattr("sys.argv", ["advmip", "verify", str(file), *named])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "--network f=net.onnx" in capsys.readouterr().err


def test_a_solver_says_what_can_be_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in CAPABILITIES:
        assert said(monkeypatch, capsys, "supports", f"--{name}")
    assert {"Conv", "Gemm", "Relu"} <= set(
        said(monkeypatch, capsys, "supports", "--onnx-operators")
    )
    assert said(monkeypatch, capsys, "supports", "--vnnlib-versions") == ["1.0", "2.0"]
    assert said(monkeypatch, capsys, "--name") == ["advmip"]
    (version,) = said(monkeypatch, capsys, "--version")
    assert version[0].isdigit()
