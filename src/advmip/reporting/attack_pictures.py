"""An attack as a picture: the image, the attacked image, and what was changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from advmip.reporting import style
from advmip.storage import write_atomically

Image = npt.NDArray[np.float64]

_SIDE = 2.1
# Blue for darker, red for brighter; readable for the colour-blind, white where nothing changed.
_DIFFERENCES = "RdBu_r"


def draw_attack(image: Image, adversarial: Image, names: tuple[str, str, str]) -> Figure:
    """Three panels: original, attacked, difference.

    Args:
        image: The original (channels, height, width) in [0, 1].
        adversarial: The attacked image, of the same shape.
        names: The panels' titles.
    """
    with style.figure_style():
        figure = Figure(figsize=(3 * _SIDE + 0.6, _SIDE + 0.35))
        panels = figure.subplots(1, 3)
        for panel, shown, name in zip(panels, (image, adversarial), names, strict=False):
            draw_image(panel, shown)
            panel.set_title(name)
        drawn = draw_change(panels[2], adversarial - image)
        panels[2].set_title(names[2])
        bar = figure.colorbar(drawn, ax=panels[2], fraction=0.046, pad=0.04)
        bar.outline.set_visible(False)
        figure.draw_without_rendering()
    return figure


def draw_change(panel: Axes, change: Image) -> AxesImage:
    """A change (channels, height, width), summed over channels: blue darker, red brighter."""
    difference = change.sum(axis=0)
    most = max(float(np.abs(difference).max()), 1e-12)
    drawn = panel.imshow(difference, cmap=_DIFFERENCES, vmin=-most, vmax=most)
    _bare(panel)
    return drawn


def draw_image(panel: Axes, image: Image) -> None:
    """One image (channels, height, width) in [0, 1], in grey or in colour."""
    shown = np.clip(image, 0.0, 1.0)
    if len(shown) == 1:
        panel.imshow(shown[0], cmap="gray", vmin=0.0, vmax=1.0)
    else:
        panel.imshow(shown.transpose(1, 2, 0))
    _bare(panel)


def write_picture(figure: Figure, file: Path) -> None:
    """Write a figure as PNG, atomically."""
    with write_atomically(file) as temporary:
        figure.savefig(temporary, format="png", dpi=style.DOTS_PER_INCH)


def _bare(panel: Axes) -> None:
    panel.set_xticks([])
    panel.set_yticks([])
    panel.grid(False)
    for side in panel.spines.values():
        side.set_visible(True)
        side.set_color(style.LIGHT)
