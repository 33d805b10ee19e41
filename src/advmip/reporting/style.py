"""How figures look: fonts, colours and sizes, in one place.

Colours are Wong's palette for colour-blind readers, as seaborn ships it; ours are strong and
filled, published points are grey, dashed and open.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import matplotlib as mpl
import seaborn as sns

_COLOURS = sns.color_palette("colorblind").as_hex()

BLUE, ORANGE, GREEN, VERMILION, PURPLE, BROWN = _COLOURS[:6]
SKY = _COLOURS[9]
GREY = "#6b6b6b"
LIGHT = "#b8b8b8"

PUBLISHED_COLOUR = BLUE
DESCRIBED_COLOUR = ORANGE
INITIAL_COLOUR = PURPLE
FRONT_COLOUR = ORANGE
OMEGA_COLOURS = (BLUE, GREEN, VERMILION)
RADIUS_COLOURS = (BLUE, VERMILION)
# Lines that are told apart without colour too: colour, dashes and marker.
LINES = (
    (BLUE, "-", "o"),
    (VERMILION, "--", "s"),
    (GREEN, "-.", "D"),
    (PURPLE, ":", "^"),
    (ORANGE, (0, (5, 1, 1, 1, 1, 1)), "v"),
    (BROWN, (0, (1, 1)), "P"),
    (SKY, (0, (8, 2)), "X"),
)
# For the many that stand beside ours, which has the first of `LINES`: colour and dashes.
OTHER_LINES = tuple(zip(_COLOURS[1:], cycle(["--", "-.", ":", "-"]), strict=False))

PUBLISHED_LABEL = "ours, as published"
DESCRIBED_LABEL = "ours, as described"

PAPER_LINE: dict[str, Any] = {
    "color": GREY,
    "linestyle": (0, (4, 3)),
    "linewidth": 1.1,
    "marker": "o",
    "markersize": 5.5,
    "markerfacecolor": "white",
    "markeredgecolor": GREY,
    "markeredgewidth": 1.1,
    "zorder": 3,
}

OUR_LINE: dict[str, Any] = {"linewidth": 1.6, "markersize": 5.0, "zorder": 4}

PANEL_WIDTH = 2.7
PANEL_HEIGHT = 2.3
DOTS_PER_INCH = 200


@contextmanager
def figure_style() -> Iterator[None]:
    """Fonts, grid and line widths for everything drawn inside the block."""
    settings = {
        **sns.axes_style("ticks"),
        **sns.plotting_context("paper"),
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "axes.labelsize": 9,
        "axes.titlesize": 9.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "legend.fontsize": 8,
        "legend.frameon": False,
        "axes.grid": True,
        "grid.color": "#e6e6e6",
        "grid.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "pdf.fonttype": 42,
        "figure.constrained_layout.use": True,
        "savefig.dpi": DOTS_PER_INCH,
    }
    with mpl.rc_context(settings):
        yield
