"""Descent on bounds, which cuts are compared with."""

from __future__ import annotations

from advmip import Verifier
from advmip.certified_finetuning.descent import descend_on_bounds


def test_more_of_the_balls_are_proved_than_before(plane):
    network, train, images = plane
    epsilon = 0.06

    def proved(of):
        verifier = Verifier(of, epsilon)
        return sum(verifier.verdict(*labelled).status == "robust" for labelled in images)

    digest = network.digest
    tuned = descend_on_bounds(network, train, images, epsilon, seconds=2.0, seed=0)
    assert proved(tuned) > proved(network)
    assert network.digest == digest, "its weights are its own"


def test_without_time_nothing_changes(plane):
    network, train, images = plane
    tuned = descend_on_bounds(network, train, images, 0.06, seconds=0.0, seed=0)
    assert tuned.digest == network.digest
