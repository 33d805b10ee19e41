"""Trees: the same answers as every activation pattern and as mixed-integer programs give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from brute_force import SHAPE
from small_networks import convolutional, points_of, residual
from tiny_networks import instance

from advmip import VerificationIngredients, staged, verify
from advmip.mip.bounds import operators
from advmip.mip.bounds.balls import NORMS, Ball
from advmip.mip.bounds.linear import LinearBounds
from advmip.mip.bounds.operators import matrix_stages
from advmip.mip.deadline import until
from advmip.mip.goals import Goal, untargeted
from advmip.mip.verification import region_verification
from advmip.mip.verification_tree import (
    Asked,
    InputTree,
    SignTree,
    TreeProof,
    input_tree,
    sign_tree,
)
from advmip.networks.staged import AffineMap, Matrix, StagedNetwork

PROGRAMS = VerificationIngredients(tree=False)


def nothing_sought(points: np.ndarray) -> None:
    """No point is looked at: the tree must do without."""


def sign_tree_of(form: StagedNetwork, ball: Ball, goal: Goal, seek=nothing_sought) -> SignTree:
    stages = matrix_stages(form)
    sides = LinearBounds(stages, ball).by_forms()[:-1]
    asked = Asked.of(goal, range(len(goal.cases)))
    return SignTree(stages, matrix_stages(form, torch.float32), ball, sides, asked, seek)


def input_tree_of(form: StagedNetwork, ball: Ball, goal: Goal, seek=nothing_sought) -> InputTree:
    asked = Asked.of(goal, range(len(goal.cases)))
    return InputTree(matrix_stages(form), matrix_stages(form, torch.float32), ball, asked, seek)


def box_tree_of(form: StagedNetwork, ball: Ball, goal: Goal, few: int = 0) -> input_tree._BoxTree:
    """One of the two trees of an input tree."""
    networks = matrix_stages(form), matrix_stages(form, torch.float32)
    asked = Asked.of(goal, range(len(goal.cases)))
    return input_tree._BoxTree(networks, ball, asked, nothing_sought, few=few)


def by_signs(form: StagedNetwork, ball: Ball, goal: Goal, seek=nothing_sought) -> TreeProof:
    return sign_tree_of(form, ball, goal, seek).run()


def by_inputs(form: StagedNetwork, ball: Ball, goal: Goal, seek=nothing_sought) -> TreeProof:
    return input_tree_of(form, ball, goal, seek).run()


def around(
    seed: int, radius: float = 1.0, hidden: tuple[int, ...] = (3, 3)
) -> tuple[StagedNetwork, Ball, Goal]:
    """A tiny network, a ball around its image and any other class; 1.0: all images there are."""
    _, network, image, label = instance(seed, hidden)
    form = staged(network)
    ball = Ball(torch.from_numpy(image.reshape(1, -1)), radius, "linf")
    return form, ball, untargeted(label, form.classes, margin=0.0)


def nearly_proved(network, norm: str) -> tuple[StagedNetwork, Ball, Goal]:
    """The label's logit is moved until forms alone nearly prove every case: a tree must."""
    form = staged(network)
    image = np.random.default_rng(3).random(form.pixels)
    label = int(form.logits(image).argmax())
    goal = untargeted(label, form.classes, margin=0.0)
    radius = {"linf": 0.12, "l1": 4.0, "l2": 0.9}[norm]
    ball = Ball(torch.from_numpy(image[None]), radius, norm)
    sides = LinearBounds(matrix_stages(form), ball)
    sides.by_forms()
    asked = Asked.of(goal, range(len(goal.cases)))
    least = float(asked.by_case(sides.forms(asked.rows).least + asked.sides).min())
    bias = form.output.bias.copy()
    bias[label] -= least + 5e-4
    return replace(form, output=replace(form.output, bias=bias)), ball, goal


@pytest.mark.parametrize("worth_bounds", [0.0, 1.0])
@pytest.mark.parametrize("network", [convolutional(), residual()])
@pytest.mark.parametrize("norm", NORMS)
def test_margins_of_the_sign_tree_hold_for_points_of_the_ball(
    network, norm: str, worth_bounds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_tree, "_WORTH_BOUNDS", worth_bounds)
    form, ball, goal = nearly_proved(network, norm)
    found = by_signs(form, ball, goal)
    assert found.done == 1.0
    outputs = form.logits(points_of(ball, 5000, seed=4).T)
    lacking = -goal.surpluses(outputs).max(axis=1)
    assert (found.margins > 0).all()
    assert (found.margins <= lacking).all()


def test_a_tree_whose_neurons_can_hardly_have_cuts_does_not_begin_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Sparse maps have no cuts.
    monkeypatch.setattr(operators, "_DENSE", 0.9)
    asked = nearly_proved(convolutional(), "linf")
    without = by_signs(*asked)
    monkeypatch.setattr(sign_tree, "_BEFORE_CUTS", 1)
    assert by_signs(*asked).nodes == without.nodes
    monkeypatch.setattr(sign_tree, "_WORTH_CUTS", 0.0)
    assert by_signs(*asked).nodes == without.nodes + 1


