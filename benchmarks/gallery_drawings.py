"""How the pictures of the gallery are drawn, from the rows that `gallery.py` measures."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from advmip.pictures import picture_of
from advmip.reporting import style
from advmip.reporting.attack_pictures import draw_change, draw_image

_NAMES = {
    "l0": "$L_0$",
    "l1": "$L_1$",
    "l2": "$L_2$",
    "l2-5": "$L_2$, 5 breakpoints",
    "linf": r"$L_\infty$",
    "tv": "total variation",
    "tv-isotropic": "isotropic variation",
    "l1+tv": "$L_1$ + variation",
}
_PHASES = {
    "interval": "intervals",
    "linear": "linear forms",
    "attack": "gradient attack",
    "lp": "linear programs",
    "mip": "mixed-integer programs",
    "line_search": "line search",
}
_ACROSS = 3


def draw_distances(figure: Figure, rows: pd.DataFrame) -> None:
    """The digit, then for each distance its nearest attack, the change and the certificate."""
    original, *attacks = rows.to_dict("records")
    image = picture_of(original)
    down = -(-len(rows) // _ACROSS)
    figure.set_size_inches(2.3 * _ACROSS, 1.85 * down)
    first, *parts = figure.subfigures(down, _ACROSS, squeeze=False).flat
    draw_image(first.subplots(1, 2)[0], image)
    first.axes[1].set_axis_off()
    first.suptitle(f"the image\na {int(original['predicted'])}", fontsize=9)
    for part, attack in zip(parts, attacks, strict=False):
        shown, change = part.subplots(1, 2)
        attacked = picture_of(attack)
        draw_image(shown, attacked)
        draw_change(change, attacked - image)
        proved = attack["status"] == "optimal"
        certificate = "none nearer" if proved else f"none nearer than {attack['lower_bound']:.3g}"
        part.suptitle(
            f"{_NAMES[attack['distance']]}: {attack['value']:.4g}\n{certificate}",
            fontsize=9,
            fontweight="bold" if proved else "normal",
        )
        part.supxlabel(f"taken for a {int(attack['predicted'])}", fontsize=8)


def draw_times(figure: Figure, rows: pd.DataFrame) -> None:
    """A bar for each run, its phases beside each other; a panel for each kind of run."""
    figure.set_size_inches(7.2, 4.8)
    groups = list(rows.groupby("subject", sort=False))
    heights = [group["name"].nunique() for _, group in groups]
    panels = figure.subplots(len(groups), 1, height_ratios=heights)
    for panel, (subject, group) in zip(panels, groups, strict=True):
        table = group.pivot(index="name", columns="phase", values="seconds")
        table = table.loc[group["name"].unique()[::-1], group["phase"].unique()].fillna(0.0)
        table = table.loc[:, table.sum() > 0.005 * table.sum().sum()]
        left = np.zeros(len(table))
        colours = (style.BLUE, style.ORANGE, style.GREEN, style.VERMILION, style.PURPLE, style.GREY)
        for (phase, seconds), colour in zip(table.items(), colours, strict=False):
            name = _PHASES.get(str(phase), str(phase))
            panel.barh(table.index, seconds, left=left, color=colour, label=name, height=0.7)
            left += seconds.to_numpy()
        panel.set_title(str(subject))
        panel.grid(axis="y", visible=False)
        panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    panels[-1].set_xlabel("processor seconds")


def draw_bounds(figure: Figure, rows: pd.DataFrame) -> None:
    """Steps of the best attack from above and of the lower bound from below, over time."""
    figure.set_size_inches(6.4, 3.4)
    axis = figure.subplots()
    best = rows["found"].min()
    for (way, steps), (colour, dashes, _) in zip(
        rows.groupby("way", sort=False), style.LINES, strict=False
    ):
        seconds = steps["seconds"].clip(lower=0.05)
        for column in ("found", "bound"):
            line = {"where": "post", "color": colour, "linestyle": dashes, "linewidth": 1.6}
            label = str(way) if column == "found" else None
            axis.step(seconds, steps[column], label=label, **line)
    axis.axhline(best, color=style.LIGHT, linewidth=0.8, zorder=0)
    axis.set(
        xscale="log", xlabel="seconds by the clock", ylabel="$L_1$ distance", ylim=(0, 2.2 * best)
    )
    axis.annotate("best attack, from above", (0.02, 0.93), xycoords="axes fraction", fontsize=8)
    axis.annotate("lower bound, from below", (0.02, 0.03), xycoords="axes fraction", fontsize=8)
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
