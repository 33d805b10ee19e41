"""`advmip attack`: the answer in words, the attacked image and its picture."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from advmip import load_dataset, load_network
from advmip.single_attack import attack_image


def test_an_attack_is_printed_and_written(
    digits_network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "image.npy", load_dataset("digits", "test").images[0])
    attack = attack_image(
        digits_network, tmp_path / "image.npy", tmp_path / "attacked", label=None, distance="l1"
    )
    printed = capsys.readouterr().out
    assert printed.startswith("optimal: class")
    assert f"l1 distance {attack.distance:.8g}" in printed
    saved = np.load(tmp_path / "attacked.npy")
    np.testing.assert_array_equal(saved, attack.adversarial)
    assert load_network(digits_network).architecture.input_shape == saved.shape
    with Image.open(tmp_path / "attacked.png") as picture:
        assert picture.width > 2 * picture.height


def test_without_an_attack_nothing_is_written(digits_network: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", load_dataset("digits", "test").images[0])
    out = tmp_path / "attacked"
    attack = attack_image(
        digits_network,
        tmp_path / "image.npy",
        out,
        label=None,
        distance="l1",
        ratio=1e9,
        margin=1e9,
    )
    assert attack.adversarial is None
    assert not out.with_suffix(".npy").exists()
