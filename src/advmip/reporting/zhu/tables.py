"""The thesis's tables: one function each from tidy rows to a data frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from advmip.reporting.comparisons import compare_block, unpublished
from advmip.reporting.outputs import Sources, TableKind
from advmip.reporting.rows import Rows, where
from advmip.reporting.sources import Block, Source
from advmip.reporting.zhu import ablation, printing
from advmip.reporting.zhu.names import CONTROL, MODELS, PROGRESSIVE

NETWORKS = ("DNN1", "DNN2", "DNN3", "DNN4", "DNN5")


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
            frames.append(compared.assign(model=MODELS[experiment]))
        quantities = source.blocks[blocks[0][1]].quantities
        for experiment in ours:
            match = {"experiment": experiment, "distance_name": "l1"}
            for network in NETWORKS:
                own = where(rows.frame("attacks"), match | {"paper_network": network})
                frame = unpublished(own, "zhu", quantities)
                frames.append(frame.assign(model=MODELS[experiment], network=network))
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
                    own = where(rows.frame("attacks"), match)
                    more = unpublished(own, "zhu", {"objective": 3, "euclidean": 3})
                    frames.append(more.assign(network=network, distance_name=distance))
        return pd.concat(frames, ignore_index=True)

    return rows_to_frame


def by_training(*stems: str) -> Callable[[Rows, Sources], pd.DataFrame]:
    """Tables 7 and 8: networks trained anew on adversarial examples, beside the first one.

    Args:
        stems: Beginnings of the names of the blocks of published values, each a column.

    Returns:
        A function from rows and sources to the columns of `compare_block` and `distance_name`
        (empty for the test images themselves). One network is ours: the control, trained anew
        without examples; and one quantity, the change of the distance, where the published
        objective is no distance.
    """

    def rows_to_frame(rows: Rows, sources: Sources) -> pd.DataFrame:
        source = sources["zhu"]
        blocks = [block for name, block in source.blocks.items() if name.startswith(stems)]
        columns = [_of_retrained(rows, source, block) for block in blocks]
        return pd.concat(columns, ignore_index=True)

    return rows_to_frame


def _of_retrained(rows: Rows, source: Source, block: Block) -> pd.DataFrame:
    """A block of published values on retrained networks, and what we have beside them."""
    ours: dict[str, dict[str, int]] = {CONTROL: block.quantities}
    if "total_change" in block.quantities:
        more = {"distance_change": 2}
        ours = {keys["trained_on"]: more for keys, _ in block.values}
        ours[CONTROL] = block.quantities | more
    frames = [compare_block(rows, source, block, "published")]
    for trained_on, quantities in ours.items():
        own = where(rows.frame(block.rows), block.match | {"trained_on": trained_on})
        frame = unpublished(own, source.name, quantities)
        network = block.match["paper_network"]
        frames.append(frame.assign(trained_on=trained_on, network=network))
    return pd.concat(frames, ignore_index=True).assign(distance_name=block.match["distance_name"])


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
    "zhu_table7": TableKind(by_training("accuracy_on_"), printing.accuracies),
    "zhu_table8": TableKind(by_training("objective_", "change_"), printing.robustness),
    "zhu_extension1": TableKind(ablation.ingredients, ablation.printed),
}
