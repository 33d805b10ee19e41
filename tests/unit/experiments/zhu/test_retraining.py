"""Adversarial training: exact examples, networks trained anew on them, attacks on those."""

from __future__ import annotations

import copy
import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from advmip import InputError
from advmip.datasets import load_dataset
from advmip.experiments.networks import train_network
from advmip.experiments.zhu.attacks import exact_attacks
from advmip.experiments.zhu.catalogue import attack_shards
from advmip.experiments.zhu.instances import (
    Instance,
    examples_added,
    retrainings,
    shards_of,
)
from advmip.experiments.zhu.retraining import accuracies, load_examples, retrain
from advmip.networks import ARCHITECTURES, load_network, new_network, save_network
from advmip.settings import Settings, load_settings

WORKFLOW = Path(__file__).parents[4] / "workflow"
DISTANCES = ["l1", "linf"]
IMAGES = 3


def small(**retrained: object) -> Settings:
    """Scale demo with a few examples in two distances."""
    attacks = {"distances": DISTANCES, "images": IMAGES, "attacks_per_job": 4}
    experiments = {
        "training_examples": {"DNN1": attacks},
        "test_examples": {"DNN1": attacks},
        "retrained": {"DNN1": attacks | retrained},
    }
    training = {"DNN1": {"training": {"epochs": 20}}}
    return load_settings({"zhu": {"networks": training, "experiments": experiments}}, WORKFLOW)


