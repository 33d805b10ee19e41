"""`advmip curve`: several networks in one figure, its numbers, and the journal of attacks."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from advmip import InputError, accuracy_curve, cli
from advmip.questions.asking import Asked, ask
from advmip.questions.curves import networks_and_images
from advmip.questions.nearest_attack import NearestAttack


def test_a_curve_goes_on_from_attacks_and_shows_what_they_found(
    digits_network: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = tmp_path / "found.csv"
    answers = ask(NearestAttack, digits_network, Asked(["digits:0-3"]), table).answers
    again = tmp_path / "other" / digits_network.name
    again.parent.mkdir()
    shutil.copy(digits_network, again)

    def refuse(*_: object) -> None:
        raise AssertionError("attacked again")

    monkeypatch.setattr(NearestAttack, "answer", refuse)
    command = ["advmip", "curve", str(digits_network), str(again), "digits:0-3", "none.npy"]
    options = ["--journal", str(table.with_suffix(".jsonl")), "--out", str(tmp_path / "c.png")]
    monkeypatch.setattr("sys.argv", [*command, *options])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    # The missing image is named and left out.
    assert stopped.value.code == 2
    printed = capsys.readouterr().out
    assert "none.npy: failed" in printed
    assert "4 images, 1 left out" in printed
    curve = accuracy_curve(answers)
    data = pd.read_csv(tmp_path / "c.csv")
    assert set(data["network"]) == {f"{file.parent.name}/net" for file in (digits_network, again)}
    for _, steps in data.groupby("network"):
        np.testing.assert_allclose(steps["radius"], curve.radius)
        np.testing.assert_allclose(steps["lower_accuracy"], curve.lower)
        np.testing.assert_allclose(steps["upper_accuracy"], curve.upper)
    with Image.open(tmp_path / "c.png") as picture:
        assert picture.width > picture.height
    assert (tmp_path / "c.pdf").stat().st_size > 0


def test_networks_come_first_and_archives_of_images_are_no_networks(tmp_path: Path) -> None:
    weights, images = tmp_path / "weights.npz", tmp_path / "images.npz"
    np.savez(weights, w=np.zeros(3))
    np.savez(images, images=np.zeros((1, 8, 8)), labels=np.zeros(1, np.int64))
    networks = ["a.onnx", "b.onnx.gz", "c.safetensors", str(weights)]
    named = [*networks, str(images), "mnist:0-9"]
    assert networks_and_images(named) == (list(map(Path, networks)), [str(images), "mnist:0-9"])


@pytest.mark.parametrize("named", [["a.onnx"], ["a.onnx", "b.onnx"]])
def test_networks_alone_are_refused(named: list[str]) -> None:
    with pytest.raises(InputError, match="no images"):
        networks_and_images(named)
