"""Our side of a published value: which rows answer to it, and their mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from advmip.reporting.ben_mhenni.instances import INSTANCES
from advmip.reporting.formats import AND
from advmip.reporting.intervals import Measured, measure, measure_share
from advmip.reporting.judging import Cell
from advmip.reporting.limits import ends_under
from advmip.reporting.obstacles import obstacle_of
from advmip.reporting.rows import MissingRowsError, Rows
from advmip.reporting.sources import Block, Source

# What means are taken over, where it is not seeds.
_REPEATED = {
    "attacks": "images",
    "perturbations": "images",
    "neurons": "neurons",
    "verifications": "images",
    "answers": "instances",
}

# Quantities that a row has whole or not at all.
_WHOLE = {
    **dict.fromkeys(["solved", "at_limit", "within_a_second"], 100.0),
    "unfinished": float(INSTANCES),
}

_NO_ATTACK = "no attack was found within the time limit"

# Kinds of rows that may leave a quantity empty in all of them, and why.
_NOTHING_TO_AVERAGE = {
    "attacks": _NO_ATTACK,
    "perturbations": _NO_ATTACK,
    "verifications": "no image is classified correctly",
}


class NothingToAverageError(Exception):
    """None of the rows that a value is a mean of has a number; the message says why."""


def cell_of(
    rows: Rows,
    source: Source,
    block: Block,
    keys: Mapping[str, Any],
    quantity: str,
    protocol: str,
) -> Cell:
    """Our value that answers to a published one.

    Args:
        rows: The rows of the source.
        source: The source that the block belongs to.
        block: The block of the published value.
        keys: Its keys; the iteration "last" is the last that was run.
        quantity: Its column.
        protocol: "published" or "described".

    Raises:
        MissingRowsError: There is no such row, or the quantity is empty in all of them.
        NothingToAverageError: It is empty for a reason, as where no attack found anything.
    """
    match = {**block.selecting(keys), "protocol": protocol}
    network, count = match.get("paper_network", ""), match.get("adversarial_count")
    if block.instead and rows.planned(network, protocol, count, block.instead):
        match["experiment"] = block.instead
    is_last = match.get("iteration") == "last"
    if is_last:
        del match["iteration"]
    chosen = rows.select(block.rows, match)
    lengths = chosen["iterations"] if "iterations" in chosen.columns else pd.Series(dtype=float)
    if is_last:
        chosen = chosen[chosen["iteration"] == lengths]
    if chosen[quantity].isna().all():
        if block.rows in _NOTHING_TO_AVERAGE:
            raise NothingToAverageError(_NOTHING_TO_AVERAGE[block.rows])
        raise MissingRowsError(block.rows, {**match, quantity: "a number"}, rows.folder)
    accuracy = quantity.endswith("_accuracy")
    measured = least = most = mean_of(chosen, quantity)
    limit = block.time_limit
    if limit is not None:
        limits = chosen[limit] if isinstance(limit, str) else limit
        ends = ends_under(chosen, quantity, limits)
        least, most = (mean_of(chosen.assign(**{quantity: end}), quantity) for end in ends)
    return Cell(
        measured=measured,
        least=least,
        most=most,
        test_images=int(chosen["test_images"].min()) if accuracy else 0,
        iterations=float(lengths.max()),
        obstacle=obstacle_of(rows, chosen, source, block, quantity),
        repeated=_REPEATED.get(block.rows, "seeds"),
        machine=_machine(chosen),
    )


def one_per_seed(chosen: pd.DataFrame, quantity: str) -> pd.Series[float]:
    """The one value of a quantity for each seed.

    The same run may stand in the rows of two experiments; then the first is taken.

    Args:
        chosen: Rows that differ only by seed (and experiment).
        quantity: A column of numbers.
    """
    known = chosen[quantity].notna().to_numpy()
    values = chosen[quantity].to_numpy()[known].astype(float)
    per_seed = pd.Series(values, pd.Index(chosen["seed"].to_numpy()[known], name="seed"))
    return per_seed[~per_seed.index.duplicated()].sort_index()


def mean_of(chosen: pd.DataFrame, quantity: str) -> Measured:
    """The mean of a quantity over seeds or images, with the interval that suits it."""
    values = one_per_seed(chosen, quantity).to_numpy()
    if quantity in _WHOLE:
        population = int(chosen["population"].iloc[0]) if "population" in chosen.columns else None
        return measure_share(values, _WHOLE[quantity], population)
    return measure(values)


def _machine(chosen: pd.DataFrame) -> str:
    """The processors and threads behind rows, in words."""
    if "provenance" not in chosen.columns:
        return ""
    origins = [json.loads(text) for text in chosen["provenance"].dropna().unique()]
    named = [
        f"{origin['processor']}, {origin['threads']} thread{'s' * (origin['threads'] != 1)}"
        for origin in origins
    ]
    return AND.join(dict.fromkeys(named))
