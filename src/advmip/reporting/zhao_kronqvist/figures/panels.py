"""What the figures share: names of the protocols' curves, grids of axes, the legend below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator, ScalarFormatter

from advmip.reporting import style
from advmip.reporting.rows import where
from advmip.reporting.zhao_kronqvist.names import CERTIFIED_METHODS

COUNT_LABEL = "number of adversarial examples"

LABELS = {"published": style.PUBLISHED_LABEL, "described": style.DESCRIBED_LABEL}


def panel_grid(
    figure: Figure,
    lines: int,
    columns: int,
    *,
    width: float = style.PANEL_WIDTH,
    height: float = style.PANEL_HEIGHT,
    sharex: bool = False,
    sharey: Literal["row"] | bool = False,
) -> list[list[Axes]]:
    """A grid of axes on a figure sized to hold it, with room for a legend below."""
    figure.set_size_inches(width * columns, height * lines + 0.35)
    grid = figure.subplots(lines, columns, squeeze=False, sharex=sharex, sharey=sharey)
    return [list(line) for line in grid]


def count_axis(axis: Axes, counts: Sequence[int]) -> None:
    """A logarithmic axis of numbers of images, with a tick at each of these, in rising order."""
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(FixedLocator(counts))
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlim(counts[0] / 1.35, counts[-1] * 1.35)


def draw_methods(
    axis: Axes, data: pd.DataFrame, methods: Sequence[str], value: str, ends: tuple[str, str]
) -> dict[str, Any]:
    """A line for each method against the number of training images, with bars of its spread.

    Args:
        axis: Where to draw.
        data: Rows with `method`, `training_images`, the value and its ends.
        methods: The methods of the whole figure, which tell their looks.
        value: The column that is drawn.
        ends: Those of the least and the largest value.

    Returns:
        What was drawn, by method.
    """
    handles = {}
    for place, (method, look) in enumerate(zip(methods, style.LINES, strict=False)):
        part = where(data, {"method": method}).sort_values("training_images")
        least, most = (part[end] for end in ends)
        colour, dashes, marker = look
        # Side by side, so that bars do not hide each other.
        beside = 1.0 + 0.04 * (place - 0.5 * (len(methods) - 1))
        handles[method] = axis.errorbar(
            part["training_images"] * beside,
            part[value],
            yerr=[part[value] - least, most - part[value]],
            color=colour,
            linestyle=dashes,
            marker=marker,
            markersize=4.5,
            linewidth=1.3,
            elinewidth=1.0,
            capsize=2,
            label=CERTIFIED_METHODS[method],
        )
    return handles


def legend_below(figure: Figure, axis: Axes) -> None:
    """A legend below all axes, of what is in one of them."""
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
