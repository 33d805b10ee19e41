"""Extension 5: images that a published network gets wrong, made right with a ball around each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from advmip.experiments.zhao_kronqvist.certified_instances import INITIAL, REPAIRS
from advmip.reporting.entries import rules_at, without_repeats
from advmip.reporting.formats import Entry, PrintedTable
from advmip.reporting.outputs import Sources
from advmip.reporting.rows import Rows, where
from advmip.reporting.zhao_kronqvist.method_means import (
    Decimals,
    method_means,
    number,
    over_seeds,
)
from advmip.reporting.zhao_kronqvist.names import CERTIFIED_METHODS, TASKS

KEYS = ["paper_network", "task", "epsilon", "training_images", "method"]
# Where the network as it is stands: what accuracy is lost from.
START = KEYS[:3]

_QUANTITIES: Decimals = {
    "training_right": 0,
    "training_proved": 0,
    "others_right": 1,
    "clean_accuracy": 2,
    "accuracy_lost": 2,
    "distance": 2,
    "seconds_total": None,
}
_BEST = ("training_proved", "others_right")


def repairs(rows: Rows) -> pd.DataFrame:
    """The rows of repairs, with `accuracy_lost`, the points of clean accuracy that each costs."""
    found = where(rows.frame("robustness"), {"experiment": REPAIRS})
    start = where(found, {"method": INITIAL}).set_index(START)["clean_accuracy"]
    before = start.reindex(pd.MultiIndex.from_frame(found[START])).to_numpy()
    return found.assign(accuracy_lost=before - found["clean_accuracy"])


def repaired(rows: Rows, sources: Sources) -> pd.DataFrame:
    """What each way to repair a network does to images and weights.

    Returns:
        A row for each network, task, radius, number of images and method, the network as it is with
        none of them: `seeds`, `other_images` (the fewest that any seed has), each quantity's mean
        over the seeds, and `stopped`, how the runs ended. Shares are in percent.
    """
    found = repairs(rows)
    tidy = method_means(found, KEYS, _QUANTITIES, others=["other_images"])
    ended = found.groupby(KEYS)["stopped"].agg(lambda each: ", ".join(sorted(set(each.dropna()))))
    return tidy.join(ended, on=KEYS)


def printed(tidy: pd.DataFrame) -> PrintedTable:
    """Extension 5 as printed: of the same images what is proved, and comes right, most in bold."""
    lines = [_line(row, tidy) for _, row in tidy.iterrows()]
    return PrintedTable(
        title="Images that a network gets wrong, made right with a ball around each",
        groups=[("", 4), ("Chosen (%)", 2), ("Others (%)", 1), ("Clean (%)", 2), ("", 3)],
        columns=[
            *["Network", "ε", "Images", "Method", "right", "balls proved", "right"],
            *["accuracy", "lost", "moved by", "ended", "seconds"],
        ],
        rows=without_repeats(lines, 3),
        rules=rules_at(lines, 3),
        notes=_notes(tidy),
        text_columns=4,
    )


def _line(row: pd.Series[Any], tidy: pd.DataFrame) -> list[Entry]:
    same = tidy[(tidy[KEYS[:4]] == row[KEYS[:4]]).all(axis=1)]
    count, task = int(row["training_images"]), TASKS[row["task"]]
    entries = [
        Entry(row["paper_network"]),
        Entry(f"{row['epsilon']:g}"),
        Entry(f"{count} {task}" if count else task),
        Entry(CERTIFIED_METHODS[row["method"]]),
    ]
    # Of the network as it is, none of these are right, by choice.
    blank = ("training_right", "training_proved", "others_right", "accuracy_lost", "distance")
    for quantity in _QUANTITIES:
        if not count and quantity in blank:
            entries.append(Entry(""))
            continue
        best = quantity in _BEST and count > 0 and row[quantity] == same[quantity].max()
        entries.append(Entry(number(row, quantity, _QUANTITIES), bold=best))
    entries.insert(-1, Entry(row["stopped"] if isinstance(row["stopped"], str) else ""))
    return entries


def _notes(tidy: pd.DataFrame) -> Sequence[str]:
    least, most = (getattr(tidy["other_images"], end)() for end in ("min", "max"))
    others = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    return [
        f"Training images that the network gets wrong, as they are or in fog; others: {others} of "
        f"the same kind that were not chosen. Accuracy is over all test images; "
        f"{over_seeds(tidy, '')}. A ball is proved by the verifier, within a limit of time, "
        "whatever made its image right.",
        "Descent stops as soon as all images are right; training on linear bounds lasts as long as "
        "the cuts of certificates. The programs of the last layer ask for the margin at images "
        "that cuts of certificates ask for all over balls.",
    ]
