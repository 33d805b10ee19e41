"""Figure 3: V and PGD accuracy over the iterations, with and without a radius."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from advmip.reporting import style
from advmip.reporting.comparisons import PROTOCOLS
from advmip.reporting.outputs import Sources
from advmip.reporting.rows import Rows, where
from advmip.reporting.zhao_kronqvist.evidence import smallest_violation
from advmip.reporting.zhao_kronqvist.figures.panels import panel_grid

# "The violation metrics drop very quickly from ~250 to ~25 in the first 3 iterations."
_RADIUS_NETWORKS = ("CNNLight", "CNN")

_FIRST_SHOWN = 3

_PAPER_VIOLATION = ([3], [25])


def radius_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 3: V and PGD accuracy over the iterations, with and without a radius.

    Returns:
        One row per point: network, protocol, radius, iteration (0: the initial network), violation
        (of the choice with omega = 0 so far), and of the iterate itself iterate_violation and
        pgd_accuracy (percent; neither for the initial network).
    """
    frames = []
    for network in _RADIUS_NETWORKS:
        for protocol in PROTOCOLS:
            if not rows.planned(network, protocol, experiment="figure3"):
                continue
            match = {"experiment": "figure3", "paper_network": network, "protocol": protocol}
            course, pool = (rows.select(kind, match) for kind in ("iterations", "pool"))
            for radius, candidates in pool.groupby("radius"):
                first = candidates["seed"].min()
                iterates = where(course, {"radius": radius, "seed": first}).set_index("iteration")
                frame = pd.DataFrame(
                    {
                        "violation": smallest_violation(candidates)[first],
                        "iterate_violation": iterates["violation"],
                        "pgd_accuracy": iterates["pgd_accuracy"],
                    }
                ).reset_index()
                frames.append(frame.assign(network=network, protocol=protocol, radius=radius))
    numbers = ["violation", "iterate_violation", "pgd_accuracy"]
    columns = ["network", "protocol", "radius", "iteration", *numbers]
    return pd.concat(frames, ignore_index=True)[columns]


def draw_radius(figure: Figure, data: pd.DataFrame) -> None:
    """Figure 3: a row of panels per network; V from iteration 3 on at the left, PGD right."""
    networks = list(data["network"].unique())
    panels = panel_grid(figure, len(networks), 2, width=3.3)
    shown = data[(data["protocol"] == "published") & (data["iteration"] >= _FIRST_SHOWN)]
    radii = sorted(data["radius"].unique())
    quantities = {"violation": "violation V", "pgd_accuracy": "PGD accuracy (%)"}
    for line, network in zip(panels, networks, strict=True):
        for axis, letter, (quantity, label) in zip(line, "ab", quantities.items(), strict=True):
            for radius, colour, marker in zip(radii, style.RADIUS_COLOURS, "os", strict=False):
                part = where(shown, {"network": network, "radius": radius})
                if quantity == "violation":
                    iterates = part["iteration"], part["iterate_violation"]
                    axis.plot(*iterates, color=colour, linestyle=":", linewidth=1.2, alpha=0.7)
                axis.plot(
                    part["iteration"],
                    part[quantity],
                    color=colour,
                    marker=marker,
                    label=rf"$\bar\varepsilon$ = {radius:g}",
                    clip_on=False,
                    **{**style.OUR_LINE, "markersize": 4},
                )
            axis.set(xlabel="iteration k", ylabel=label, title=f"({letter}) {network}")
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        line[0].plot(*_PAPER_VIOLATION, label="paper, “~25”", **style.PAPER_LINE)
        line[0].set_yscale("symlog", linthresh=_smallest_decade(shown["violation"]))
        line[0].set_ylim(bottom=0)
    panels[0][0].legend()


def _smallest_decade(values: pd.Series[float]) -> float:
    """The power of ten at or below the smallest positive value; below it an axis is linear to 0."""
    positive = values[values > 0]
    return float(10 ** np.floor(np.log10(positive.min()))) if len(positive) else 1.0
