"""Verifications as the workflow does them: networks, rows, journal, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from advmip import CheckError, InputError
from advmip.experiments.networks import train_network
from advmip.experiments.tjeng import verifications as module
from advmip.experiments.tjeng.catalogue import network_files
from advmip.experiments.tjeng.instances import shards_of
from advmip.experiments.tjeng.networks import network_to_verify
from advmip.experiments.tjeng.verifications import verifications
from advmip.settings import Settings, load_settings

WORKFLOW = Path(__file__).parents[4] / "workflow"


def small(**changes: object) -> Settings:
    """Scale demo, with few images."""
    few = {"images": 2, "time_limit": 5}
    tjeng = {
        "networks": {"LPd-cnn-0.1": {"training": {"epochs": 2}}},
        "experiments": {
            "ablation": {"MNIST-classifier": few},
            "adversarial_error": dict.fromkeys(
                ("LPd-cnn-0.1", "Adv-mlp-0.1", "LPd-cnn-0.3", "LPd-res"), few
            ),
        },
    }
    return load_settings({"tjeng": {**tjeng, **changes}}, WORKFLOW)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    train_network(small(), "LPd-cnn-0.1", folder / "verified" / "LPd-cnn-0.1.safetensors")
    return folder


def test_a_job_needs_the_networks_that_it_verifies() -> None:
    settings = small(verifications_per_job=4)
    shards = shards_of(settings, "adversarial_error")
    assert [len(shard) for shard in shards] == [4, 4]

    def needed(experiment: str, shard: int) -> list[str]:
        return [Path(file).stem for file in network_files(settings, experiment, shard)]

    assert needed("adversarial_error", 0) == ["LPd-cnn-0.1", "Adv-mlp-0.1"]
    assert needed("adversarial_error", 1) == ["LPd-cnn-0.3", "LPd-res"]
    assert needed("ablation", 0) == ["LPd-cnn-0.1"], "whose weights the classifier shares"


def test_every_verifier_comes_to_the_same_verdict_and_none_twice(
    networks: Path, tmp_path: Path
) -> None:
    settings, out = small(), tmp_path / "verifications.csv"

    def rows() -> list[dict[str, str]]:
        verifications(settings, "ablation", 0, networks, tmp_path / "journal.jsonl", out)
        with out.open(newline="") as opened:
            return list(csv.DictReader(opened))

    first = rows()
    assert len(first) == 2 * 5
    for image in ("0", "1"):
        assert len({row["outcome"] for row in first if row["image"] == image}) == 1
    assert {row["paper_network"] for row in first} == {"MNIST-classifier"}
    assert {row["network"] for row in first} == {"digits_verified_cnn"}
    assert all(row["checked"] == "True" for row in first)
    assert rows() == first


def test_a_proof_that_an_attack_refutes_is_an_error(
    networks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "attacked", lambda *_, **__: [True])
    with pytest.raises(CheckError, match="proved robust, but PGD"):
        verifications(
            *(small(), "ablation", 0, networks, tmp_path / "journal.jsonl", tmp_path / "out.csv")
        )


def test_a_network_without_architecture_or_file_is_refused(tmp_path: Path) -> None:
    settings = load_settings({"scale": "mnist", "network_dir": str(tmp_path)}, WORKFLOW)
    with pytest.raises(InputError, match="needs no training"):
        train_network(settings, "MNIST-classifier", tmp_path / "out.safetensors")
    with pytest.raises(InputError, match="no such file"):
        network_to_verify(settings, "MNIST-classifier", tmp_path)
    with pytest.raises(InputError, match="unknown network"):
        network_to_verify(settings, "LPd-mlp", tmp_path)
