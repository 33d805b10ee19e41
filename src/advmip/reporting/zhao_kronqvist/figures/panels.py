"""What the figures share: names of the protocols' curves, grids of axes, the legend below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator, ScalarFormatter

from advmip.reporting import style

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


def legend_below(figure: Figure, axis: Axes) -> None:
    """A legend below all axes, of what is in one of them."""
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