@dataclass(frozen=True)
class Trained:
    """A network with the examples that were made on it."""

    network: Path
    shards: Path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    settings, network = small(), folder / "digits_dnn1.safetensors"
    train_network(settings, "DNN1", network)
    for experiment in ("training_examples", "test_examples"):
        for shard in range(2):
            out = folder / "zhu" / experiment / f"DNN1-{shard}"
            journal = folder / f"{experiment}-{shard}.jsonl"
            exact_attacks(settings, experiment, "DNN1", shard, network, None, journal, out)
    return Trained(network, folder)


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def predicted(file: Path, images: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        logits = load_network(file)(torch.from_numpy(images))
    return logits.argmax(dim=1).numpy()


def test_a_job_attacks_one_network(tmp_path: Path) -> None:
    settings = small(images=2, attacks_per_job=100)
    assert retrainings(settings, "DNN1") == ["l1", "linf", "none"]
    shards = shards_of(settings, "retrained", "DNN1")
    assert [shard[0].trained_on for shard in shards] == ["l1", "linf", "none"]
    assert shards[2] == [
        Instance(rank, name, trained_on="none") for name in DISTANCES for rank in (0, 1)
    ]
    assert [shard[0].trained_on for shard in shards_of(settings, "test_examples", "DNN1")] == [
        None
    ] * 2
    assert [examples_added(settings, "DNN1", name) for name in (None, "none", "l1")] == [0, 0, 3]


def test_examples_of_a_distance_lie_in_some_of_the_jobs() -> None:
    shards = attack_shards(small(), "test_examples", "DNN1", "linf")
    assert shards == ["zhu/test_examples/DNN1-0", "zhu/test_examples/DNN1-1"]
    shards = attack_shards(small(), "test_examples", "DNN1", "l1")
    assert shards == ["zhu/test_examples/DNN1-0"]


@pytest.mark.parametrize(
    ("experiment", "split"), [("training_examples", "train"), ("test_examples", "test")]
)
def test_examples_bear_the_true_class_of_an_image_of_their_split(
    trained: Trained, experiment: str, split: str
) -> None:
    digits = load_dataset(name="digits", split=split, data_dir=Path(), download=False)
    folder = trained.shards / "zhu" / experiment
    for distance in DISTANCES:
        found = load_examples(small(), trained.shards, experiment, "DNN1", distance)
        rows = [
            row
            for shard in range(2)
            for row in rows_of(folder / f"DNN1-{shard}" / "attacks.csv")
            if row["distance_name"] == distance
        ]
        images = [int(row["image"]) for row in rows]
        assert [int(row["rank"]) for row in rows] == list(range(IMAGES))
        assert found.labels.tolist() == digits.labels[images].tolist()
        change = np.abs(found.images - digits.images[images]).reshape(IMAGES, -1)
        lengths = change.sum(axis=1) if distance == "l1" else change.max(axis=1)
        assert lengths == pytest.approx([float(row["distance"]) for row in rows], abs=1e-4)
        assert (predicted(trained.network, found.images) == (found.labels + 5) % 10).all()


def test_networks_trained_anew_differ_by_their_examples_alone(
    trained: Trained, tmp_path: Path
) -> None:
    settings = small()
    for name in retrainings(settings, "DNN1"):
        retrain(settings, "DNN1", name, trained.shards, tmp_path / f"DNN1-{name}.safetensors")
    digests = {
        name: load_network(tmp_path / f"DNN1-{name}.safetensors").digest for name in DISTANCES
    }
    other = copy.deepcopy(settings)
    other["seed"] += 1
    train_network(other, "DNN1", tmp_path / "other.safetensors")
    control = load_network(tmp_path / "DNN1-none.safetensors")
    assert control.digest == load_network(tmp_path / "other.safetensors").digest
    assert len({control.digest, load_network(trained.network).digest, *digests.values()}) == 4

    rows = tmp_path / "accuracies.csv"
    accuracies(settings, "DNN1", trained.network, tmp_path, trained.shards, rows)
    found = {(row["trained_on"], row["distance_name"]): row for row in rows_of(rows)}
    assert len(found) == (1 + len(DISTANCES) + 1) * (1 + len(DISTANCES))
    for distance in DISTANCES:
        assert float(found["", distance]["accuracy"]) == 0.0, "made to be misclassified"
        test = load_examples(settings, trained.shards, "test_examples", "DNN1", distance)
        hits = predicted(tmp_path / "DNN1-l1.safetensors", test.images) == test.labels
        row = found["l1", distance]
        assert float(row["accuracy"]) == pytest.approx(100.0 * hits.mean())
        assert (row["test_images"], row["examples_added"]) == ("3", "3")
    assert found["", ""]["test_images"] == "360"
    assert 70 < float(found["none", ""]["accuracy"]) <= 100


def attacked(
    settings: Settings, shard: int, network: Path, retrained: Path | None, folder: Path
) -> list[dict[str, str]]:
    journal = folder / "retrained.jsonl"
    exact_attacks(settings, "retrained", "DNN1", shard, network, None, journal, folder, retrained)
    return rows_of(folder / "attacks.csv")


def test_retrained_networks_are_attacked_on_the_same_images(
    trained: Trained, tmp_path: Path
) -> None:
    settings, retrained = small(images=2), tmp_path / "l1.safetensors"
    retrain(settings, "DNN1", "l1", trained.shards, retrained)
    rows = attacked(settings, 0, trained.network, retrained, tmp_path)
    first = rows_of(trained.shards / "zhu" / "test_examples" / "DNN1-0" / "attacks.csv")
    same = {(row["distance_name"], row["rank"]): row["image"] for row in first}
    for row in rows:
        assert row["trained_on"] == "l1"
        assert same.get((row["distance_name"], row["rank"]), row["image"]) == row["image"]
        assert row["network_digest"] == load_network(retrained).digest[:16]


def test_an_image_that_the_retrained_network_misclassifies_is_left_out(
    trained: Trained, tmp_path: Path
) -> None:
    blind, settings = tmp_path / "blind.safetensors", small(images=2, distances=["linf"])
    network = new_network(ARCHITECTURES["digits_dnn1"], seed=0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    save_network(network.frozen(), blind, {})
    rows = attacked(settings, 0, trained.network, blind, tmp_path)
    labels = [int(row["label"]) for row in rows]
    expected = ["ok" if label == 0 else "misclassified" for label in labels]
    assert [row["status"] for row in rows] == expected
    assert "misclassified" in expected
    with np.load(tmp_path / "adversarial.npz") as saved:
        assert np.isnan(saved["images"][expected.index("misclassified")]).all()


def refusals(trained: Trained, tmp_path: Path) -> dict[str, Callable[[], object]]:
    network, broken = trained.network, tmp_path / "broken"
    rows = "zhu/training_examples/DNN1-0/attacks.csv"
    (broken / rows).parent.mkdir(parents=True)
    (broken / rows).write_bytes((trained.shards / rows).read_bytes())
    out = tmp_path / "never.safetensors"
    return {
        "retrained on l1": lambda: attacked(small(), 0, network, None, tmp_path),
        "choose progressive": lambda: attacked(
            small(bounds="exact"), 0, network, network, tmp_path
        ),
        "did you mean": lambda: retrain(small(), "DNN1", "l11", trained.shards, out),
        "no such file": lambda: retrain(small(), "DNN1", "l1", broken, out),
        "test_examples.DNN2": lambda: accuracies(
            small(), "DNN2", network, tmp_path, trained.shards, out
        ),
    }


def test_what_does_not_fit_together_is_refused(trained: Trained, tmp_path: Path) -> None:
    for named, ask in refusals(trained, tmp_path).items():
        with pytest.raises(InputError, match=named):
            ask()
    assert not (tmp_path / "never.safetensors").exists()
