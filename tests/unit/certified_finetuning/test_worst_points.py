"""Points of balls that win are found where there are any, for each class that wins."""

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
