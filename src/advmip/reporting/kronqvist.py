"""The figure of Kronqvist's lecture: what the relaxation allows the network of two nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.tri import Triangulation
from numpy.typing import NDArray

from advmip.reporting import style
from advmip.reporting.outputs import FigureKind, Sources
from advmip.reporting.rows import Rows, where

_LOOKS = {
    "upper": ("upper bound", style.VERMILION),
    "value": ("network", style.BLUE),
    "lower": ("lower bound", style.ORANGE),
}


def relaxation_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """The output over a grid of inputs, between its bounds in the relaxed model.

    Returns:
        One row per point: x1, x2, value, lower and upper.
    """
    samples = rows.select("samples", {"experiment": "relaxation"})
    return samples[["x1", "x2", "value", "lower", "upper"]]


def draw_relaxation(figure: Figure, data: pd.DataFrame) -> None:
    """The three surfaces, and a section through them."""
    figure.set_size_inches(7.4, 3.3)
    space = figure.add_subplot(1, 2, 1, projection="3d", computed_zorder=False)
    _draw_bound(space, data, "lower", order=0)
    network = space.plot_trisurf(
        Triangulation(data["x1"], data["x2"], _triangles(data)),
        data["value"],
        color=_LOOKS["value"][1],
        linewidth=0,
        antialiased=False,
        zorder=1,
    )
    network.set_rasterized(True)  # thousands of triangles
    _draw_bound(space, data, "upper", order=2)
    space.set(xlabel="$x_1$", ylabel="$x_2$", title="(a) output $z$ over all inputs")
    space.view_init(elev=24, azim=-55)
    space.set_box_aspect((1.0, 1.0, 0.75), zoom=0.92)
    section = figure.add_subplot(1, 2, 2)
    part = where(data, {"x2": 0.0})
    for column, (label, colour) in _LOOKS.items():
        dashes = "-" if column == "value" else "--"
        section.plot(part["x1"], part[column], color=colour, linestyle=dashes, label=label)
    section.fill_between(part["x1"], part["lower"], part["upper"], color=style.LIGHT, alpha=0.3)
    section.set(xlabel="$x_1$", ylabel="output $z$", title="(b) $x_2 = 0$")
    section.legend()


def _draw_bound(space: Any, data: pd.DataFrame, column: str, order: int) -> None:
    """A surface as a net, through which the others are seen."""
    heights = data.pivot(index="x1", columns="x2", values=column)
    x1, x2 = np.meshgrid(heights.index, heights.columns, indexing="ij")
    space.plot_wireframe(
        x1,
        x2,
        heights.to_numpy(),
        color=_LOOKS[column][1],
        linewidth=0.7,
        rcount=11,
        ccount=11,
        zorder=order,
    )


def _triangles(data: pd.DataFrame) -> NDArray[np.intp]:
    """The grid cut along its rising diagonals, on which the first node's input is constant."""
    lines, columns = data["x1"].nunique(), data["x2"].nunique()
    places = np.arange(lines * columns).reshape(lines, columns)
    first, right, above, both = (
        places[:-1, :-1].ravel(),
        places[1:, :-1].ravel(),
        places[:-1, 1:].ravel(),
        places[1:, 1:].ravel(),
    )
    halves = [np.column_stack([first, right, both]), np.column_stack([first, both, above])]
    return np.vstack(halves)


FIGURES: dict[str, FigureKind] = {"kronqvist_figure1": FigureKind(relaxation_data, draw_relaxation)}
