"""`advmip robustify`: a line and a row for each image, and the new network with its proofs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from advmip import InputError, Verifier, load_dataset, load_network
from advmip.cli import main
from advmip.robustifying import robustify_file

EPSILON = 0.04


def correct(network_file: Path, count: int) -> list[str]:
    """The first training images of the digits that a network classifies correctly, by name."""
    network, data = load_network(network_file), load_dataset("digits", "train")
    right = (
        place
        for place, (image, label) in enumerate(zip(data.images, data.labels, strict=True))
        if network.answer(image) == label
    )
    return [f"digits-train:{next(right)}" for _ in range(count)]


def test_images_are_proved_with_the_network_that_is_written(
    digits_network: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    names, out = correct(digits_network, 4), tmp_path / "tuned.safetensors"
    command = ["advmip", "robustify", str(digits_network), *names]
    monkeypatch.setattr("sys.argv", [*command, "--epsilon", str(EPSILON), "--out", str(out)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    *lines, summary, parts = capsys.readouterr().out.splitlines()
    for name, line in zip(names, lines, strict=True):
        assert re.match(rf"{name}: proved, class \d, by \w+; margin at least \d", line)
    assert summary.startswith("4 images: 4 proved; weights moved by ")
    assert "accuracy on the test images" in summary
    assert "ended by: converged" in parts
    rows = pd.read_csv(tmp_path / "tuned.csv")
    assert list(rows["image"]) == names
    assert list(rows["fate"]) == ["proved"] * 4
    verifier, data = Verifier(load_network(out), EPSILON), load_dataset("digits", "train")
    for name in names:
        place = int(name.split(":")[1])
        assert verifier.verdict(data.images[place], int(data.labels[place])).status == "robust"
    assert (tmp_path / "tuned.jsonl").is_file()


def test_points_that_still_attack_are_written(
    digits_network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names, out = correct(digits_network, 3), tmp_path / "tuned.safetensors"
    result = robustify_file(digits_network, names, out, epsilon=0.3, iterations=1, progress=False)
    lines = capsys.readouterr().out.splitlines()
    attacked = [each for each in result.images if each.fate == "attackable"]
    assert attacked
    points = sorted((tmp_path / "tuned").glob("*.npy"))
    assert len(points) == len(attacked)
    for point in points:
        name = point.stem.replace("-train-", "-train:")
        (line,) = (line for line in lines if line.startswith(f"{name}: attackable"))
        assert re.search(rf"(becomes|taken for) {load_network(out).answer(np.load(point))}\b", line)


def test_test_images_are_refused(digits_network: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="digits:0 and 1 more, of the images that the accuracy"):
        robustify_file(
            digits_network, ["digits:0-1"], tmp_path / "tuned.safetensors", epsilon=EPSILON
        )


def test_what_is_no_image_is_refused(digits_network: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a rising range among them"):
        robustify_file(digits_network, ["digits-train:9999"], tmp_path / "tuned.safetensors")
