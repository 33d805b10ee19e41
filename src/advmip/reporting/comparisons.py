"""Published values beside ours, and how each of them is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from advmip.errors import InputError
from advmip.reporting.intervals import Measured, measure
from advmip.reporting.plan import Plan
from advmip.reporting.rows import MissingRowsError, Rows, where
from advmip.reporting.sources import Block, Source, Tolerance


class Verdict(StrEnum):
    """What can be said of a published value or a claim."""

    REPRODUCED = "reproduced"
    DIRECTION = "direction holds"
    CONTRADICTED = "contradicted"
    NOT_COMPARABLE = "not comparable at this scale"
    UNRESOLVED = "unresolved"


PROTOCOLS = ("published", "described")

COMPARISON_COLUMNS = [
    *["source", "output", "block", "where", "network", "keys", "protocol", "quantity"],
    *["published", "ours", "lower", "upper", "further_lower", "further_upper", "seeds"],
    *["iterations", "decimals", "difference", "tolerance", "verdict", "reason"],
]

_KEY_NAMES = {
    "adversarial_count": "|X_adv|",
    "omega": "ω",
    "iteration": "k",
    "trained_on": "trained on",
    "examples_added": "examples added",
    "variant": "verifier",
}

_STANDARD_ERRORS = 2.0
# What means are taken over, where it is not seeds.
_REPEATED = {
    "attacks": "images",
    "perturbations": "images",
    "neurons": "neurons",
    "verifications": "images",
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


@dataclass(frozen=True)
class Cell:
    """Our side of one published value.

    Attributes:
        measured: Mean over the seeds and its interval.
        test_images: The smallest number of test images behind it; 0 where none are involved.
        iterations: Iterations of the run behind it; NaN where there is none.
        obstacle: Why it cannot be compared with the published value; empty if it can.
        repeated: What the mean is taken over.
    """

    measured: Measured
    test_images: int
    iterations: float
    obstacle: str
    repeated: str = "seeds"


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
        every key of the block. Where this scale leaves a value out on purpose, our side is empty
        and the verdict is "not comparable at this scale".

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
                    f"{_KEY_NAMES.get(name, name)} = {_key(value)}"
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
                record |= _unresolved(published, str(nothing))
            except MissingRowsError:
                match = {**block.match, **keys, "protocol": protocol}
                refusal = rows.refusal(block.rows, match)
                if refusal is None and rows.expects(match):
                    raise
                record |= _left_out(published, protocol, refusal or "not run at this scale")
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
    if chosen[quantity].isna().all():
        if block.rows in _NOTHING_TO_AVERAGE:
            raise NothingToAverageError(_NOTHING_TO_AVERAGE[block.rows])
        raise MissingRowsError(block.rows, {**match, quantity: "a number"}, rows.folder)
    accuracy = quantity.endswith("_accuracy")
    return Cell(
        measured=measure(one_per_seed(chosen, quantity).to_numpy()),
        test_images=int(chosen["test_images"].min()) if accuracy else 0,
        iterations=float(lengths.max()),
        obstacle=_obstacle(rows, chosen, source, block, quantity),
        repeated=_REPEATED.get(block.rows, "seeds"),
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
            measured = measure(one_per_seed(chosen, quantity).to_numpy())
            record |= {"ours": measured.mean, "lower": measured.lower, "upper": measured.upper}
            record["seeds"] = measured.seeds
        records.append(record)
    return pd.DataFrame(records).reindex(columns=COMPARISON_COLUMNS)


def is_paper_network(frame: pd.DataFrame, source: Source) -> bool:
    """Whether all rows come from the paper's own architecture and data set."""
    found = frame[["paper_network", "network", "dataset"]].drop_duplicates()
    expected = {
        (name, network.architecture, network.dataset) for name, network in source.networks.items()
    }
    return set(found.itertuples(index=False, name=None)) <= expected


def _left_out(published: float, protocol: str, reason: str) -> dict[str, Any]:
    if protocol != "published":
        return {"reason": reason}
    return {
        "published": published,
        "verdict": Verdict.NOT_COMPARABLE.value,
        "reason": reason,
    }


def _unresolved(published: float, reason: str) -> dict[str, Any]:
    return {
        "published": published,
        "verdict": Verdict.UNRESOLVED.value,
        "reason": reason,
    }


