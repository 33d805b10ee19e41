"""Accuracy against the radius of attacks: a line for each network, a band where it is open."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from advmip.questions.accuracy import AccuracyCurve
from advmip.reporting import style

_WIDTH, _HEIGHT = 4.2, 2.9
# Where lower and upper radii differ by less than this part of the axis, nobody sees a band.
_VISIBLE = 0.005
_NAMES = {"l0": "$L_0$", "l1": "$L_1$", "l2": "$L_2$", "linf": r"$L_\infty$"}


def curves_data(curves: Mapping[str, AccuracyCurve]) -> pd.DataFrame:
    """The steps of curves: network, radius, and in percent the lower and upper accuracy from it on.

    Args:
        curves: By network.
    """
    parts = [
        pd.DataFrame(
            {
                "network": network,
                "radius": curve.radius,
                "lower_accuracy": curve.lower,
                "upper_accuracy": curve.upper,
            }
        )
        for network, curve in curves.items()
    ]
    return pd.concat(parts, ignore_index=True)


def draw_curves(curves: Mapping[str, AccuracyCurve], distance: str) -> Figure:
    """Draw what attack and proof leave possible: the line is what is proved.

    Args:
        curves: By network, as the legend writes it.
        distance: In which radii are measured, as `minimal_attack` takes it.
    """
    last = max(float(curve.radius[-1]) for curve in curves.values())
    end = 1.04 * last if last > 0 else 1.0
    with style.figure_style():
        figure = Figure(figsize=(_WIDTH, _HEIGHT))
        axis = figure.subplots()
        open_band = False
        for (name, curve), (colour, dashes, _) in zip(
            curves.items(), cycle(style.LINES), strict=False
        ):
            radius = np.append(curve.radius, end)
            lower, upper = (np.append(side, side[-1]) for side in (curve.lower, curve.upper))
            axis.fill_between(
                radius, lower, upper, step="post", color=colour, alpha=0.22, linewidth=0
            )
            axis.step(radius, upper, where="post", color=colour, linewidth=0.5)
            axis.step(
                radius,
                lower,
                where="post",
                color=colour,
                linestyle=dashes,
                linewidth=1.5,
                label=name,
            )
            area = float(((upper - lower)[:-1] * np.diff(radius)).sum())
            open_band |= area > _VISIBLE * end * 100.0 / _HEIGHT
        axis.set(xlim=(0.0, end), ylim=(0.0, 102.0), ylabel="accuracy under attack (%)")
        axis.set_xlabel(f"radius of the attack, {_NAMES.get(distance, distance)}")
        handles, _ = axis.get_legend_handles_labels()
        if open_band:
            handles.append(Patch(color=style.GREY, alpha=0.22, linewidth=0, label="not decided"))
        # Long names must not take the axes' place.
        axis.legend(handles=handles, loc="upper right").set_in_layout(False)
        figure.draw_without_rendering()
    return figure
