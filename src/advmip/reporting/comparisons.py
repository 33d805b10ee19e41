"""Published values beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from advmip.reporting.cells import NothingToAverageError, cell_of, mean_of
from advmip.reporting.judging import Cell, Verdict, judge, sampling_allowance
from advmip.reporting.obstacles import COLUMN_NAMES, left_out, refused, shown
from advmip.reporting.rows import MissingRowsError, Rows
from advmip.reporting.sources import Block, Source

PROTOCOLS = ("published", "described")

COMPARISON_COLUMNS = [
    *["source", "output", "block", "where", "network", "keys", "protocol", "quantity"],
    *["published", "ours", "lower", "upper", "further_lower", "further_upper", "seeds"],
    *["least", "most", "iterations", "decimals", "difference", "tolerance"],
    *["verdict", "reason", "machine"],
]


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
                match = {**block.selecting(keys), "protocol": protocol}
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


def unpublished(
    chosen: pd.DataFrame,
    source: str,
    decimals: Mapping[str, int | None],
    protocol: str = "published",
    **identity: str,
) -> pd.DataFrame:
    """Our values of what a source does not have, in the columns of a comparison.

    Args:
        chosen: The rows, which differ only by seed or image.
        source: The source's short name.
        decimals: Quantity to decimals; None where a printed table chooses them.
        protocol: "published" or "described".
        identity: Further columns that every value shares.

    Returns:
        One row per quantity, with the columns `COMPARISON_COLUMNS`; ours is empty where the
        quantity is so in all rows.
    """
    common = {"source": source, "protocol": protocol, **identity}
    records = []
    for quantity, digits in decimals.items():
        record: dict[str, Any] = {**common, "quantity": quantity, "decimals": digits}
        if chosen[quantity].notna().any():
            measured = mean_of(chosen, quantity)
            record |= {"ours": measured.mean, "lower": measured.lower, "upper": measured.upper}
            record["seeds"] = measured.seeds
        records.append(record)
    return pd.DataFrame(records).reindex(columns=COMPARISON_COLUMNS)


def _without_ours(published: float, verdict: Verdict, reason: str) -> dict[str, Any]:
    return {"published": published, "verdict": verdict.value, "reason": reason}


def _ours(cell: Cell) -> dict[str, Any]:
    measured = asdict(cell.measured)
    return {
        "ours": measured.pop("mean"),
        **measured,
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