# Nodes bound all neurons behind their sign anew, or none; trees begin again at once, later, never.
@pytest.mark.parametrize(
    ("before", "worth_bounds"), [(0, 0.0), (200, 0.0), (10**9, 0.0), (200, 1.0), (10**9, 1.0)]
)
@pytest.mark.parametrize("seed", range(12))
def test_both_trees_agree_with_programs_around_the_smallest_attack(
    seed: int, before: int, worth_bounds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_tree, "_BEFORE_CUTS", before)
    monkeypatch.setattr(sign_tree, "_WORTH_BOUNDS", worth_bounds)
    _, network, image, label = instance(seed, (4, 4, 3))
    for epsilon in (0.05, 0.15, 0.3, 0.6):
        expected = verify(network, image.reshape(SHAPE), label, epsilon, ingredients=PROGRAMS)
        for most in (0, 20):
            monkeypatch.setattr(region_verification, "MOST_INPUTS", most)
            found = verify(network, image.reshape(SHAPE), label, epsilon)
            assert found.status == expected.status


@pytest.mark.parametrize("tree", [by_signs, by_inputs])
def test_a_point_that_is_come_across_ends_the_tree(tree) -> None:
    form, ball, goal = around(1)

    def seek(points: np.ndarray) -> np.ndarray | None:
        surpluses = goal.surplus(form.logits(points.T))
        return points[surpluses.argmax()] if surpluses.max() > 0 else None

    found = tree(form, ball, goal, seek)
    assert found.point is not None
    assert goal.surplus(form.logits(found.point)) > 0
    assert np.isneginf(found.margins).all()


@pytest.mark.parametrize("tree_of", [sign_tree_of, box_tree_of])
def test_a_turn_loses_nothing_that_was_begun(tree_of) -> None:
    form, ball, goal = around(4, 0.15, (8, 8, 8))
    whole = tree_of(form, ball, goal).run()
    assert whole.done == 1.0
    by_turns, found = tree_of(form, ball, goal), []
    while not by_turns.ended:
        found.append(by_turns.run(1e-3))
    assert sum(each.nodes for each in found) == whole.nodes
    assert (found[-1].margins == whole.margins).all()


@pytest.mark.parametrize("most", [2, 1000])
@pytest.mark.parametrize("few", [3, 1000])
def test_boxes_are_settled_by_trees_over_signs_and_none_is_lost(
    few: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_tree, "_MOST_NODES", most)
    form, ball, goal = around(4, 0.15, (8, 8, 8))
    tree = box_tree_of(form, ball, goal, few)
    while not tree.ended:
        found = tree.run(1e-3)
    assert found.done == 1.0
    outputs = form.logits(points_of(ball, 5000, seed=4).T)
    assert (found.margins > 0).all()
    assert (found.margins <= -goal.surpluses(outputs).max(axis=1)).all()


def test_whichever_tree_of_boxes_ends_first_has_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few halvings end neither; with trees over signs the same boxes are settled."""
    monkeypatch.setattr(input_tree, "_HALVINGS", 0.25)
    form, ball, goal = around(4, 0.15, (8, 8, 8))
    tree = input_tree_of(form, ball, goal)
    assert tree.run().done < 1.0
    assert not tree.ended
    assert tree.run().done == 1.0
    assert tree.ended


@pytest.mark.parametrize("tree", [by_signs, by_inputs])
def test_out_of_time_nothing_is_proved(tree) -> None:
    form, ball, goal = around(1)
    with until(0.0):
        found = tree(form, ball, goal)
    assert found.point is None
    assert np.isneginf(found.margins).all()


def test_a_box_that_is_attackable_only_far_from_the_forms_is_split_to_the_end() -> None:
    """|x| >= 0.9 nowhere in [-0.8, 0.8]: intervals say 1.6 at most, halves say 0.8."""
    hidden = AffineMap({0: Matrix(np.array([[1.0], [-1.0]]))}, np.array([0.8, 0.8]))
    output = AffineMap({1: Matrix(np.array([[-1.0, -1.0], [0.0, 0.0]]))}, np.array([1.7, 0.0]))
    form = StagedNetwork((1,), (hidden,), output)
    goal = untargeted(0, 2, margin=0.0)
    ball = Ball(torch.zeros(1, 1, dtype=torch.float64), np.inf, "linf", -0.8, 0.8)
    for tree in (by_signs, by_inputs):
        found = tree(form, ball, goal)
        assert found.done == 1.0
        assert 0 < found.margins[0] <= 0.1


def test_a_sum_of_conditions_excludes_a_case_that_no_condition_does() -> None:
    """x >= 0.1 and -x >= 0.1 nowhere: their sum says so, each alone holds somewhere."""
    rows = torch.tensor([[[-1.0], [1.0]]]).double()
    sides = torch.tensor([0.1, 0.1], dtype=torch.float64)
    case = torch.zeros(2, dtype=torch.long)
    asked = Asked(rows, sides, case, np.array([4]))
    summed = asked.with_sums(torch.tensor([[0.5, 0.5]]).double(), torch.ones(1).double())
    assert summed.cases.tolist() == [4]
    for x in (-1.0, 0.0, 1.0):
        outputs = torch.tensor([[x]]).double()
        lacking = (outputs @ summed.rows[0].T) + summed.sides
        assert float(lacking[0, 2]) == pytest.approx(0.1)
        assert float(lacking[0, 2]) < 0.1
        assert float(summed.by_case(lacking)) > 0
