"""Networks made robust at a few images: each way, with its rows, its journal and its checks."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from advmip import CheckError, InputError
from advmip.experiments.networks import train_network
from advmip.experiments.zhao_kronqvist import proved_shares
from advmip.experiments.zhao_kronqvist.certified_instances import (
    PROOFS,
    certified_shard_of,
    certified_shards_of,
)
from advmip.experiments.zhao_kronqvist.certified_runs import certified_runs
from advmip.settings import Settings, load_settings

WORKFLOW = Path(__file__).parents[4] / "workflow"
Rows = dict[str, dict[str, str]]


def small(**changes: Any) -> Settings:
    """Scale demo with few images."""
    runs = {
        "epsilons": [0.04],
        "image_counts": [10],
        "seeds": 1,
        "verified_images": 6,
        "image_time_limit": 20,
        "separation_time_limit": 20,
    }
    few = {"training": {"epochs": 4}, "test_images": 60, "training_images": 300}
    settings = {"networks": {"CNNLight": few}, "zk": {"certified": {"CNNLight": runs | changes}}}
    return load_settings(settings, WORKFLOW)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("networks") / "CNNLight.safetensors"
    train_network(small(), "CNNLight", file)
    return file


def done(network: Path, folder: Path, settings: Settings | None = None) -> Rows:
    """The rows of a job, by method."""
    out = folder / "robustness.csv"
    journal = folder / "journals" / "job.jsonl"
    certified_runs(settings or small(), PROOFS, "CNNLight", 0, network, journal, out)
    with out.open(newline="") as opened:
        return {row["method"]: row for row in csv.DictReader(opened)}


@pytest.fixture(scope="module")
def rows(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return done(network, tmp_path_factory.mktemp("rows"), small(runs_per_job=2))


def test_all_that_is_done_with_the_same_images_is_one_job() -> None:
    settings = small(epsilons=[0.02, 0.04], seeds=2, beside=["pgd_points"], runs_per_job=3)
    first, last = certified_shards_of(settings, PROOFS, "CNNLight")
    assert [run.method for run in first] == ["initial"] * 2 + ["certificates", "pgd_points"]
    assert [(run.epsilon, run.seed) for run in last[::2]] == [(0.02, 1), (0.04, 0), (0.04, 1)]
    assert certified_shard_of(settings, PROOFS, "CNNLight", 1) == last
    assert certified_shards_of(settings, PROOFS, "CNN") == []
    with pytest.raises(InputError, match="2 shards"):
        certified_shard_of(settings, PROOFS, "CNNLight", 2)


def test_images_that_were_chosen_are_proved_and_cuts_move_the_weights_least(rows: Rows) -> None:
    assert list(rows) == ["initial", "certificates", "points", "pgd_points", "linear_bounds"]
    assert rows["initial"]["distance"] == "0.0"
    assert rows["initial"]["training_proved"] == ""
    for method in ("certificates", "points"):
        assert rows[method]["training_proved"] == "100.0"
        assert rows[method]["stopped"] == "converged"
    moved = {method: float(row["distance"]) for method, row in rows.items()}
    assert 0 < moved["points"] < moved["pgd_points"], "which corrects more than it is asked for"
    assert rows["pgd_points"]["points"] == "10"
    assert all(row["checked"] == "True" for row in rows.values())
    assert all(float(row["linear"]) <= float(row["proved"]) for row in rows.values())


def test_training_on_bounds_lasts_as_long_as_the_cuts_took(rows: Rows) -> None:
    cuts, training = (
        float(rows[each]["seconds_total"]) for each in ("certificates", "linear_bounds")
    )
    parts = ("separation", "gradient", "projection", "line_search")
    assert cuts == pytest.approx(
        sum(float(rows["certificates"][f"seconds_{part}"]) for part in parts)
    )
    assert training >= cuts


def test_a_job_that_was_killed_goes_on_where_it_was(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = small(beside=[], runs_per_job=2)
    verdict = proved_shares.Verifier.verdict
    seen: list[int] = []

    def killed(*arguments: Any) -> Any:
        seen.append(len(seen))
        if len(seen) == 6 + 10 + 3:  # the network as it is, the proofs, and three of the test set
            raise KeyboardInterrupt
        return verdict(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(proved_shares.Verifier, "verdict", killed)
        with pytest.raises(KeyboardInterrupt):
            done(network, tmp_path, settings)
    assert (tmp_path / "journals" / "job").is_dir(), "iterates and verdicts are kept"
    recorded = (tmp_path / "journals" / "job.jsonl").read_text().splitlines()
    assert len(recorded) == 1, "the network as it is"
    first = done(network, tmp_path, settings)
    assert first["certificates"]["training_proved"] == "100.0"
    assert not list((tmp_path / "journals" / "job").iterdir()), "all that is left is the row"
    assert done(network, tmp_path, settings) == first


def test_a_proof_that_an_attack_refutes_is_an_error(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        proved_shares, "attacked", lambda _, images, *__, **___: [True] * len(images)
    )
    with pytest.raises(CheckError, match="proved robust, but PGD"):
        done(network, tmp_path)


def test_more_images_than_the_network_knows_are_refused(network: Path, tmp_path: Path) -> None:
    settings = small(image_counts=[1430], runs_per_job=2)
    with pytest.raises(InputError, match="that it classifies correctly"):
        done(network, tmp_path, settings)
