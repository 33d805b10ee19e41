"""Attacks by several solvers and by several methods on a tiny network: rows and refusals."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from advmip import InputError
from advmip.datasets import load_dataset
from advmip.experiments.ben_mhenni.appearance import visible_attacks
from advmip.experiments.ben_mhenni.efficiency import compare_solvers
from advmip.experiments.ben_mhenni.instances import (
    APPEARANCE,
    EFFICIENCY,
    Instance,
    shard_of,
    shards_of,
)
from advmip.experiments.networks import copy_network, train_network
from advmip.experiments.shards import shards_on
from advmip.experiments.solving import key_of
from advmip.pictures import picture_of
from advmip.settings import Settings, load_settings

WORKFLOW = Path(__file__).parents[4] / "workflow"
NAME = "MNIST-3x50"
VARIATIONS = ["l1", "l1+tv", "l1+tv-image"]


def settings_with(
    compared: dict[str, object] | None = None, shown: dict[str, object] | None = None
) -> Settings:
    """Scale demo, with short experiments on two networks."""
    settings = load_settings({}, WORKFLOW)
    experiments = settings["benmhenni"]["experiments"]
    first = experiments["efficiency"]["networks"][NAME] | {"images": 1, **(compared or {})}
    experiments["efficiency"]["networks"] = {NAME: first}  # type: ignore[dict-item]
    look = experiments["appearance"]["networks"][NAME] | {"images": 1, **(shown or {})}
    experiments["appearance"]["networks"] = {NAME: look}  # type: ignore[dict-item]
    return settings


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    file = tmp_path_factory.mktemp("networks") / "digits_mnist_3x50.safetensors"
    train_network(settings_with(), NAME, file)
    return {NAME: file}


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_solvers_meet_each_attack_one_after_the_other() -> None:
    settings = settings_with({"distances": ["l2", "l1"], "solvers": ["scip", "highs"], "images": 2})
    settings["benmhenni"]["experiments"]["efficiency"]["attacks_per_job"] = 5
    shards = shards_of(settings, EFFICIENCY)
    assert [len(shard) for shard in shards] == [5, 3]
    assert shards[0][:3] == [
        Instance(NAME, 0, "l2", "scip"),
        Instance(NAME, 0, "l2", "highs"),
        Instance(NAME, 1, "l2", "scip"),
    ]
    assert len({key_of(instance) for shard in shards for instance in shard}) == 8
    assert shards_on(shards, NAME) == [0, 1]
    assert shards_on(shards, "CIFAR-6x100") == []
    with pytest.raises(InputError, match="2 shards"):
        shard_of(settings, EFFICIENCY, 2)


def test_a_distance_may_have_images_and_a_solver_a_time_of_its_own(
    networks: dict[str, Path], tmp_path: Path
) -> None:
    settings = settings_with(
        {
            "distances": ["l1", "linf"],
            "solvers": ["scip", "highs"],
            "images": 2,
            "images_by_distance": {"linf": 1},
            "time_limit": 5.0,
            "time_limit_by_solver": {"scip": 3.0},
        }
    )
    compare_solvers(settings, 0, networks, tmp_path / "journal.jsonl", tmp_path)
    rows = rows_of(tmp_path / "attacks.csv")
    assert [(row["distance_name"], row["rank"]) for row in rows[::2]] == [
        ("l1", "0"),
        ("l1", "1"),
        ("linf", "0"),
    ]
    assert {(row["solver"], row["time_limit"]) for row in rows} == {
        ("scip", "3.0"),
        ("highs", "5.0"),
    }
    finished = (tmp_path / "journal.jsonl").read_text()
    efficiency = settings["benmhenni"]["experiments"]["efficiency"]["networks"][NAME]
    efficiency["time_limit_by_solver"] = {}
    compare_solvers(settings, 0, networks, tmp_path / "journal.jsonl", tmp_path)
    again = (tmp_path / "journal.jsonl").read_text().removeprefix(finished).splitlines()
    assert len(again) == 3, "only SCIP's attacks are done again, with its new time"
    assert all("solver=scip" in line for line in again)


def test_solvers_agree_and_one_that_cannot_is_said_to_refuse(
    networks: dict[str, Path], tmp_path: Path
) -> None:
    settings = settings_with(
        {"distances": ["l2", "l1"], "solvers": ["gurobi", "mipverify", "highs"]}
    )
    journal = tmp_path / "journal.jsonl"

    def attacked() -> list[dict[str, str]]:
        compare_solvers(settings, 0, networks, journal, tmp_path)
        return rows_of(tmp_path / "attacks.csv")

    first = attacked()
    euclidean, same, refused, *sums = first
    assert [row["solver"] for row in first] == ["gurobi", "mipverify", "highs"] * 2
    assert same["solver_taken"] in ("gurobi", "scip")
    assert float(same["distance"]) == pytest.approx(float(euclidean["distance"]), rel=2e-4)
    assert refused["status"] == "refused"
    assert "squares" in refused["solver_reason"]
    assert {row["outcome"] for row in (euclidean, same, *sums)} == {"optimal"}
    nearest = [float(row["distance"]) for row in sums]
    assert nearest == pytest.approx([nearest[0]] * 3, rel=2e-4)
    assert {row["target"] for row in first} == {first[0]["target"]} != {first[0]["label"]}
    assert all(row["predicted"] == row["target"] for row in first if row["status"] == "ok")
    assert all(row["neurons"] == "16" for row in first)
    lines = journal.read_text().count("\n")
    assert attacked() == first, "finished attacks come from the journal, with their times"
    assert journal.read_text().count("\n") == lines


def test_any_other_class_is_at_most_as_far_as_the_likeliest(
    networks: dict[str, Path], tmp_path: Path
) -> None:
    found = {}
    for target in ("any", "runner-up"):
        chosen = {"distances": ["l1"], "solvers": ["highs"], "target": target, "bounds": "interval"}
        compare_solvers(settings_with(chosen), 0, networks, tmp_path / f"{target}.jsonl", tmp_path)
        (row,) = rows_of(tmp_path / "attacks.csv")
        found[target] = float(row["distance"])
    assert found["any"] <= found["runner-up"] * (1 + 1e-3)


def test_exact_attacks_are_nearest_in_what_they_minimise(
    networks: dict[str, Path], tmp_path: Path
) -> None:
    methods = ["fgsm", "pgd", "carlini-wagner", *VARIATIONS]
    attack = {"epsilon": 0.4, "step": 0.1, "iterations": 10}
    short = {"learning_rate": 0.05, "iterations": 60, "searches": 4}
    settings = settings_with(
        shown={"methods": methods, "attack": attack, "carlini_wagner": short, "time_limit": 20}
    )
    visible_attacks(settings, 0, networks, tmp_path / "journal.jsonl", tmp_path)
    rows = {row["method"]: row for row in rows_of(tmp_path / "perturbations.csv")}
    assert list(rows) == methods
    found = [row for row in rows.values() if float(row["success"]) == 100.0]
    assert {"fgsm", *VARIATIONS} <= {row["method"] for row in found}

    def least(measure: str, row: dict[str, str]) -> float:
        change, variation = float(row["total_change"]), float(row[measure])
        return change + variation

    # What a method minimises is smallest with it: the sum, with the variation of the change, or
    # with that of the attacked image.
    assert min(found, key=lambda row: float(row["total_change"]))["method"] in VARIATIONS
    for method, measure in (("l1+tv", "variation"), ("l1+tv-image", "image_variation")):
        smallest = min(least(measure, row) for row in found)
        assert least(measure, rows[method]) == pytest.approx(smallest, rel=1e-3)
        assert float(rows[method]["distance"]) == pytest.approx(smallest, rel=1e-3)
    pictures = {row["shown"]: picture_of(row) for row in rows_of(tmp_path / "pictures.csv")}
    image = load_dataset("digits", "test").images[int(rows["l1"]["image"])]
    np.testing.assert_allclose(pictures["original"], image, atol=1e-8)
    changed = np.abs(pictures["l1"] - pictures["original"]).sum()
    assert changed == pytest.approx(float(rows["l1"]["total_change"]), abs=1e-6)


def test_too_few_images_are_refused(networks: dict[str, Path], tmp_path: Path) -> None:
    settings = settings_with(shown={"images": 5000, "methods": ["fgsm"]})
    settings["benmhenni"]["experiments"]["appearance"]["attacks_per_job"] = 1
    with pytest.raises(InputError, match="the 5000 that the settings ask for"):
        visible_attacks(settings, 0, networks, tmp_path / "journal.jsonl", tmp_path)
    assert shards_on(shards_of(settings, APPEARANCE), NAME) == list(range(5000))


def test_a_published_network_that_is_missing_is_named(tmp_path: Path) -> None:
    settings = settings_with()
    settings["network_dir"] = str(tmp_path)
    with pytest.raises(InputError, match="advmip network train"):
        copy_network(settings, NAME, tmp_path / "out.onnx")
    settings["benmhenni"]["networks"][NAME]["file"] = "literature/eran_mnist_3x50.onnx"
    with pytest.raises(InputError, match="set network_dir"):
        copy_network(settings, NAME, tmp_path / "out.onnx")
    settings["benmhenni"]["networks"][NAME]["defence"]["method"] = "pgd"
    with pytest.raises(InputError, match="pgd, beside the published file"):
        copy_network(settings, NAME, tmp_path / "out.onnx")
