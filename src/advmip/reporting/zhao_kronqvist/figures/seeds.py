"""Extension 1: accuracy over the seeds of the attack."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from advmip.reporting import style
from advmip.reporting.cells import one_per_seed
from advmip.reporting.comparisons import compare_block
from advmip.reporting.outputs import Sources
from advmip.reporting.rows import Rows, where
from advmip.reporting.zhao_kronqvist.figures.panels import COUNT_LABEL, panel_grid
from advmip.reporting.zhao_kronqvist.names import ATTACKS, NETWORKS, SEEDED_NETWORKS
from advmip.reporting.zhao_kronqvist.tables import require_further_seeds


def seeds_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Extension 1: FGSM and PGD accuracy over the seeds of the attack.

    Returns:
        One row per network, number of examples, omega and attack: mean, lower, upper (95 %
        t-interval of the mean), further_lower, further_upper (of one further run), published, and
        one column per seed.
    """
    records: list[dict[str, Any]] = []
    source = sources["zk"]
    require_further_seeds(rows)
    for network in SEEDED_NETWORKS:
        block = source.blocks[f"{NETWORKS[network]}_finetuned"]
        compared = compare_block(rows, source, block, "published").dropna(subset="ours")
        for quantity, attack in ATTACKS.items():
            for row in where(compared, {"quantity": quantity}).to_dict("records"):
                match = {
                    **block.match,
                    "adversarial_count": row["adversarial_count"],
                    "omega": row["omega"],
                    "protocol": "published",
                }
                seeds = one_per_seed(rows.select("evaluations", match), quantity)
                kept = ("adversarial_count", "omega", "lower", "upper", "published")
                further = ("further_lower", "further_upper")
                records.append(
                    {"network": network, "attack": attack, "mean": row["ours"]}
                    | {name: row[name] for name in (*kept, *further)}
                    | {f"seed {seed}": value for seed, value in seeds.items()}
                )
    return pd.DataFrame(records)


def draw_seeds(figure: Figure, data: pd.DataFrame) -> None:
    """Extension 1: mean and interval per setting, each seed as a dot, the paper's value open."""
    networks, attacks = list(data["network"].unique()), list(ATTACKS.values())
    panels = panel_grid(figure, len(attacks), len(networks), width=3.6, sharex=True, sharey="row")
    omegas = sorted(data["omega"].unique())
    counts = sorted(data["adversarial_count"].unique())
    places = {count: place for place, count in enumerate(counts)}
    seeds = [column for column in data.columns if column.startswith("seed ")]
    paper = {**style.PAPER_LINE, "linestyle": "none"}
    for line, attack in zip(panels, attacks, strict=True):
        for axis, network in zip(line, networks, strict=True):
            for number, omega in enumerate(omegas):
                colour = style.OMEGA_COLOURS[number % len(style.OMEGA_COLOURS)]
                part = where(data, {"network": network, "attack": attack, "omega": omega})
                x = part["adversarial_count"].map(places) + 0.24 * (number - 1)
                further = part["further_lower"], part["further_upper"]
                axis.vlines(x, *further, color=colour, alpha=0.25, linewidth=5)
                axis.errorbar(
                    x,
                    part["mean"],
                    yerr=[part["mean"] - part["lower"], part["upper"] - part["mean"]],
                    fmt="o",
                    color=colour,
                    markersize=4,
                    capsize=2,
                    linewidth=1.2,
                    zorder=4,
                )
                for seed in seeds:
                    axis.plot(x, part[seed], ".", color=colour, alpha=0.5, markersize=2.5)
                axis.plot(x, part["published"], **paper)
            axis.set_title(f"{network}, {attack}")
            axis.set_xticks(list(places.values()), [f"{count:g}" for count in counts])
        line[0].set_ylabel(f"{attack} accuracy (%)")
    for axis in panels[-1]:
        axis.set_xlabel(COUNT_LABEL)
    handles = [
        *(
            Line2D([], [], marker="o", markersize=4, color=colour, label=f"ω = {omega:g}")
            for omega, colour in zip(omegas, style.OMEGA_COLOURS, strict=False)
        ),
        Line2D([], [], color=style.GREY, alpha=0.4, linewidth=5, label="one further run, 95 %"),
        Line2D([], [], label="paper", **paper),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
