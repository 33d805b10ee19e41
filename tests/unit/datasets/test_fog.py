"""Fog over images: the formula, and clouds rather than noise of pixels."""

import numpy as np
import pytest

from advmip.datasets.fog import fogged

IMAGES = np.random.default_rng(0).random((6, 1, 28, 28), dtype=np.float32)


def fog_of(images, strength, seed=0):
    """The fog p that x' = (x + s p) / (1 + s) had."""
    return (fogged(images, strength, seed) * (1.0 + strength) - images) / strength


@pytest.mark.parametrize("strength", [0.3, 1.0, 3.0])
def test_each_image_is_in_a_fog_that_is_nothing_somewhere_and_everything_elsewhere(strength):
    fog = fog_of(IMAGES, strength)
    assert np.allclose(fog.min(axis=(2, 3)), 0.0, atol=1e-5)
    assert np.allclose(fog.max(axis=(2, 3)), 1.0, atol=1e-5)


def test_pictures_in_fog_are_pictures():
    white = np.ones((2, 3, 8, 8), np.float32)
    seen = fogged(white, 0.7, seed=1)
    assert seen.dtype == np.float32
    assert 0.0 <= seen.min() < seen.max() <= 1.0
    assert np.array_equal(seen[:, 0], seen[:, 2]), "all colours of a picture are in the same fog"
    assert np.allclose(fogged(IMAGES, 0.0, seed=1), IMAGES), "none leaves it as it is"


def test_neighbours_are_in_about_the_same_fog():
    fog = fog_of(IMAGES, 1.0)
    steps = np.abs(np.diff(fog, axis=3)).mean()
    apart = np.abs(fog - fog[..., np.random.default_rng(0).permutation(28)]).mean()
    assert steps < 0.5 * apart, "as far apart as any others in noise"


def test_the_fog_of_an_image_is_its_own_and_the_seeds():
    together = fogged(IMAGES, 1.0, seed=3)
    assert np.array_equal(fogged(IMAGES[:2], 1.0, seed=3), together[:2])
    assert not np.allclose(fog_of(IMAGES, 1.0)[0], fog_of(IMAGES, 1.0)[1], atol=0.05)
    assert not np.array_equal(together, fogged(IMAGES, 1.0, seed=4))
