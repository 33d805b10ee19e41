"""Descent on bounds and on images, which cuts are compared with."""

from __future__ import annotations

import pytest

from advmip import Verifier
from advmip.certified_finetuning.descent import descend_on_bounds, descend_on_images
from advmip.gradient_attacks import accuracy


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


@pytest.mark.parametrize("beside", [False, True])
def test_descent_on_images_ends_as_soon_as_all_are_right(plane, beside):
    network, train, images = plane
    wrong = [(image, (label + 1) % 3) for image, label in images[:3]]
    clean = train if beside else None
    tuned = descend_on_images(network, clean, wrong, seconds=60.0, seed=0)
    assert [tuned.answer(image) for image, _ in wrong] == [label for _, label in wrong]
    again = descend_on_images(tuned, clean, wrong, seconds=60.0, seed=0)
    assert again.digest == tuned.digest, "nothing is left to be done"


def test_training_images_beside_keep_what_the_network_knows(plane):
    network, train, images = plane
    wrong = [(image, (label + 1) % 3) for image, label in images[:3]]
    kept, lost = (
        accuracy(
            descend_on_images(network, data, wrong, seconds=60.0, seed=0),
            train.images,
            train.labels,
        )
        for data in (train, None)
    )
    assert kept > lost


def test_descent_on_images_ends_with_its_time(plane):
    network, train, images = plane
    image, label = images[0]
    both = [(image, label), (image, (label + 1) % 3)]
    tuned = descend_on_images(network, train, both, seconds=0.2, seed=0)
    assert tuned.digest != network.digest
