"""Pictures of attacks: images of any number of channels and of any plane are drawn."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from advmip.reporting.attack_pictures import draw_attack, draw_change, draw_image
from advmip.reporting.figure_files import write_picture

NAMES = ("original", "attacked", "difference")


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("plane", [(4, 5), (1, 1), (1, 40), (40, 1)])
def test_any_image_is_drawn(channels: int, plane: tuple[int, int], tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    image, attacked = random.random((2, channels, *plane))
    write_picture(draw_attack(image, attacked, NAMES), tmp_path / "drawn.png")
    with Image.open(tmp_path / "drawn.png") as picture:
        assert picture.width > 2 * picture.height


def test_channels_that_are_no_colours_lie_beside_each_other() -> None:
    panel = Figure().subplots()
    image = np.arange(5 * 2 * 3).reshape(5, 2, 3) / 30
    draw_image(panel, image)
    shown = np.asarray(panel.images[0].get_array())
    assert shown.shape == (4, 9)
    for channel, (top, left) in enumerate([(0, 0), (0, 3), (0, 6), (2, 0), (2, 3)]):
        np.testing.assert_array_equal(shown[top : top + 2, left : left + 3], image[channel])
    assert not shown[2:, 6:].any()
    change = np.asarray(draw_change(panel, -image).get_array())
    np.testing.assert_array_equal(change, -shown)
