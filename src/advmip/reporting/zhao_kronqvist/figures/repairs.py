"""Extension 5: what each way to repair a network proves, what carries over, and what it costs."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, ScalarFormatter

from advmip.reporting import style
from advmip.reporting.outputs import Sources
from advmip.reporting.rows import Rows, where
from advmip.reporting.zhao_kronqvist.figures.panels import (
    count_axis,
    draw_methods,
    panel_grid,
)
from advmip.reporting.zhao_kronqvist.names import CERTIFIED_METHODS, TASKS
from advmip.reporting.zhao_kronqvist.repair_table import KEYS, START, repairs

# By measure what its axis says.
_MEASURES = {
    "training_proved": "chosen balls\nproved (%)",
    "others_right": "other images\nright (%)",
    "accuracy_lost": "clean accuracy\nlost (points)",
}


def repairs_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Extension 5: three measures of each way to repair.

    Returns:
        One row per network, task, radius, number of images, method and measure
        (`training_proved`, `others_right`, `accuracy_lost`): `mean`, `least` and `most` over the
        seeds, in percent or in points.
    """
    found = repairs(rows)
    found = found[found["training_images"] > 0]
    long = found.melt(KEYS, list(_MEASURES), var_name="measure")
    long["value"] = long["value"].astype(float)
    spread = long.groupby([*KEYS, "measure"], sort=False)["value"].agg(["mean", "min", "max"])
    return spread.rename(columns={"min": "least", "max": "most"}).reset_index()


def draw_repairs(figure: Figure, data: pd.DataFrame) -> None:
    """A column for each network, radius and task, a line for each measure and in it each method."""
    settings = list(data[START].drop_duplicates().itertuples(index=False, name=None))
    panels = panel_grid(
        figure, len(_MEASURES), len(settings), width=max(2.1, 6.0 / len(settings)), sharey="row"
    )
    methods = [method for method in CERTIFIED_METHODS if method in set(data["method"])]
    counts = sorted(data["training_images"].unique())
    handles: dict[str, Any] = {}
    for (measure, words), line in zip(_MEASURES.items(), panels, strict=True):
        for setting, axis in zip(settings, line, strict=True):
            here = where(data, dict(zip(START, setting, strict=True)) | {"measure": measure})
            handles |= draw_methods(axis, here, methods, "mean", ("least", "most"))
            count_axis(axis, counts)
            if measure == "accuracy_lost":
                axis.set_yscale("symlog", linthresh=1.0)
                axis.axhline(0.0, color=style.LIGHT, linewidth=0.8, zorder=0)
                axis.yaxis.set_major_locator(FixedLocator([-1, 0, 1, 10, 100]))
                axis.yaxis.set_major_formatter(ScalarFormatter())
            else:
                axis.set_ylim(-4, 105)
        line[0].set_ylabel(words)
    for (network, task, epsilon), axis in zip(settings, panels[0], strict=True):
        axis.set_title(f"{network}, ε = {epsilon:g},\n{TASKS[task]}")
    for axis in panels[-1]:
        axis.set_xlabel("images repaired")
    figure.legend(handles=list(handles.values()), loc="outside lower center", ncols=3)
