"""What the paper explains by: its tree, its relaxation, its denoising, and its networks' sizes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from advmip import CheckError
from advmip.experiments.ben_mhenni import denoising
from advmip.experiments.ben_mhenni.denoising import denoised
from advmip.experiments.ben_mhenni.illustrations import illustrations
from advmip.experiments.ben_mhenni.tree import random_instance, search_tree
from advmip.settings import load_settings

WORKFLOW = Path(__file__).parents[4] / "workflow"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, str]]]:
    folder = tmp_path_factory.mktemp("illustrations")
    illustrations(load_settings({}, WORKFLOW), folder)
    found = {}
    for kind in ("networks", "samples", "pictures", "nodes"):
        with (folder / f"{kind}.csv").open(newline="") as file:
            found[kind] = list(csv.DictReader(file))
    return found


@pytest.mark.parametrize("seed", [4, 14, 40])
def test_a_tree_is_searched_depth_first_with_the_active_side_first(seed: int) -> None:
    nodes = search_tree(random_instance(seed))
    for node in nodes[1:]:
        assert node.parent is not None
        parent = nodes[node.parent]
        assert parent.outcome == "branched"
        assert node.value >= parent.value - 1e-9, "a bound never falls"
        children = [each for each in nodes if each.parent == node.parent]
        assert [child.active for child in children] == [True, False]
        assert children[0].number == node.parent + 1, "depth first"
    solutions = [node.value for node in nodes if node.outcome == "solution"]
    assert solutions == sorted(solutions, reverse=True)
    assert all(node.value >= solutions[-1] for node in nodes if node.outcome == "pruned")


def test_an_instance_without_an_attack_has_a_tree_without_solutions() -> None:
    outcomes = {node.outcome for node in search_tree(random_instance(0))}
    assert "solution" not in outcomes


def test_a_step_is_shrunk_by_what_its_edge_costs() -> None:
    # Two halves of height 0 and 1: each moves towards the other by weight * edge / area.
    noisy = np.zeros((4, 6))
    noisy[:, 3:] = 1.0
    for isotropic in (True, False):
        clean = denoised(noisy, 0.3, isotropic=isotropic)
        np.testing.assert_allclose(clean[:, :3], 0.3 / 3, atol=1e-5)
        np.testing.assert_allclose(clean[:, 3:], 1 - 0.3 / 3, atol=1e-5)
    flat = denoised(noisy, 5.0, isotropic=False)
    np.testing.assert_allclose(flat, 0.5, atol=1e-5)


def test_an_image_that_is_not_the_minimum_fails_its_check() -> None:
    noisy = np.random.default_rng(0).random((3, 4)).ravel()
    differences = denoising._differences(3, 4)
    with pytest.raises(CheckError, match="dual bound"):
        denoising._check(noisy, noisy, np.zeros((12, 2)), 0.5, differences, True)


def test_the_relaxed_neuron_is_the_triangle(rows: dict[str, list[dict[str, str]]]) -> None:
    samples = [row for row in rows["samples"] if row["experiment"] == "relaxed_neuron"]
    columns = ("x1", "value", "lower", "upper")
    h, value, lower, upper = (np.array([float(row[name]) for row in samples]) for name in columns)
    np.testing.assert_allclose(value, np.maximum(h, 0), atol=1e-7)
    np.testing.assert_allclose(lower, np.maximum(h, 0), atol=1e-7)
    np.testing.assert_allclose(upper, (h + 1) / 2, atol=1e-7)


def test_denoising_lowers_the_variation(rows: dict[str, list[dict[str, str]]]) -> None:
    variation = {row["shown"]: float(row["variation"]) for row in rows["pictures"]}
    assert variation["anisotropic variation"] < variation["noisy"]
    assert variation["isotropic variation"] < variation["noisy"]


def test_all_networks_of_table_1_are_counted(rows: dict[str, list[dict[str, str]]]) -> None:
    units = {row["paper_network"]: int(row["units"]) for row in rows["networks"]}
    assert len(units) == 13
    assert units["MNIST-3x50"] == 110
    assert units["CIFAR-MaxPool"] == 53_938
    assert {row["experiment"] for row in rows["nodes"]} == {"tree"}
