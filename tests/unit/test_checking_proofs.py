"""`advmip verify ... --proof` and `advmip check-proof`: a line for each proof, exit statuses."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from small_onnx import write_network, write_property

from advmip.cli import main


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The exit status of a command."""
    monkeypatch.setattr("sys.argv", ["advmip", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_robust_images_have_proofs_in_a_folder(
    digits_network: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "proofs"
    how = ("--epsilon", 0.02, "--proof", folder)
    assert command(monkeypatch, "verify", digits_network, "digits:0-3", *how) == 0
    lines = capsys.readouterr().out.splitlines()[:4]
    kept = sorted(folder.iterdir())
    assert kept
    for number, line in enumerate(lines):
        file = folder / f"digits-{number}.npz"
        assert file.exists() == (f"; proof in {file}" in line)
    assert command(monkeypatch, "check-proof", *kept) == 0
    for file, line in zip(kept, capsys.readouterr().out.splitlines(), strict=True):
        assert line.startswith(f"{file}: proved, class ")
        assert " within linf distance 0.02 of the image; leaves " in line

    first = kept[0]
    name = first.stem.replace("-", ":")
    assert command(monkeypatch, "check-proof", first, "--asked", name) == 0
    assert command(monkeypatch, "check-proof", first, "--asked", "digits:100") == 2
    assert "question of proof" in capsys.readouterr().out
    assert command(monkeypatch, "check-proof", first, "--asked", "digits:0-1") == 2
    assert "2 images" in capsys.readouterr().out


def test_the_proof_of_a_property_goes_with_its_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    network = write_network(Path("net.onnx"))
    asked = write_property(Path("p.vnnlib"), "(or (>= Y_0 0.6) (and (>= Y_0 0.3) (>= X_0 0)))")
    other = write_property(Path("q.vnnlib"), "(>= Y_0 0.7)")
    assert command(monkeypatch, "verify", network, asked, "--proof", "p.npz") == 0
    assert capsys.readouterr().out.endswith("; proof in p.npz\n")
    assert command(monkeypatch, "check-proof", "p.npz", "--asked", asked) == 0
    assert capsys.readouterr().out.startswith("p.npz: proved, ")
    assert command(monkeypatch, "check-proof", "p.npz", "--asked", other) == 2
    assert command(monkeypatch, "check-proof", "p.npz", "--asked", "image.npy") == 2
    assert "a property, as the proof is of one" in capsys.readouterr().out

    network.rename("moved.onnx")
    assert command(monkeypatch, "check-proof", "p.npz") == 2
    assert "--network net.onnx" in capsys.readouterr().out
    assert command(monkeypatch, "check-proof", "p.npz", "--network", "moved.onnx") == 0


def test_what_cannot_be_used_and_what_is_no_proof_end_differently(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    network = write_network(Path("net.onnx"))
    asked = write_property(Path("p.vnnlib"), "(>= Y_0 0.6)")
    command(monkeypatch, "verify", network, asked, "--proof", "p.npz")
    with np.load("p.npz") as archive:
        arrays = {name: archive[name] for name in archive.files if name != "proof.json"}
        header = archive["proof.json"]
    arrays["question/upper"] = arrays["question/upper"] + 1.0
    np.savez("q.npz", **arrays)
    with zipfile.ZipFile("q.npz", "a") as archive:
        archive.writestr("proof.json", header)
    capsys.readouterr()
    assert command(monkeypatch, "check-proof", "p.npz", "q.npz") == 3
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("p.npz: proved")
    assert second.startswith("q.npz: not proved, the only leaf leaves case 0 open")
    assert command(monkeypatch, "check-proof", "nothing.npz") == 2
    for name in ("p.txt", "."):
        assert command(monkeypatch, "verify", network, asked, "--proof", name) == 2
    image = tmp_path / "image.npy"
    np.save(image, np.zeros(2))
    assert command(monkeypatch, "verify", network, image, "--proof", "proof.npz") == 2
    assert "a folder for the proofs of images" in capsys.readouterr().err
