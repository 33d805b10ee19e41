"""Points of balls that win are found where there are any, for each class that wins."""

import copy
from functools import partial

import torch

from advmip import Verifier
from advmip.certified_finetuning.balls import Balls
from advmip.certified_finetuning.worst_points import WorstPoints
from advmip.finetuning.parameters import ParameterVector

EPSILON = 0.06


def test_points_win_in_the_balls_that_hold_any(plane, winners):
    network, _, images = plane
    balls = Balls.of(network, images, EPSILON)
    separation = WorstPoints(network, balls, None, partial(Verifier, epsilon=EPSILON))
    vector = ParameterVector(network.body).of(network.body).double()
    assert separation.violation(vector) > 0
    found = separation.found(vector)
    held = [place for place, labelled in enumerate(images) if winners(network, *labelled)]
    assert sorted(set(found["places"].tolist())) == held
    for point, place in zip(found["points"], found["places"].tolist(), strict=True):
        assert (point.ravel() - balls.centres[place]).abs().max() <= EPSILON + 1e-12
        assert network.answer(point.numpy()) != images[place][1]
    (cuts,) = separation.cuts(vector, torch.zeros_like(vector), found)
    assert len(cuts.right_hand_side) == 2 * len(found["places"])
    # Points of earlier iterates are cut again.
    (again,) = separation.cuts(vector, torch.zeros_like(vector), found)
    assert len(again.right_hand_side) == 4 * len(found["places"])


def test_an_image_that_is_misclassified_counts_by_its_own_margin(plane):
    network, _, images = plane
    image, label = images[0]
    balls = Balls.of(network, [(image, (label + 1) % 3)], EPSILON)
    separation = WorstPoints(network, balls, None, partial(Verifier, epsilon=EPSILON))
    vector = ParameterVector(network.body).of(network.body).double()
    outputs = copy.deepcopy(network).double()(balls.centres.reshape(1, 1, 1, 2))[0]
    missed = float(outputs.max() - outputs[(label + 1) % 3])
    assert 0 < separation.violation(vector) < torch.inf
    # The usual scale is that of the logits times a power of two.
    assert (separation.violation(vector) / missed).hex().startswith("0x1.00000")
