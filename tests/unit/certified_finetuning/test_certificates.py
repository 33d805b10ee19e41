"""Certified margins hold all over a ball, and their cuts are their tangents."""

import pytest
import torch

from advmip.certified_finetuning.balls import Balls
from advmip.certified_finetuning.certificates import Certificates
from advmip.finetuning.parameters import ParameterVector

EPSILON = 0.06


@pytest.fixture
def certificates(plane):
    network, _, images = plane
    parameters = ParameterVector(network.body)
    separation = Certificates(network, Balls.of(network, images, EPSILON), None, ask=None)
    return separation, parameters.of(network.body).double()


def test_no_point_of_a_ball_has_a_smaller_margin(plane, certificates):
    network, _, images = plane
    separation, vector = certificates
    margins = separation.margins(vector)
    network = Certificates(network, Balls.of(network, images, 1e-9), None, ask=None)
    at_the_centres = network.margins(vector)
    assert (margins < at_the_centres).all()
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        moved = [
            ((image + EPSILON * (2 * torch.rand(2, generator=generator) - 1).numpy()).clip(0, 1), y)
            for image, y in images
        ]
        nearby = Certificates(plane[0], Balls.of(plane[0], moved, 1e-9), None, ask=None)
        assert (margins <= nearby.margins(vector) + 1e-6).all()


def test_rows_are_the_derivatives_of_the_margins(certificates):
    separation, vector = certificates
    found = separation.found(vector)
    margins = separation.margins(vector)
    short = margins < 0.1
    assert len(found["rows"]) == int(short.sum()) > 0
    torch.testing.assert_close(found["lacking"], 0.1 - margins[short])
    # Weights are rounded to single precision before they are bounded.
    change = 1e-3 * torch.randn(len(vector), generator=torch.Generator().manual_seed(1)).double()
    moved = (vector + change).float().double()
    difference = separation.margins(moved)[short] - margins[short]
    slopes = found["rows"].double() @ (moved - vector)
    torch.testing.assert_close(difference, slopes, rtol=0.02, atol=1e-4)
