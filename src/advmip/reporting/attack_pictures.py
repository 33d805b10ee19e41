"""An attack as a picture: the image, the attacked image, and what was changed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from advmip.reporting import style

Image = npt.NDArray[np.float64]

_SIDE = 2.1
# Blue for darker, red for brighter; readable for the colour-blind, white where nothing changed.
_DIFFERENCES = "RdBu_r"
# Grey, and colours.
_COLOURED = (1, 3)
# Planes that are longer than wide by more than this are stretched.
_NARROW = 8
_TINY = 1e-12


def draw_attack(
    image: Image,
    adversarial: Image,
    names: tuple[str, str, str],
    span: tuple[float, float] = (0.0, 1.0),
) -> Figure:
    """Three panels: original, attacked, difference.

    Args:
        image: The original (channels, height, width), of any number of channels.
        adversarial: The attacked image, of the same shape.
        names: The panels' titles.
        span: The pixel values that are drawn darkest and brightest.
    """
    with style.figure_style():
        figure = Figure(figsize=(3 * _SIDE + 0.6, _SIDE + 0.35))
        panels = figure.subplots(1, 3)
        for panel, shown, name in zip(panels, (image, adversarial), names, strict=False):
            draw_image(panel, (shown - span[0]) / max(span[1] - span[0], _TINY))
            panel.set_title(name)
        drawn = draw_change(panels[2], adversarial - image)
        panels[2].set_title(names[2])
        bar = figure.colorbar(drawn, ax=panels[2], fraction=0.046, pad=0.04)
        bar.outline.set_visible(False)
        figure.draw_without_rendering()
    return figure


def draw_change(panel: Axes, change: Image) -> AxesImage:
    """A change (channels, height, width): blue darker, red brighter.

    That of grey or of colours is summed over channels; other channels are drawn as `draw_image`
    does.
    """
    difference = change.sum(axis=0) if len(change) in _COLOURED else _beside(change)
    most = max(float(np.abs(difference).max()), _TINY)
    drawn = panel.imshow(difference, cmap=_DIFFERENCES, vmin=-most, vmax=most)
    _bare(panel, difference)
    return drawn


def draw_image(panel: Axes, image: Image) -> None:
    """One image (channels, height, width) in [0, 1], in grey or in colour.

    Where channels are no colours, each is drawn in grey, in rows of channels.
    """
    shown = np.clip(image, 0.0, 1.0)
    if len(shown) == 3:
        panel.imshow(shown.transpose(1, 2, 0))
        _bare(panel, shown[0])
    else:
        grey = _beside(shown)
        panel.imshow(grey, cmap="gray", vmin=0.0, vmax=1.0)
        _bare(panel, grey)


def _beside(channels: Image) -> Image:
    """The channels (C, H, W) of an image in a near-square arrangement, a plane."""
    count, height, width = channels.shape
    across = int(np.ceil(np.sqrt(count)))
    down = -(-count // across)
    filled = np.zeros((down * across, height, width))
    filled[:count] = channels
    return (
        filled.reshape(down, across, height, width)
        .transpose(0, 2, 1, 3)
        .reshape(down * height, across * width)
    )


def _bare(panel: Axes, plane: Image) -> None:
    height, width = plane.shape
    if max(height, width) > _NARROW * min(height, width):
        panel.set_aspect("auto")
    panel.set_xticks([])
    panel.set_yticks([])
    panel.grid(False)
    for side in panel.spines.values():
        side.set_visible(True)
        side.set_color(style.LIGHT)
