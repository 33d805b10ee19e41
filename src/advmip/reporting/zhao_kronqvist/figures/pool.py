"""Figure 1: the candidates after five iterations."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from advmip.reporting import style
from advmip.reporting.comparisons import PROTOCOLS
from advmip.reporting.outputs import Sources
from advmip.reporting.rows import Rows
from advmip.reporting.zhao_kronqvist.figures.panels import panel_grid

_TITLES = {"published": "As published", "described": "As described"}


def pool_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 1: the candidates after five iterations on CNN.

    Returns:
        One row per candidate: protocol, iteration, alpha, violation, loss, adversarial_count and
        kind ("candidate", "Pareto front" or "initial network").
    """
    frames: list[pd.DataFrame] = []
    for protocol in PROTOCOLS:
        if not rows.planned("CNN", protocol, experiment="figure1"):
            continue
        pool = rows.select(
            "pool", {"experiment": "figure1", "paper_network": "CNN", "protocol": protocol}
        )
        pool = pool[pool["seed"] == pool["seed"].min()]
        kind = np.where(pool["pareto"], "Pareto front", "candidate")
        pool = pool.assign(kind=np.where(pool["iteration"] == 0, "initial network", kind))
        frames.append(pool)
    columns = ["protocol", "adversarial_count", "iteration", "alpha", "violation", "loss", "kind"]
    return pd.concat(frames, ignore_index=True)[columns]


def draw_pool(figure: Figure, data: pd.DataFrame) -> None:
    """Figure 1: loss against V; Pareto front orange, initial network purple, others grey."""
    protocols = [protocol for protocol in PROTOCOLS if protocol in set(data["protocol"])]
    axes = panel_grid(figure, 1, len(protocols), width=3.2, height=2.8)[0]
    looks = {
        "candidate": {"color": style.LIGHT, "s": 20},
        "Pareto front": {"color": style.FRONT_COLOUR, "s": 34},
        "initial network": {"color": style.INITIAL_COLOUR, "s": 70, "marker": "D"},
    }
    for axis, protocol in zip(axes, protocols, strict=True):
        part = data[data["protocol"] == protocol]
        for kind, look in looks.items():
            points = part[part["kind"] == kind]
            axis.scatter(
                points["violation"],
                points["loss"],
                label=kind,
                edgecolors="white",
                linewidths=0.5,
                zorder=3,
                **look,
            )
        count = part["adversarial_count"].iloc[0]
        axis.set(xlabel="violation V", title=f"{_TITLES[protocol]}, {count:g} examples")
    axes[0].set_ylabel("loss on the training set")
    axes[0].legend(loc="best")
