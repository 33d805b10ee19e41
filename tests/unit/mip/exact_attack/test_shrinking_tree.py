"""A tree in the ball of the best attack: the minimum of brute force, from near and from far."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from brute_force import CLASSES, SHAPE, smallest
from tiny_networks import instance

from advmip import minimal_attack
from advmip.mip.exact_attack import Attack, exact_attack
from advmip.mip.heuristics.incumbent import Incumbent, nearest_attack
from advmip.mip.problem import Problem

MARGIN = 1e-4
GAP = 1e-3
SEEDS = range(12)


def corners(problem: Problem, *_: object, **__: object) -> Incumbent | None:
    """The nearest attack among the corners of the box, in place of a search."""
    box = problem.box
    both = [*zip(box.lower, box.upper, strict=True)]
    return nearest_attack(problem, [np.array(corner) for corner in product(*both)])


def attacked(seed: int, **options: object) -> tuple[float, Attack]:
    """The nearest attack's distance by brute force, and the attack that is found."""
    tiny, network, image, label = instance(seed, hidden=(4, 4))
    rivals = [rival for rival in range(CLASSES) if rival != label]
    found = minimal_attack(
        network, image.reshape(SHAPE), label, "linf", margin=MARGIN, gap=GAP, **options
    )
    return smallest(tiny, image, "linf", rivals, 1.0, MARGIN), found


@pytest.mark.parametrize("start", ["search", "corners"])
def test_the_tree_comes_to_the_minimum_of_brute_force(
    start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact_attack, "_FEW_OPEN", 1)
    if start == "corners":
        monkeypatch.setattr(exact_attack, "first_attack", corners)
    solvers = []
    for seed in SEEDS:
        expected, found = attacked(seed)
        if not np.isfinite(expected):
            continue
        assert found.status == "optimal"
        assert found.distance == pytest.approx(expected, rel=GAP, abs=1e-6)
        assert found.lower_bound <= expected * (1 + 1e-6)
        solvers.append(found.solver)
    assert solvers.count("tree") >= 3


@pytest.mark.parametrize("options", [{"bounds": "progressive-without-tree"}, {"solver": "highs"}])
def test_a_tree_is_asked_only_where_the_solver_is_left_open(
    options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact_attack, "_FEW_OPEN", 1)
    assert {attacked(seed, **options)[1].solver for seed in SEEDS[:4]} <= {"", "gurobi", "highs"}


def test_programs_have_their_turns_where_the_tree_comes_to_no_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exact_attack, "_FEW_OPEN", 1)
    # The first turns are too short for anything, so that what they leave must be gone on with.
    monkeypatch.setattr(exact_attack, "_TURN", 1e-4)
    monkeypatch.setattr(exact_attack.ShrinkingTree, "run", lambda *_: None)
    for seed in SEEDS[:4]:
        expected, found = attacked(seed)
        assert found.solver != "tree"
        if np.isfinite(expected):
            assert found.status == "optimal"
            assert found.distance == pytest.approx(expected, rel=GAP, abs=1e-6)


def test_what_nothing_settles_has_its_bound_from_trees_in_growing_balls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("_settled_by_tree", "_settled", "_solve"):
        monkeypatch.setattr(exact_attack.ExactAttack, name, lambda *_, **__: False)
    shares = []
    for seed in SEEDS:
        expected, found = attacked(seed)
        if not np.isfinite(expected):
            continue
        assert found.lower_bound <= expected * (1 + 1e-6)
        shares.append(found.lower_bound / found.distance)
    # A tree may have come to nodes without open neurons whose form still is below 0.
    assert np.median(shares) > 0.99
