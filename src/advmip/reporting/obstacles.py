"""Why some rows cannot be compared with a source's values, and how often."""

from __future__ import annotations

from typing import Any

import pandas as pd

from advmip.reporting.judging import Obstacle, Verdict
from advmip.reporting.plan import Plan
from advmip.reporting.rows import Rows, where
from advmip.reporting.sources import Block, Source

OTHER_DATA = "other data"

COLUMN_NAMES = {
    "adversarial_count": "|X_adv|",
    "omega": "ω",
    "iteration": "k",
    "trained_on": "trained on",
    "examples_added": "examples added",
    "variant": "verifier",
}


def left_out() -> Obstacle:
    """A scale leaves these runs out."""
    return Obstacle("left out", verdict=Verdict.NOT_RUN)


def refused(reason: str) -> Obstacle:
    """The solver does not take the model, or its licence does not."""
    return Obstacle("the solver or its licence does not take the model", reason)


def obstacle_of(
    rows: Rows, chosen: pd.DataFrame, source: Source, block: Block, quantity: str
) -> Obstacle | None:
    """What stands between rows and the published values; None if nothing does.

    Args:
        rows: The rows of the source.
        chosen: Those of one value.
        source: The source.
        block: The published values.
        quantity: The column that is compared.
    """
    if block.obstacle:
        kind, _, detail = block.obstacle.partition(": ")
        return Obstacle(kind, detail)
    found = stand_in(chosen, source)
    if found is not None:
        return found
    for column, expected in block.comparable.items():
        others = chosen[~chosen.index.isin(where(chosen, {column: expected}).index)]
        if len(others):
            name = COLUMN_NAMES.get(column, column)
            return _less(name, shown(others.iloc[0][column]), shown(expected))
    return _planned(rows.plan, chosen.iloc[0], block, quantity) if rows.plan is not None else None


def stand_in(frame: pd.DataFrame, source: Source) -> Obstacle | None:
    """What another data set or network in place of the source's makes impossible to compare.

    Args:
        frame: Any rows with names of networks and data sets, possibly none.
        source: The source.
    """
    columns = ["paper_network", "network", "dataset"]
    for name, network, dataset in frame[columns].drop_duplicates().itertuples(False, None):
        known = source.networks.get(name)
        if known is None or dataset != known.dataset:
            return Obstacle(OTHER_DATA, f"{network} on {dataset} stands in for {name}")
        if known.architecture is None:
            return Obstacle("network not published", f"{network} stands in for {name}")
        if network != known.architecture:
            return Obstacle("other network", f"{network} stands in for {name}")
    return None


def count_obstacles(verdicts: pd.DataFrame) -> pd.DataFrame:
    """How many verdicts each kind of obstacle takes.

    Args:
        verdicts: Rows with the columns `source`, `verdict` and `reason`.

    Returns:
        The columns `verdict`, `kind`, `source`, and `count`, those of one verdict together.
    """
    obstructed = [verdict.value for verdict in (Verdict.NOT_COMPARABLE, Verdict.NOT_RUN)]
    chosen = verdicts[verdicts["verdict"].isin(obstructed)]
    kinds = chosen.assign(kind=chosen["reason"].astype(str).str.split(": ").str[0])
    counted = kinds.groupby(["verdict", "kind", "source"], sort=False).size()
    return counted.rename("count").reset_index().sort_values("verdict", kind="stable")


def shown(value: Any) -> str:
    """A key or a setting, as it is written in words."""
    if value is None:
        return "none"
    if isinstance(value, list):
        return " or ".join(map(shown, value))
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _planned(plan: Plan, row: pd.Series[Any], block: Block, quantity: str) -> Obstacle | None:
    """What the scale does otherwise than the source, though its rows do not say so."""
    network = row["paper_network"]
    if network not in plan.training_images:
        return None  # the thesis's networks are trained anew at every scale
    if block.epochs is not None:
        epochs = plan.retraining_epochs[network]
        return _less("epochs", f"{epochs}", f"{block.epochs}") if epochs != block.epochs else None
    is_cost = quantity in block.better
    if not plan.released_weights and not is_cost:
        return Obstacle("other weights", "trained anew instead of the released ones")
    images = plan.training_images[network]
    if images is not None and (block.comparable or is_cost or quantity == "training_loss"):
        return _less("training images", f"{images}", "all")
    return None


def _less(what: str, ours: str, published: str) -> Obstacle:
    return Obstacle(f"with as many {what}", f"{ours} instead of {published}", Verdict.NOT_RUN)
