"""Figure 4: time of fine-tuning, and of its quadratic programs."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from advmip.reporting import style
from advmip.reporting.outputs import Sources
from advmip.reporting.rows import Rows, where
from advmip.reporting.zhao_kronqvist.figures.panels import COUNT_LABEL, legend_below, panel_grid
from advmip.reporting.zhao_kronqvist.names import FINE_TUNED, NETWORKS


def time_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 4: total time and time of the QPs, by network and number of examples.

    Returns:
        One row per point: network, curve ("paper" or "ours"), quantity ("total" or "QPs"),
        adversarial_count and seconds (median over seeds, protocol as published).
    """
    quantities = {"seconds_total": "total", "seconds_projection": "QPs"}
    records: list[dict[str, Any]] = []
    for network, stem in NETWORKS.items():
        match = {**FINE_TUNED, "paper_network": network, "protocol": "published", "omega": 0.0}
        ours = rows.select("evaluations", match)
        for column, quantity in quantities.items():
            for count, seconds in ours.groupby("adversarial_count")[column].median().items():
                point = {"adversarial_count": count, "seconds": seconds}
                records.append({"network": network, "curve": "ours", "quantity": quantity} | point)
            for keys, numbers in sources["zk"].blocks[f"{stem}_total_time"].values:
                point = {**keys, "seconds": numbers[column]}
                records.append({"network": network, "curve": "paper", "quantity": quantity} | point)
    return pd.DataFrame(records)


def draw_time(figure: Figure, data: pd.DataFrame) -> None:
    """Figure 4: a panel per network, seconds on a logarithmic axis."""
    networks = list(NETWORKS)
    (axes,) = panel_grid(figure, 1, len(networks), sharey=True)
    looks = {
        ("paper", "total"): {**style.PAPER_LINE, "marker": "o"},
        ("paper", "QPs"): {**style.PAPER_LINE, "marker": "s", "linestyle": (0, (1, 2))},
        ("ours", "total"): {"color": style.BLUE, "marker": "o", **style.OUR_LINE},
        ("ours", "QPs"): {"color": style.ORANGE, "marker": "s", **style.OUR_LINE},
    }
    for axis, network in zip(axes, networks, strict=True):
        for (curve, quantity), look in looks.items():
            part = where(data, {"network": network, "curve": curve, "quantity": quantity})
            axis.plot(
                part["adversarial_count"], part["seconds"], label=f"{curve}, {quantity}", **look
            )
        axis.set(yscale="log", title=network, xlabel=COUNT_LABEL)
        axis.set_xticks(sorted(data["adversarial_count"].unique()))
    axes[0].set_ylabel("time (s)")
    legend_below(figure, axes[0])
