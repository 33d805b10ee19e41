"""Figure 2: what fine-tuning gains, by network, attack and number of examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from advmip.reporting import style
from advmip.reporting.cells import one_per_seed
from advmip.reporting.comparisons import PROTOCOLS
from advmip.reporting.intervals import measure
from advmip.reporting.outputs import Sources
from advmip.reporting.rows import Rows
from advmip.reporting.sources import Source
from advmip.reporting.zhao_kronqvist.figures.panels import (
    COUNT_LABEL,
    LABELS,
    legend_below,
    panel_grid,
)
from advmip.reporting.zhao_kronqvist.names import ATTACKS, FINE_TUNED, NETWORKS, RUNS

_FEW_ITERATIONS = f"{style.PUBLISHED_LABEL}, M = 2"


def improvement_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 2: percentage points gained, by network, attack and number of examples.

    The paper's caption says M = 2, its text agrees with Tables 2 to 4 (M = 20): both are here.

    Returns:
        One row per point: network, attack, adversarial_count, curve ("paper", or ours under either
        protocol, or with M = 2), improvement (of the best omega), lower and upper (95 % interval
        over seeds; empty for one) and seeds.
    """
    records: list[dict[str, Any]] = []
    for network, stem in NETWORKS.items():
        for quantity, attack in ATTACKS.items():
            curves = {
                "paper": _published_improvement(sources["zk"], stem, quantity),
                **{
                    LABELS[protocol]: _our_improvement(rows, network, protocol, quantity, RUNS)
                    for protocol in PROTOCOLS
                },
                _FEW_ITERATIONS: _our_improvement(
                    rows, network, "published", quantity, ["figure2"]
                ),
            }
            records += [
                {"network": network, "attack": attack, "curve": curve, **point}
                for curve, points in curves.items()
                for point in points
            ]
    return pd.DataFrame(records)


def draw_improvement(figure: Figure, data: pd.DataFrame) -> None:
    """Figure 2: a row of panels per attack, a column per network."""
    attacks, networks = list(ATTACKS.values()), list(NETWORKS)
    panels = panel_grid(figure, len(attacks), len(networks), sharex=True, sharey=True)
    looks = {
        "paper": style.PAPER_LINE,
        style.PUBLISHED_LABEL: {"color": style.PUBLISHED_COLOUR, "marker": "o", **style.OUR_LINE},
        style.DESCRIBED_LABEL: {"color": style.DESCRIBED_COLOUR, "marker": "s", **style.OUR_LINE},
        _FEW_ITERATIONS: {"color": style.GREEN, "marker": "^", **style.OUR_LINE},
    }
    for line, attack in zip(panels, attacks, strict=True):
        for axis, network in zip(line, networks, strict=True):
            part = data[(data["attack"] == attack) & (data["network"] == network)]
            for curve, look in looks.items():
                points = part[part["curve"] == curve]
                _band(axis, points, "adversarial_count", "improvement", look)
                axis.plot(points["adversarial_count"], points["improvement"], label=curve, **look)
            axis.axhline(0, color=style.LIGHT, linewidth=0.8, zorder=1)
            axis.set_title(f"{network}, {attack}")
            axis.set_xticks(sorted(data["adversarial_count"].unique()))
        line[0].set_ylabel("improvement\n(percentage points)")
    for axis in panels[-1]:
        axis.set_xlabel(COUNT_LABEL)
    legend_below(figure, panels[0][0])


def _band(axis: Axes, points: pd.DataFrame, x: str, y: str, look: Mapping[str, Any]) -> None:
    """The interval over seeds as error bars, where there is one."""
    known = points.dropna(subset=["lower", "upper"])
    if len(known):
        axis.vlines(
            known[x], known["lower"], known["upper"], color=look["color"], linewidth=1.0, zorder=3
        )


def _published_improvement(source: Source, stem: str, quantity: str) -> list[dict[str, Any]]:
    """The improvement of the paper's best omega for each number of examples."""
    initial = source.blocks[f"{stem}_initial"].published({}, quantity)
    best: dict[int, float] = {}
    for keys, numbers in source.blocks[f"{stem}_finetuned"].values:
        count = keys["adversarial_count"]
        best[count] = max(best.get(count, -np.inf), numbers[quantity] - initial)
    return [{"adversarial_count": count, "improvement": gain} for count, gain in best.items()]


def _our_improvement(
    rows: Rows, network: str, protocol: str, quantity: str, experiments: list[str]
) -> list[dict[str, Any]]:
    """The improvement of our best omega for each number of examples, over seeds."""
    if not rows.planned(network, protocol, experiment=experiments[0]):
        return []
    common = {"paper_network": network, "protocol": protocol}
    initial = rows.select("evaluations", {**common, "method": "initial"})
    start = float(one_per_seed(initial, quantity).mean())
    match = {**common, **FINE_TUNED, "experiment": experiments}
    tuned = rows.select("evaluations", match).dropna(subset="omega")
    points = []
    for count, runs in tuned.groupby("adversarial_count"):
        measured = measure(runs.groupby("seed")[quantity].max() - start)
        points.append(
            {"adversarial_count": count, "improvement": measured.mean}
            | {name: getattr(measured, name) for name in ("lower", "upper", "seeds")}
        )
    return points
