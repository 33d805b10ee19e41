"""The thesis's tables: one function each from tidy rows to a data frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from advmip.reporting.comparisons import compare_block, unpublished
from advmip.reporting.outputs import Sources, TableKind
from advmip.reporting.rows import Rows, where
from advmip.reporting.zhu import ablation, printing

PROGRESSIVE = "progressive"
NETWORKS = ("DNN1", "DNN2", "DNN3", "DNN4", "DNN5")
_LABELS = {
    "basic": "basic model",
    "long_basic": "basic model",
    "exact": "exact bounds",
    "weaker": "weaker bounds",
    "long_weaker": "weaker bounds",
    PROGRESSIVE: "ball around the image",
}


def networks(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Table 1, and the accuracies that the thesis gives beside it.

    Returns:
        The columns of `compare_block` and `hidden_layers`, one row for each network.
    """
    compared = compare_block(rows, sources["zhu"], sources["zhu"].blocks["accuracies"], "published")
    layers = rows.frame("networks").set_index("paper_network")["hidden_layers"]
    return compared.assign(hidden_layers=compared["network"].map(layers))


def by_model(
    blocks: Sequence[tuple[str, str]], ours: Sequence[str] = ()
) -> Callable[[Rows, Sources], pd.DataFrame]:
    """Tables 2 and 3: models beside each other.

    Args:
        blocks: Experiments and their blocks of published values, the first block that of attacks.
        ours: Experiments that the thesis does not have.

    Returns:
        A function from rows and sources to the columns of `compare_block` and `model`.
    """

    def rows_to_frame(rows: Rows, sources: Sources) -> pd.DataFrame:
        source = sources["zhu"]
        frames = []
        for experiment, name in blocks:
            compared = compare_block(rows, source, source.blocks[name], "published")
            frames.append(compared.assign(model=_LABELS[experiment]))
        quantities = source.blocks[blocks[0][1]].quantities
        for experiment in ours:
            match = {"experiment": experiment, "distance_name": "l1"}
            for network in NETWORKS:
                frame = _unpublished(rows, match | {"paper_network": network}, quantities)
                frames.append(frame.assign(model=_LABELS[experiment], network=network))
        return pd.concat(frames, ignore_index=True)

    return rows_to_frame


def by_distance(*blocks: str) -> Callable[[Rows, Sources], pd.DataFrame]:
    """Tables 4 to 6: distances, or numbers of breakpoints, beside each other.

    Args:
        blocks: The blocks of published values.

    Returns:
        A function from rows and sources to the columns of `compare_block`, and one row more for
        each L2 distance: the mean Euclidean length, and the mean of the minimised distance.
    """

    def rows_to_frame(rows: Rows, sources: Sources) -> pd.DataFrame:
        source = sources["zhu"]
        frames = []
        for name in blocks:
            compared = compare_block(rows, source, source.blocks[name], "published")
            frames.append(compared)
            if "total_change" in source.blocks[name].quantities:
                pairs = compared[["network", "distance_name"]].drop_duplicates()
                for network, distance in pairs.itertuples(index=False, name=None):
                    match = {
                        "experiment": PROGRESSIVE,
                        "paper_network": network,
                        "distance_name": distance,
                    }
                    more = _unpublished(rows, match, {"objective": 3, "euclidean": 3})
                    frames.append(more.assign(network=network, distance_name=distance))
        return pd.concat(frames, ignore_index=True)

    return rows_to_frame


def _unpublished(
    rows: Rows, match: Mapping[str, Any], decimals: Mapping[str, int | None]
) -> pd.DataFrame:
    chosen = where(rows.frame("attacks"), match)
    return unpublished(chosen, {"source": "zhu", "protocol": "published"}, decimals)


TABLES: dict[str, TableKind] = {
    "zhu_table1": TableKind(networks, printing.networks),
    "zhu_table2": TableKind(
        by_model(
            [
                ("basic", "basic"),
                ("exact", "exact"),
                ("exact", "exact_preprocessing"),
                ("weaker", "weaker"),
                ("weaker", "weaker_preprocessing"),
            ],
            ours=[PROGRESSIVE],
        ),
        printing.by_model("Attacks in L1 by model"),
    ),
    "zhu_table3": TableKind(
        by_model([("long_basic", "long_basic"), ("long_weaker", "long_weaker")]),
        printing.by_model("Attacks in L1 by model, with more time and a gap of 1 %"),
    ),
    "zhu_table4": TableKind(by_distance("l0_l1"), printing.by_distance("Attacks in L0 and L1")),
    "zhu_table5": TableKind(
        by_distance("l2", "linf"),
        printing.by_distance("Attacks in L2 with 5 breakpoints, and in L-infinity"),
    ),
    "zhu_table6": TableKind(
        by_distance("breakpoints"), printing.by_distance("Attacks in L2 by number of breakpoints")
    ),
    "zhu_extension1": TableKind(ablation.ingredients, ablation.printed),
}
