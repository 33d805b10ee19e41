"""An image of the user's own, from an array or a picture."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from advmip import InputError
from advmip.datasets.image_files import read_image

GREY, COLOUR = (1, 4, 3), (3, 4, 3)


def test_arrays_and_pictures_give_the_same_image(tmp_path: Path) -> None:
    bytes_ = np.arange(12, dtype=np.uint8).reshape(4, 3) * 20
    Image.fromarray(bytes_).save(tmp_path / "grey.png")
    np.save(tmp_path / "flat.npy", bytes_ / 255)
    np.testing.assert_allclose(
        read_image(tmp_path / "grey.png", GREY), read_image(tmp_path / "flat.npy", GREY)
    )
    coloured = np.stack([bytes_, bytes_ // 2, 255 - bytes_], axis=-1)
    Image.fromarray(coloured).save(tmp_path / "colour.png")
    image = read_image(tmp_path / "colour.png", COLOUR)
    np.testing.assert_allclose(image, coloured.transpose(2, 0, 1) / 255)


@pytest.mark.parametrize(
    ("name", "named"),
    [("none.npy", "no such file"), ("text.png", "not readable"), ("broken.npy", "not readable")],
)
def test_what_is_no_image_is_refused(name: str, named: str, tmp_path: Path) -> None:
    for broken in ("text.png", "broken.npy"):
        (tmp_path / broken).write_text("no image")
    with pytest.raises(InputError, match=named):
        read_image(tmp_path / name, GREY)


def test_another_size_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "turned.npy", np.zeros((3, 4)))
    np.save(tmp_path / "words.npy", np.full((4, 3), "a"))
    for name in ("turned.npy", "words.npy"):
        with pytest.raises(InputError, match="expected: numbers of shape"):
            read_image(tmp_path / name, GREY)
