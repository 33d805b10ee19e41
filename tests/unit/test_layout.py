"""Layouts: the same picture lies in many ways, and is found in each of them."""

import itertools

import numpy as np
import pytest

from advmip import InputError
from advmip.layout import Layout

PICTURE = np.arange(2 * 3 * 4).reshape(2, 3, 4)
SIZES = dict(zip("chw", PICTURE.shape, strict=True))


@pytest.mark.parametrize("order", list(itertools.permutations("chw")))
def test_a_picture_in_any_order_of_axes_is_found(order: tuple[str, ...]) -> None:
    stored = PICTURE.transpose(["chw".index(axis) for axis in order])
    words = "".join(order)
    layout = Layout.said(words, stored.shape, "a network")
    np.testing.assert_array_equal(layout.picture(stored), PICTURE)
    np.testing.assert_array_equal(layout.own(PICTURE), stored)
    np.testing.assert_array_equal(layout.own(stored), stored)
    sizes = "x".join(str(SIZES[axis]) for axis in order)
    assert layout.words == f"{words}:{sizes}"
    # The same numbers as a row of which the layout is said.
    row = Layout.said(f"{words}:{sizes}", (stored.size,), "a network")
    np.testing.assert_array_equal(row.planes, layout.planes)
    np.testing.assert_array_equal(row.own(PICTURE), stored.ravel())
    assert not row.open


def test_axes_that_are_not_said_have_one_place() -> None:
    assert Layout.said("hw", (3, 4), "a network").planes.shape == (1, 3, 4)
    assert Layout.said("w:12", (12,), "a network").planes.shape == (1, 1, 12)
    assert Layout.said("c", (12,), "a network").planes.shape == (12, 1, 1)


@pytest.mark.parametrize("words", ["", "chwc", "hw", "rgb", "cc", "hwc:3x4", "hwc:3x4x3", "CHW"])
def test_what_is_no_layout_of_the_shape_is_refused(words: str) -> None:
    with pytest.raises(InputError, match="layout of a network") as caught:
        Layout.said(words, (2, 3, 4), "a network")
    assert "(2, 3, 4)" in caught.value.expected


@pytest.mark.parametrize(
    ("shape", "planes"),
    [
        ((), (1, 1, 1)),
        ((1,), (1, 1, 1)),
        ((5,), (1, 1, 5)),
        ((5, 4), (1, 5, 4)),
        ((3, 5, 4), (3, 5, 4)),
        ((2, 3, 5, 4), (6, 5, 4)),
    ],
)
def test_without_a_word_the_last_axes_are_rows_and_columns(
    shape: tuple[int, ...], planes: tuple[int, ...]
) -> None:
    assert Layout(shape).planes.shape == planes


@pytest.mark.parametrize(
    ("shape", "channels"),
    [
        ((28, 28, 1), 1),
        ((32, 32, 3), 3),
        ((8, 9, 4), 4),
        ((3, 32, 32), 3),
        ((1, 784, 1), 1),
        ((5, 1, 1), 5),
        ((8, 3, 3), 8),
        ((7, 8, 2), 7),
    ],
)
def test_few_channels_behind_a_large_plane_are_guessed_to_be_last(
    shape: tuple[int, ...], channels: int
) -> None:
    assert len(Layout.guessed(shape).planes) == channels


@pytest.mark.parametrize("shape", [(12,), (12, 1), (1, 12, 1), (1, 1, 12)])
def test_a_row_of_numbers_takes_images_of_as_many(shape: tuple[int, ...]) -> None:
    layout, numbers = Layout(shape), np.arange(12)
    for given in (numbers, numbers.reshape(3, 4), numbers.reshape(1, 3, 4), numbers[:, None]):
        own = layout.own(given)
        assert own.shape == shape
        np.testing.assert_array_equal(own.ravel(), numbers)
    assert layout.of_image((3, 4)).planes.shape == (1, 3, 4)
    assert layout.of_image((1, 3, 4)).planes.shape == (1, 3, 4)
    assert layout.of_image(shape) is layout
    with pytest.raises(InputError, match="11,") as caught:
        layout.own(np.zeros(11), "picture.npy")
    assert str(shape) in caught.value.expected
    assert "12 numbers" in caught.value.expected


def test_images_of_other_axes_are_refused_with_the_shapes_that_fit() -> None:
    last = Layout.said("hwc", (3, 4, 2), "a network")
    for shape in ((4, 3, 2), (2, 4, 3), (24,), (6, 4)):
        with pytest.raises(InputError) as caught:
            last.own(np.zeros(shape))
        assert "(3, 4, 2)" in caught.value.expected
        assert "(2, 3, 4): channels, height, width" in caught.value.expected
