"""`advmip attack`: the answer in words, the attacked image and its picture."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from advmip import load_dataset, load_network, save_network
from advmip.networks import ARCHITECTURES
from advmip.networks.training import train
from advmip.single_attack import attack_image


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    digits = load_dataset("digits", "train")
    trained = train(
        ARCHITECTURES["digits_dnn1"],
        digits,
        epochs=30,
        batch_size=32,
        optimizer="adam",
        learning_rate=0.01,
        progress=False,
    )
    file = tmp_path_factory.mktemp("network") / "net.safetensors"
    save_network(trained, file, {})
    return file


def test_an_attack_is_printed_and_written(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "image.npy", load_dataset("digits", "test").images[0])
    attack = attack_image(
        network, tmp_path / "image.npy", tmp_path / "attacked", label=None, distance="l1"
    )
    printed = capsys.readouterr().out
    assert printed.startswith("optimal: class")
    assert f"l1 distance {attack.distance:.8g}" in printed
    saved = np.load(tmp_path / "attacked.npy")
    np.testing.assert_array_equal(saved, attack.adversarial)
    assert load_network(network).architecture.input_shape == saved.shape
    with Image.open(tmp_path / "attacked.png") as picture:
        assert picture.width > 2 * picture.height


def test_without_an_attack_nothing_is_written(network: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", load_dataset("digits", "test").images[0])
    out = tmp_path / "attacked"
    attack = attack_image(
        network, tmp_path / "image.npy", out, label=None, distance="l1", ratio=1e9, margin=1e9
    )
    assert attack.adversarial is None
    assert not out.with_suffix(".npy").exists()
