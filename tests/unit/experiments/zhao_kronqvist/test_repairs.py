"""Images that a network gets wrong, repaired: each way, with its rows and its images."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from advmip import InputError, load_network
from advmip.certified_finetuning.last_layer import LastLayerRepair
from advmip.datasets import load_dataset
from advmip.datasets.fog import fogged
from advmip.experiments.networks import train_network
from advmip.experiments.zhao_kronqvist import repairs
from advmip.experiments.zhao_kronqvist.certified_instances import (
    CertifiedRun,
    certified_runs_of,
    certified_shards_of,
)
from advmip.experiments.zhao_kronqvist.certified_runs import certified_runs
from advmip.experiments.zhao_kronqvist.repairs import RepairsJob
from advmip.finetuning import InfeasibleCutsError
from advmip.mip.solvers.interface import Status
from advmip.settings import Settings, load_settings

WORKFLOW = Path(__file__).parents[4] / "workflow"
NAME = "MNIST-3x50"
REPAIRS = "extension5"
Rows = list[dict[str, str]]


def small(**changes: Any) -> Settings:
    """Scale demo with few images of one kind."""
    runs = {"epsilons": [0.02], "image_counts": [5], "tasks": ["fog"], "time_limit": 60}
    return load_settings({"zk": {"repair": {NAME: runs | changes}}}, WORKFLOW)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("networks") / "3x50.safetensors"
    train_network(small(), NAME, file)
    return file


def done(network: Path, folder: Path, settings: Settings) -> Rows:
    """The rows of a job."""
    out, journal = folder / "robustness.csv", folder / "journals" / "job.jsonl"
    certified_runs(settings, REPAIRS, NAME, 0, network, journal, out)
    with out.open(newline="") as opened:
        return list(csv.DictReader(opened))


@pytest.fixture(scope="module")
def rows(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return done(network, tmp_path_factory.mktemp("rows"), small())


def job(network: Path, folder: Path, **changes: Any) -> RepairsJob:
    return RepairsJob(small(**changes), NAME, network, folder / "job.jsonl")


def test_tasks_are_repaired_one_after_the_other() -> None:
    settings = small(tasks=["misclassified", "fog"], seeds=2, beside=["gradient"])
    (shard,) = certified_shards_of(settings, REPAIRS, NAME)
    assert [(run.task, run.seed, run.method) for run in shard] == [
        ("misclassified", 0, "initial"),
        ("fog", 0, "initial"),
        *[
            (task, seed, method)
            for task in ("misclassified", "fog")
            for seed in (0, 1)
            for method in ("certificates", "gradient")
        ],
    ]
    assert certified_shards_of(settings, REPAIRS, "MNIST-9x200") == []
    with pytest.raises(InputError, match="extension5"):
        certified_runs_of(settings, "extension6")


def test_whatever_makes_images_right_only_ours_proves_all_balls(rows: Rows) -> None:
    by_method = {row["method"]: row for row in rows}
    ours, bounds = ("certificates", "points"), "linear_bounds"
    points = {"gradient", "gradient_with_training", "last_layer_l1", "last_layer_linf"}
    assert set(by_method) == {"initial", *ours, bounds, *points}
    for method in (*ours, *points):
        assert by_method[method]["training_right"] == "100.0"
    for method in ours:
        assert by_method[method]["training_proved"] == "100.0"
        assert by_method[method]["stopped"] == "converged"
    assert all(float(by_method[method]["training_proved"]) < 100 for method in points)
    for row in by_method.values():
        assert row["task"] == "fog"
        assert row["checked"] == "True"
        assert row["proved"] == "", "test images are not verified"


def test_of_the_network_as_it_is_none_of_the_others_is_right(rows: Rows) -> None:
    (start,) = (row for row in rows if row["method"] == "initial")
    assert (start["others_right"], start["distance"]) == ("0.0", "0.0")
    assert start["training_right"] == start["training_proved"] == ""
    repaired = [row for row in rows if row["method"] != "initial"]
    assert all(float(row["others_right"]) > 0 for row in repaired), "something carries over"
    assert {int(start["other_images"]) - int(row["other_images"]) for row in repaired} == {5}


def test_chosen_images_are_wrong_ones_in_fog_and_others_are_none_of_them(
    network: Path, tmp_path: Path
) -> None:
    own = job(network, tmp_path)
    chosen = own.images(CertifiedRun(0.02, 5, 0, "certificates", "fog"))
    loaded, train = load_network(network), load_dataset("digits", "train")
    seen = fogged(train.images, 1.0, 0)
    with torch.no_grad():
        wrong = loaded(torch.from_numpy(seen)).argmax(dim=1).numpy() != train.labels
    known = {image.tobytes(): label for image, label in zip(seen, train.labels, strict=True)}
    for image, label in chosen:
        assert known[image.tobytes()] == label != loaded.answer(image)
    more = own.images(CertifiedRun(0.02, 20, 0, "certificates", "fog"))
    assert all(np.array_equal(a, b) for (a, _), (b, _) in zip(chosen, more, strict=False))
    another = own.images(CertifiedRun(0.02, 5, 1, "certificates", "fog"))
    assert not np.array_equal(chosen[0][0], another[0][0])
    assert int(wrong.sum()) > 20


def test_more_images_than_are_wrong_are_refused(network: Path, tmp_path: Path) -> None:
    few = job(network, tmp_path, searched_images=20)
    with pytest.raises(InputError, match="that it gets wrong"):
        few.images(CertifiedRun(0.02, 20, 0, "certificates", "misclassified"))


def test_a_way_that_there_is_not_leaves_the_network_as_it_is(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def infeasible(*_: Any, **__: Any) -> Any:
        raise InfeasibleCutsError(subject="cuts", found="none", expected="one", mend="none")

    def no_layer(start: Any, *_: Any, **__: Any) -> LastLayerRepair:
        return LastLayerRepair(start, Status.INFEASIBLE)

    monkeypatch.setattr("advmip.experiments.zhao_kronqvist.proving.robustify", infeasible)
    monkeypatch.setattr(repairs, "repair_last_layer", no_layer)
    found = done(network, tmp_path, small(beside=["last_layer_l1", "linear_bounds"]))
    for row in found:
        if row["method"] in ("certificates", "last_layer_l1"):
            assert (row["stopped"], row["distance"]) == ("infeasible", "0.0")
            assert row["training_right"] == row["training_proved"] == "0.0"
