"""Extension 4: how many test images are proved by how many training images were made robust."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from advmip.reporting import style
from advmip.reporting.outputs import Sources
from advmip.reporting.rows import Rows, where
from advmip.reporting.zhao_kronqvist.certified_table import certified
from advmip.reporting.zhao_kronqvist.figures.panels import (
    count_axis,
    draw_methods,
    panel_grid,
)
from advmip.reporting.zhao_kronqvist.names import CERTIFIED_METHODS


def proved_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Extension 4: the share of test images that are proved.

    Returns:
        One row per network, radius, number of training images (0: the network as it is) and
        method: `proved` in percent, the mean over the seeds, with its 95 % interval `lower` and
        `upper`, empty for one seed.
    """
    shown = ["paper_network", "epsilon", "training_images", "method", "proved", "lower", "upper"]
    return certified(rows, sources)[shown]


def draw_proved(figure: Figure, data: pd.DataFrame) -> None:
    """A panel for each network and radius, a line for each method, with intervals over seeds."""
    networks, radii = list(data["paper_network"].unique()), sorted(data["epsilon"].unique())
    # One panel alone must have room for the legend below it.
    width = max(3.1, 4.6 / len(radii))
    panels = panel_grid(figure, len(networks), len(radii), width=width, height=2.6, sharey="row")
    tuned = data[data["training_images"] > 0]
    methods = [method for method in CERTIFIED_METHODS if method in set(tuned["method"])]
    counts = sorted(tuned["training_images"].unique())
    handles: dict[str, Any] = {}
    for network, line in zip(networks, panels, strict=True):
        for epsilon, axis in zip(radii, line, strict=True):
            here = where(data, {"paper_network": network, "epsilon": float(epsilon)})
            handles |= draw_methods(axis, here, methods, "proved", ("lower", "upper"))
            for start in where(here, {"method": "initial"})["proved"]:
                handles["initial"] = axis.axhline(
                    start, color=style.GREY, linestyle=":", linewidth=1.2, label="as it is"
                )
            axis.set(title=f"{network}, ε = {epsilon:g}", ylim=(0, 105))
            count_axis(axis, counts)
        line[0].set_ylabel("test images proved (%)")
    for axis in panels[-1]:
        axis.set_xlabel("training images")
    figure.legend(
        handles=list(handles.values()), loc="outside lower center", ncols=min(3, 1 + len(radii))
    )
