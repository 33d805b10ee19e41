"""Extension 1: what each ingredient of the progressive attack is worth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from advmip.reporting.entries import rules_at, without_repeats
from advmip.reporting.formats import DASH, Entry, PrintedTable
from advmip.reporting.outputs import Sources
from advmip.reporting.rows import Rows, where
from advmip.reporting.zhu.names import PROGRESSIVE

# Experiments by what they leave out, in the order in which the ingredients are used.
VARIANTS = {
    PROGRESSIVE: "nothing",
    "without_search": "the first attack",
    "without_ball": "the ball",
    "without_relaxation": "forms and linear programs",
    "without_restart": "the restart",
    "without_distance_cuts": "the distance cuts",
    "interval": "all of them",
}

_PHASES = ("bounds", "solver", "total")

COLUMNS = [
    *["network", "left_out", "images", "solved", "nodes", "seconds_bounds", "seconds_solver"],
    *["seconds_total", "times_the_whole"],
]


def ingredients(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Attacks in L1 by what is left out.

    Returns:
        The columns `COLUMNS`, one row for each network and variant that this scale runs: over the
        images that the variant and the whole have in common, the percentage solved, means, and
        the geometric mean of each image's time as a multiple of the whole's.
    """
    attacks = where(rows.frame("attacks"), {"distance_name": "l1"})
    records = []
    for network in sources["zhu"].networks:
        own = where(attacks, {"paper_network": network})
        if not set(own["experiment"]) & (set(VARIANTS) - {PROGRESSIVE}):
            continue
        whole = where(own, {"experiment": PROGRESSIVE}).set_index("rank")
        for experiment, left_out in VARIANTS.items():
            variant = where(own, {"experiment": experiment}).set_index("rank")
            common = variant.index.intersection(whole.index)
            if common.empty:
                continue
            variant = variant.loc[common]
            ratios = variant["seconds_total"] / whole.loc[common, "seconds_total"]
            means = ["solved", "nodes", "seconds_bounds", "seconds_solver", "seconds_total"]
            records.append(
                {
                    "network": network,
                    "left_out": left_out,
                    "images": len(common),
                    **variant[means].astype(float).mean(),
                    "times_the_whole": float(np.exp(np.log(ratios.astype(float)).mean())),
                }
            )
    return pd.DataFrame(records, columns=COLUMNS)


def printed(tidy: pd.DataFrame) -> PrintedTable:
    """The table, one line for each network and what is left out."""
    lines: list[list[Entry]] = []
    for network, part in tidy.groupby("network", sort=False):
        fastest = part["times_the_whole"].min()
        for _, row in part.iterrows():
            alone = row["left_out"] == VARIANTS[PROGRESSIVE]
            lines.append(
                [
                    Entry(str(network)),
                    Entry(row["left_out"]),
                    Entry(f"{row['images']:.0f}"),
                    Entry(f"{row['solved']:.0f}"),
                    Entry(f"{row['nodes']:.0f}"),
                    *(Entry(f"{row[f'seconds_{phase}']:.2f}") for phase in _PHASES),
                    Entry(
                        DASH if alone else f"{row['times_the_whole']:.2f}",
                        bold=not alone and bool(row["times_the_whole"] == fastest),
                    ),
                ]
            )
    return PrintedTable(
        title="Attacks in L1 with one ingredient left out",
        groups=[("", 5), ("Mean time (s)", 3), ("", 1)],
        columns=[
            *["Network", "Left out", "Images", "% solved", "Nodes"],
            *["Bounds", "Solver", "All"],
            "Times the whole",
        ],
        rows=without_repeats(lines),
        rules=rules_at(lines),
        notes=[
            "Times the whole: geometric mean over the images of the time, as a multiple of that "
            "with nothing left out; an attack that was stopped counts with its time limit."
        ],
        text_columns=2,
    )