def _ours(cell: Cell) -> dict[str, Any]:
    measured = cell.measured
    return {
        "ours": measured.mean,
        "lower": measured.lower,
        "upper": measured.upper,
        "further_lower": measured.further_lower,
        "further_upper": measured.further_upper,
        "seeds": measured.seeds,
        "iterations": cell.iterations,
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
    verdict, reason = judge(published, cell, tolerance, allowance, reference)
    return {
        "published": published,
        "difference": cell.measured.mean - published,
        "tolerance": f"x {tolerance.amount:g}"
        if tolerance.is_factor
        else f"{tolerance.amount + allowance:.4g}",
        "verdict": verdict.value,
        "reason": reason,
    }


def judge(
    published: float,
    cell: Cell,
    tolerance: Tolerance,
    allowance: float,
    reference: tuple[float, float] | None,
) -> tuple[Verdict, str]:
    """The verdict on one published value.

    Reproduced: within the tolerance, or inside our interval over the seeds. Direction holds: not
    so, but the change from a reference has the published sign. Times are compared with another
    machine's, so a time without a reference is not comparable rather than contradicted.

    Args:
        published: The published value.
        cell: Our side.
        tolerance: How close is close enough.
        allowance: What to add to the tolerance because fewer test images were used than published.
        reference: The published value and ours from which a change is measured, if there is one.

    Returns:
        The verdict, and why, in a few words.
    """
    ours = cell.measured.mean
    if cell.obstacle:
        return Verdict.NOT_COMPARABLE, cell.obstacle
    if tolerance.admits(ours, published, allowance):
        return Verdict.REPRODUCED, f"within tolerance: {tolerance.reason}"
    if cell.measured.holds(published):
        count = f"{cell.measured.seeds} {cell.repeated}"
        return Verdict.REPRODUCED, f"inside the 95 % interval over {count}"
    if reference is not None:
        published_change, our_change = published - reference[0], ours - reference[1]
        if tolerance.is_factor:
            same = np.sign(published_change) == np.sign(our_change)
        else:
            small = tolerance.amount + allowance
            same = _sign(published_change, small) == _sign(our_change, small)
        if same:
            return Verdict.DIRECTION, _compared(ours, published, tolerance)
    elif tolerance.is_factor:
        return (
            Verdict.NOT_COMPARABLE,
            f"another machine and solver: {_compared(ours, published, tolerance)}",
        )
    return Verdict.CONTRADICTED, _compared(ours, published, tolerance)


def sampling_allowance(published: float, test_images: int, full_test_set: int) -> float:
    """Two standard errors of an accuracy over a part of the test set, in percentage points.

    Args:
        published: Accuracy in percent over the full test set.
        test_images: Number of test images of ours, a subset; 0 where none are involved.
        full_test_set: Number of test images behind the published accuracy.
    """
    if not 0 < test_images < full_test_set:
        return 0.0
    variance = published * (100.0 - published) / test_images * (1.0 - test_images / full_test_set)
    return _STANDARD_ERRORS * float(np.sqrt(max(variance, 0.0)))


def two_digits(number: float) -> str:
    """A number to two digits that count, or to a whole one; never with an exponent from 100 on."""
    return f"{number:.2g}" if abs(number) < 99.5 else f"{number:,.0f}"


def _compared(ours: float, published: float, tolerance: Tolerance) -> str:
    if tolerance.is_factor:
        return f"{two_digits(ours / published)} times the published time"
    return f"off by {ours - published:+.4g}"


def _sign(change: float, small: float) -> int:
    return 0 if abs(change) <= small else int(np.sign(change))


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


def _obstacle(rows: Rows, chosen: pd.DataFrame, source: Source, block: Block, quantity: str) -> str:
    """Why these rows cannot be compared with the source's, or nothing."""
    first = chosen.iloc[0]
    if block.obstacle:
        return block.obstacle
    if not is_paper_network(chosen, source):
        return f"{first['network']} on {first['dataset']} stands in for {first['paper_network']}"
    for column, expected in block.comparable.items():
        others = chosen[~chosen.index.isin(where(chosen, {column: expected}).index)]
        if len(others):
            found = _key(others.iloc[0][column])
            return f"{_KEY_NAMES.get(column, column)}: {found} instead of {_key(expected)}"
    return "" if rows.plan is None else _planned_obstacle(rows.plan, first, block, quantity)


def _planned_obstacle(plan: Plan, row: pd.Series[Any], block: Block, quantity: str) -> str:
    """What the scale does otherwise than the source, though its rows do not say so."""
    network = row["paper_network"]
    if network not in plan.training_images:
        return ""  # the thesis's networks are trained anew at every scale
    if block.epochs is not None:
        epochs = plan.retraining_epochs[network]
        return f"{epochs} epochs instead of {block.epochs}" if epochs != block.epochs else ""
    is_time = block.tolerances[quantity].is_factor
    if not plan.released_weights and not is_time:
        return "weights trained anew instead of the released ones"
    images = plan.training_images[network]
    if images is not None and (block.comparable or is_time or quantity == "training_loss"):
        return f"{images} training images instead of all"
    return ""


def _key(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, list):
        return " or ".join(map(_key, value))
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def find_block(source: Source, name: str) -> Block:
    """A block by name.

    Raises:
        InputError: The source has no such block.
    """
    if name not in source.blocks:
        raise InputError(
            subject=f"block {name!r} of source {source.name}",
            found="none of that name",
            expected=f"one of {', '.join(source.blocks)}",
            mend="correct the name in workflow/papers",
        )
    return source.blocks[name]
