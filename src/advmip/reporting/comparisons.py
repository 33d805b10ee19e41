"""Published values beside ours: which rows answer to which value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from advmip.reporting.ben_mhenni.instances import INSTANCES
from advmip.reporting.intervals import Measured, measure, measure_share
from advmip.reporting.judging import Cell, Verdict, judge, sampling_allowance
from advmip.reporting.limits import ends_under
from advmip.reporting.obstacles import COLUMN_NAMES, left_out, obstacle_of, refused, shown
from advmip.reporting.rows import MissingRowsError, Rows
from advmip.reporting.sources import Block, Source

PROTOCOLS = ("published", "described")

COMPARISON_COLUMNS = [
    *["source", "output", "block", "where", "network", "keys", "protocol", "quantity"],
    *["published", "ours", "lower", "upper", "further_lower", "further_upper", "seeds"],
    *["least", "most", "iterations", "decimals", "difference", "tolerance"],
    *["verdict", "reason", "machine"],
]

# What means are taken over, where it is not seeds.
_REPEATED = {
    "attacks": "images",
    "perturbations": "images",
    "neurons": "neurons",
    "verifications": "images",
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


def compare_block(rows: Rows, source: Source, block: Block, protocol: str) -> pd.DataFrame:
    """Every value of a block beside ours.

    Published values belong to the protocol "published"; under another protocol the columns
    `published`, `difference`, `tolerance` and `verdict` stay empty.

    Args:
        rows: The rows of the source.
        source: The source that the block belongs to.
        block: The published values.
        protocol: "published" or "described".

    Returns:
        One row per value and quantity, with the columns `COMPARISON_COLUMNS` and one more for
        every key of the block. `least` and `most` are what a shorter time limit than the source's
        leaves open of ours. Where this scale leaves a value out on purpose, our side is empty and
        the verdict is "not run at this scale".

    Raises:
        MissingRowsError: Rows that this scale ought to have are not there.
    """
    records = []
    for keys, numbers in block.values:
        for quantity, published in numbers.items():
            network = str(keys.get("paper_network", block.match.get("paper_network", "")))
            record: dict[str, Any] = {
                "source": source.name,
                "output": block.output,
                "block": block.name,
                "where": block.where,
                "network": network,
                "keys": ", ".join(
                    f"{COLUMN_NAMES.get(name, name)} = {shown(value)}"
                    for name, value in keys.items()
                    if name != "paper_network"
                ),
                **keys,
                "protocol": protocol,
                "quantity": quantity,
                "decimals": block.quantities[quantity],
            }
            try:
                cell = cell_of(rows, source, block, keys, quantity, protocol)
            except NothingToAverageError as nothing:
                record |= _without_ours(published, Verdict.UNRESOLVED, str(nothing))
            except MissingRowsError:
                match = {**block.match, **keys, "protocol": protocol}
                refusal = rows.refusal(block.rows, match)
                if refusal is None and rows.expects(match):
                    raise
                reason = left_out() if refusal is None else refused(refusal)
                if protocol == "published":
                    record |= _without_ours(published, reason.verdict, str(reason))
                else:
                    record["reason"] = str(reason)
            else:
                record |= _ours(cell)
                if protocol == "published":
                    record |= _judged(rows, source, block, keys, quantity, cell)
            records.append(record)
    return pd.DataFrame(records).reindex(columns=[*COMPARISON_COLUMNS, *block.keys])


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
    match = {**block.match, **keys, "protocol": protocol}
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
    least, most = ends_under(chosen, quantity, block.time_limit)
    if chosen[quantity].isna().all():
        if block.rows in _NOTHING_TO_AVERAGE:
            raise NothingToAverageError(_NOTHING_TO_AVERAGE[block.rows])
        raise MissingRowsError(block.rows, {**match, quantity: "a number"}, rows.folder)
    accuracy = quantity.endswith("_accuracy")
    ends = [_mean_of(chosen.assign(**{quantity: end}), quantity) for end in (least, most)]
    return Cell(
        measured=_mean_of(chosen, quantity),
        least=ends[0],
        most=ends[1],
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
    known = chosen[chosen[quantity].notna()]
    per_seed: pd.Series[float] = known.groupby("seed")[quantity].first().astype(float)
    return per_seed


def unpublished(
    chosen: pd.DataFrame, identity: Mapping[str, Any], decimals: Mapping[str, int | None]
) -> pd.DataFrame:
    """Our values of what a source does not have, in the columns of a comparison.

    Args:
        chosen: The rows, which differ only by seed or image.
        identity: Columns that every value shares.
        decimals: Quantity to decimals; None where a printed table chooses them.

    Returns:
        One row per quantity, with the columns `COMPARISON_COLUMNS`; ours is empty where the
        quantity is so in all rows.
    """
    records = []
    for quantity, digits in decimals.items():
        record: dict[str, Any] = {**identity, "quantity": quantity, "decimals": digits}
        if chosen[quantity].notna().any():
            measured = _mean_of(chosen, quantity)
            record |= {"ours": measured.mean, "lower": measured.lower, "upper": measured.upper}
            record["seeds"] = measured.seeds
        records.append(record)
    return pd.DataFrame(records).reindex(columns=COMPARISON_COLUMNS)


def _without_ours(published: float, verdict: Verdict, reason: str) -> dict[str, Any]:
    return {"published": published, "verdict": verdict.value, "reason": reason}


def _mean_of(chosen: pd.DataFrame, quantity: str) -> Measured:
    """The mean of a quantity over seeds or images, with the interval that suits it."""
    values = one_per_seed(chosen, quantity).to_numpy()
    if quantity in _WHOLE:
        return measure_share(values, _WHOLE[quantity])
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
    return " and ".join(dict.fromkeys(named))


def _ours(cell: Cell) -> dict[str, Any]:
    measured = cell.measured
    return {
        "ours": measured.mean,
        "lower": measured.lower,
        "upper": measured.upper,
        "further_lower": measured.further_lower,
        "further_upper": measured.further_upper,
        "seeds": measured.seeds,
        "least": cell.least.mean,
        "most": cell.most.mean,
        "iterations": cell.iterations,
        "machine": cell.machine,
    }


def _judged(
    rows: Rows,
    source: Source,
    block: Block,
    keys: dict[str, Any],
    quantity: str,
    cell: Cell,
) -> dict[str, Any]:
    published = block.published(keys, quantity)
    tolerance = block.tolerances[quantity]
    reference = _reference(rows, source, block, keys, quantity)
    full_set = source.networks[str(keys.get("paper_network", block.match.get("paper_network")))]
    allowance = sampling_allowance(published, cell.test_images, full_set.test_images)
    better = block.better.get(quantity)
    verdict, reason = judge(published, cell, tolerance, allowance, reference, better)
    return {
        "published": published,
        "difference": cell.measured.mean - published,
        "tolerance": f"x {tolerance.amount:g}"
        if tolerance.is_factor
        else f"{tolerance.amount + allowance:.4g}",
        "verdict": verdict.value,
        "reason": reason,
    }


def _reference(
    rows: Rows, source: Source, block: Block, keys: dict[str, Any], quantity: str
) -> tuple[float, float] | None:
    """The published value from which this one departs, and ours."""
    if block.is_change:
        return 0.0, 0.0
    if block.relative_to is not None and keys != block.relative_to:
        origin, origin_keys = block, block.relative_to
    elif block.baseline is not None:
        origin, origin_keys = source.blocks[block.baseline], {}
    else:
        return None
    ours = cell_of(rows, source, origin, origin_keys, quantity, "published").measured.mean
    return origin.published(origin_keys, quantity), ours
