"""Exact attacks as the workflow does them: rows, journal, bounds, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from advmip import InputError
from advmip.experiments.networks import train_network
from advmip.experiments.zhu.attacks import exact_attacks
from advmip.experiments.zhu.bounds import bounds_of_network
from advmip.experiments.zhu.instances import Instance, shard_of, shards_of
from advmip.experiments.zhu.networks import describe_networks
from advmip.settings import Settings, load_settings

WORKFLOW = Path(__file__).parents[4] / "workflow"


def small(**attacks: object) -> Settings:
    """Scale demo with one short experiment on DNN1."""
    return load_settings(
        {
            "zhu": {
                "experiments": {
                    "progressive": {"DNN1": {"images": 2, "distances": ["l1", "linf"], **attacks}}
                }
            }
        },
        WORKFLOW,
    )


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("networks") / "digits_dnn1.safetensors"
    train_network(small(), "DNN1", file)
    return file


def test_a_distance_may_have_images_of_its_own() -> None:
    chosen = small(images=3, images_by_distance={"linf": 1})
    (shard,) = shards_of(chosen, "progressive", "DNN1")
    assert shard == [Instance(rank, "l1") for rank in range(3)] + [Instance(0, "linf")]
    assert shard_of(chosen, "progressive", "DNN1", 0) == shard


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_instances_are_dealt_out_distance_by_distance() -> None:
    shards = shards_of(small(attacks_per_job=3), "progressive", "DNN1")
    assert [len(shard) for shard in shards] == [3, 1]
    assert shards[0] == [Instance(0, "l1"), Instance(1, "l1"), Instance(0, "linf")]
    with pytest.raises(InputError, match="2 shards"):
        shard_of(small(attacks_per_job=3), "progressive", "DNN1", 2)


def test_attacks_give_rows_and_images_and_are_not_done_twice(network: Path, tmp_path: Path) -> None:
    settings = small()
    journal = tmp_path / "journal" / "DNN1.jsonl"

    def attacked() -> list[dict[str, str]]:
        exact_attacks(settings, "progressive", "DNN1", 0, network, None, journal, tmp_path / "out")
        return rows_of(tmp_path / "out" / "attacks.csv")

    first = attacked()
    lines = journal.read_text().count("\n")
    assert [row["distance_name"] for row in first] == ["l1", "l1", "linf", "linf"]
    assert {row["outcome"] for row in first} == {"optimal"}
    assert all(int(row["predicted"]) == (int(row["label"]) + 5) % 10 for row in first)
    assert all(float(row["largest_change"]) <= float(row["total_change"]) for row in first)
    with np.load(tmp_path / "out" / "adversarial.npz") as saved:
        assert saved["images"].shape == (4, 64)
        assert 0 <= saved["images"].min() <= saved["images"].max() <= 1
    assert attacked() == first, "finished attacks come from the journal, with their times"
    assert journal.read_text().count("\n") == lines


def test_stored_bounds_serve_the_attacks(network: Path, tmp_path: Path) -> None:
    settings = small(bounds="exact", distances=["l1"])
    bounds_of_network(settings, "DNN1", "exact", network, tmp_path)
    (bounded,) = rows_of(tmp_path / "bounds.csv")
    assert int(bounded["unstable"]) <= int(bounded["neurons"]) == 24
    journal = tmp_path / "DNN1.jsonl"
    file = tmp_path / "bounds.npz"
    exact_attacks(settings, "progressive", "DNN1", 0, network, file, journal, tmp_path)
    plain = rows_of(tmp_path / "attacks.csv")
    ours = tmp_path / "ours"
    exact_attacks(small(distances=["l1"]), "progressive", "DNN1", 0, network, None, journal, ours)
    for row, other in zip(plain, rows_of(ours / "attacks.csv"), strict=True):
        assert float(row["distance"]) == pytest.approx(float(other["distance"]), rel=2e-4)


def test_damaged_bounds_and_too_few_images_are_refused(network: Path, tmp_path: Path) -> None:
    settings = small(bounds="exact")
    journal = tmp_path / "journal.jsonl"
    file = tmp_path / "bounds.npz"
    file.write_bytes(b"no archive")
    for found, named in ((file, "advmip zhu bounds"), (tmp_path / "none.npz", "no such file")):
        with pytest.raises(InputError, match=named):
            exact_attacks(settings, "progressive", "DNN1", 0, network, found, journal, tmp_path)
    many = small(images=5000)
    with pytest.raises(InputError, match="the 5000 that the settings ask for"):
        exact_attacks(many, "progressive", "DNN1", 0, network, None, journal, tmp_path)


def test_networks_are_described_by_their_layers(network: Path, tmp_path: Path) -> None:
    settings = small()
    for name in ("DNN2", "DNN3", "DNN4", "DNN5"):
        del settings["zhu"]["networks"][name]
    describe_networks(settings, network.parent, tmp_path / "networks.csv")
    (row,) = rows_of(tmp_path / "networks.csv")
    assert row["hidden_layers"] == "8 8 8"
    assert 80 < float(row["accuracy"]) <= 100
