"""The range of pixels: what rounding does is mended, all else shown to its last digit."""

import numpy as np
import pytest

from advmip import InputError
from advmip.pixels import pixels_in_range

INSIDE = np.linspace(0.0, 1.0, 12).reshape(3, 4)


def test_pixels_inside_are_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        np.testing.assert_array_equal(pixels_in_range(INSIDE, "image"), INSIDE)
        assert pixels_in_range(np.ones(3, bool), "image").dtype == np.float64
    assert not caplog.text


@pytest.mark.parametrize("value", [1.0000001, 1 + 2**-23, -1e-7, 1 + 9e-7, -1e-300])
def test_rounding_is_clipped_with_a_word(value: float, caplog: pytest.LogCaptureFixture) -> None:
    image = INSIDE.copy()
    image[1, 2] = value
    with caplog.at_level("INFO"):
        found = pixels_in_range(image, "image a.npy")
    assert found[1, 2] == round(value)
    assert f"{value!r} at (1, 2)" in caplog.text
    assert "image a.npy" in caplog.text
    assert image[1, 2] == value


@pytest.mark.parametrize("value", [1.000002, -2e-6, 255.0, np.nan, np.inf, -np.inf])
def test_the_worst_pixel_is_shown_with_its_place(value: float) -> None:
    image = INSIDE.copy()
    image[0, 0], image[2, 1] = 1.0000015, value
    with pytest.raises(InputError, match=r"image a\.npy") as caught:
        pixels_in_range(image, "image a.npy")
    assert f"{value!r} at (2, 1)" in caught.value.found
    assert "2 of 12 pixels" in caught.value.found
