"""Gallery, strongest inputs and the approximated square: rows that figures are drawn from."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from advmip import CheckError, InputError, load_network, staged
from advmip.datasets import load_dataset
from advmip.experiments.networks import train_network
from advmip.experiments.zhu.attacks import exact_attacks
from advmip.experiments.zhu.features import features
from advmip.experiments.zhu.gallery import gallery
from advmip.experiments.zhu.instances import Instance, shards_of
from advmip.experiments.zhu.square import square
from advmip.pictures import picture_of
from advmip.settings import Settings, load_settings

WORKFLOW = Path(__file__).parents[4] / "workflow"
SHARD = "zhu/gallery/DNN1-0"


@pytest.fixture(scope="module")
def settings() -> Settings:
    """Scale demo with a gallery in L1 alone."""
    return load_settings(
        {"zhu": {"experiments": {"gallery": {"DNN1": {"distances": ["l1"]}}}}}, WORKFLOW
    )


@pytest.fixture(scope="module")
def network(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("networks") / "digits_dnn1.safetensors"
    train_network(settings, "DNN1", file)
    return file


@pytest.fixture(scope="module")
def shards(settings: Settings, network: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    journal, out = folder / "gallery.jsonl", folder / SHARD
    exact_attacks(settings, "gallery", "DNN1", 0, network, None, journal, out)
    return folder


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_a_gallery_asks_for_an_image_of_each_class(settings: Settings) -> None:
    (instances,) = shards_of(settings, "gallery", "DNN1")
    assert instances == [Instance(0, "l1", label) for label in range(10)]


def test_originals_and_attacks_become_pictures(
    settings: Settings, network: Path, shards: Path, tmp_path: Path
) -> None:
    gallery(settings, "DNN1", network, shards, tmp_path / "pictures.csv")
    rows = rows_of(tmp_path / "pictures.csv")
    assert Counter(row["shown"] for row in rows) == {"original": 10, "l1": 10}
    assert sorted(int(row["label"]) for row in rows[::2]) == list(range(10))
    images = load_dataset("digits", "test").images
    attacks = shards / SHARD / "attacks.csv"
    distances = {row["image"]: float(row["distance"]) for row in rows_of(attacks)}
    for row in rows:
        change = picture_of(row) - images[int(row["image"])]
        expected = distances[row["image"]] if row["shown"] == "l1" else 0.0
        assert np.abs(change).sum() == pytest.approx(expected, abs=1e-6)


def test_a_stored_image_that_is_no_attack_is_refused(
    settings: Settings, network: Path, shards: Path, tmp_path: Path
) -> None:
    altered = tmp_path / "altered"
    shutil.copytree(shards, altered)
    with np.load(shards / SHARD / "adversarial.npz") as saved:
        images = saved["images"]
    images[3] = 0.5
    np.savez(altered / SHARD / "adversarial.npz", images=images)
    with pytest.raises(CheckError, match="its distance is"):
        gallery(settings, "DNN1", network, altered, tmp_path / "pictures.csv")
    np.savez(altered / SHARD / "adversarial.npz", images=images[:4])
    with pytest.raises(InputError, match="4 images for 10 attacks"):
        gallery(settings, "DNN1", network, altered, tmp_path / "pictures.csv")
    assert not (tmp_path / "pictures.csv").exists()


def test_every_neuron_has_its_strongest_input_and_is_not_solved_twice(
    settings: Settings, network: Path, tmp_path: Path
) -> None:
    journal = tmp_path / "features.jsonl"

    def found(out: str) -> list[dict[str, str]]:
        features(settings, "DNN1", network, journal, tmp_path / out)
        return rows_of(tmp_path / out / "neurons.csv")

    neurons = found("first")
    assert Counter(row["layer"] for row in neurons) == {"1": 8, "2": 8, "3": 8, "4": 10}
    assert {row["outcome"] for row in neurons} == {"optimal"}
    pictures = rows_of(tmp_path / "first" / "pictures.csv")
    assert len(pictures) == len(neurons)
    # No image of the data set excites a neuron more, and the pictures do as much as is said.
    form = staged(load_network(network))
    images = load_dataset("digits", "test").images
    entering = np.vstack(form.preactivations(images.reshape(len(images), -1).T.astype(float)))
    shown = np.array([picture_of(row).ravel() for row in pictures])
    excited = np.vstack(form.preactivations(shown.T)).diagonal()
    activations = np.array([float(row["activation"]) for row in neurons])
    assert (entering.max(axis=1) <= activations + 1e-5).all()
    np.testing.assert_allclose(excited, activations, atol=1e-6)
    lines = journal.read_text().count("\n")
    assert found("again") == neurons, "finished neurons come from the journal, with their times"
    assert journal.read_text().count("\n") == lines


def test_the_square_is_approximated_from_above(settings: Settings, tmp_path: Path) -> None:
    square(settings, "l2-3", tmp_path / "samples.csv")
    rows = rows_of(tmp_path / "samples.csv")
    x, value, upper = (
        np.array([float(row[name]) for row in rows]) for name in ("x1", "value", "upper")
    )
    np.testing.assert_allclose(value, x**2)
    np.testing.assert_allclose(upper, np.where(x < 0.5, 0.5 * x, 1.5 * x - 0.5), atol=1e-12)
    with pytest.raises(InputError, match="without breakpoints"):
        square(settings, "l1", tmp_path / "none.csv")
