"""Three measures of how visible a perturbation is, on images whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from advmip.appearance import busy_share, structural_similarity, unchanged_share


def test_a_colour_pixel_counts_once_and_rounding_not_at_all() -> None:
    image = np.zeros((3, 2, 4))
    attacked = image.copy()
    attacked[:, 0, 0] = 0.5
    attacked[1, 1, 3] = 0.1
    attacked[0, 1, 1] = 1e-9
    assert unchanged_share(image, attacked) == pytest.approx(75.0)


def test_a_change_beside_an_edge_is_where_the_image_is_busy() -> None:
    image = np.zeros((1, 4, 6))
    image[:, :, 3:] = 1.0  # an edge between columns 2 and 3
    attacked = image.copy()
    attacked[0, 1, 2] = 0.3
    assert busy_share(image, attacked) == 100.0
    attacked[0, 1, 0] = 0.1
    assert busy_share(image, attacked) == pytest.approx(75.0)
    assert busy_share(image, image) == 100.0
    assert busy_share(np.swapaxes(image, 1, 2), np.swapaxes(attacked, 1, 2)) == pytest.approx(75.0)


def test_similarity_of_flat_images_is_that_of_their_means() -> None:
    first, second = np.full((1, 16, 16), 0.2), np.full((1, 16, 16), 0.7)
    expected = (2 * 0.2 * 0.7 + 1e-4) / (0.2**2 + 0.7**2 + 1e-4)
    assert structural_similarity(first, second) == pytest.approx(expected)


def test_similarity_falls_with_noise_and_does_not_see_which_image_is_first() -> None:
    random = np.random.default_rng(0)
    image = random.random((3, 16, 16))
    noises = [np.clip(image + size * random.normal(size=image.shape), 0, 1) for size in (0.05, 0.3)]
    little, much = (structural_similarity(image, noisy) for noisy in noises)
    assert structural_similarity(image, image) == pytest.approx(1.0)
    assert 1 > little > much
    assert structural_similarity(noises[0], image) == pytest.approx(little)
