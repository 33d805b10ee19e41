"""Extension 4: networks made robust at a few training images, and what is proved of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from advmip.experiments.zhao_kronqvist.certified_instances import EXPERIMENT
from advmip.reporting.cells import one_per_seed
from advmip.reporting.entries import rules_at, without_repeats
from advmip.reporting.formats import Entry, PrintedTable
from advmip.reporting.intervals import measure
from advmip.reporting.judging import two_digits
from advmip.reporting.outputs import Sources
from advmip.reporting.rows import Rows, where
from advmip.reporting.zhao_kronqvist.names import CERTIFIED_METHODS, NETWORKS

# By quantity the decimals that are printed; None for two digits that count.
_SHARES = {
    "training_proved": 0,
    "proved": 1,
    "linear": 1,
    "pgd_accuracy": 1,
    "clean_accuracy": 2,
}
_CHANGE = {"distance": 2, "iterations": 0, "points": 0}
_SECONDS = {
    "seconds_separation": None,
    "seconds_gradient": None,
    "seconds_projection": None,
    "seconds_total": None,
}
_QUANTITIES: dict[str, int | None] = {**_SHARES, **_CHANGE, **_SECONDS}
_KEYS = ["paper_network", "epsilon", "training_images", "method"]


def certified(rows: Rows, sources: Sources) -> pd.DataFrame:
    """What fine-tuning that proves, and what stands beside it, does to images and weights.

    Returns:
        A row for each network, radius, number of training images and method, the network as it is
        with none of them: `seeds`, `verified_images`, and each quantity's mean over the seeds;
        of `proved` also the 95 % interval of the mean, `lower` and `upper`. Shares are in percent.
    """
    found = where(rows.frame("robustness"), {"experiment": EXPERIMENT})
    records = []
    for keys, part in found.groupby(_KEYS, sort=False):
        record: dict[str, Any] = dict(zip(_KEYS, keys, strict=True))
        record["seeds"] = part["seed"].nunique()
        record["verified_images"] = part["verified_images"].min()
        for quantity in _QUANTITIES:
            values = one_per_seed(part, quantity)
            record[quantity] = values.mean() if len(values) else None
        proved = measure(one_per_seed(part, "proved"))
        ends = {"lower": proved.lower, "upper": proved.upper}
        records.append(record | {name: np.clip(end, 0.0, 100.0) for name, end in ends.items()})
    columns = [*_KEYS, "seeds", "verified_images", *_QUANTITIES, "lower", "upper"]
    tidy = pd.DataFrame(records, columns=columns)
    places = {name: place for place, name in enumerate([*NETWORKS, *CERTIFIED_METHODS])}
    return tidy.sort_values(
        _KEYS, ignore_index=True, key=lambda column: column.map(lambda key: places.get(key, key))
    )


def printed(tidy: pd.DataFrame) -> PrintedTable:
    """Extension 4 as printed: what is proved most often for the same images in bold."""
    lines = [_line(row, tidy) for _, row in tidy.iterrows()]
    return PrintedTable(
        title="Networks made robust at some training images, and what is proved of test images",
        groups=[("", 4), ("Test images (%)", 4), ("Weights", 3), ("Seconds", len(_SECONDS))],
        columns=[
            *["Network", "ε", "Method", "Training images proved"],
            *["proved", "by linear forms", "PGD", "clean"],
            *["moved by", "iterations", "points"],
            *["separation", "gradients", "projections", "total"],
        ],
        rows=without_repeats(lines, 2),
        rules=rules_at(lines, 2),
        notes=_notes(tidy),
        text_columns=3,
    )


def _line(row: pd.Series[Any], tidy: pd.DataFrame) -> list[Entry]:
    same = tidy[(tidy[_KEYS[:3]] == row[_KEYS[:3]]).all(axis=1)]
    count = int(row["training_images"])
    method = CERTIFIED_METHODS[row["method"]]
    at_training = f"{_number(row, 'training_proved')} % of {count}" if count else ""
    entries = [Entry(row["paper_network"]), Entry(f"{row['epsilon']:g}"), Entry(method)]
    entries.append(Entry(at_training))
    for quantity in _QUANTITIES:
        if quantity == "training_proved":
            continue
        text = _number(row, quantity)
        best = quantity == "proved" and len(same) > 1 and row["proved"] == same["proved"].max()
        if quantity == "proved" and pd.notna(row["upper"]):
            text += f" ({row['lower']:.1f} to {row['upper']:.1f})"
        entries.append(Entry(text, bold=best))
    return entries


def _number(row: pd.Series[Any], quantity: str) -> str:
    if pd.isna(row[quantity]):
        return ""
    decimals = _QUANTITIES[quantity]
    if decimals is None:
        return two_digits(row[quantity])
    return f"{row[quantity]:.{decimals}f}"


def _notes(tidy: pd.DataFrame) -> Sequence[str]:
    least, most = (getattr(tidy["verified_images"], end)() for end in ("min", "max"))
    images = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    tuned = tidy[tidy["training_images"] > 0]
    seeds = int(tuned["seeds"].max()) if len(tuned) else 1
    over = (
        f"means over {seeds} seeds, each of which draws the training images, and in brackets the "
        "95 % interval of the mean"
        if seeds > 1
        else "one seed, which draws the training images"
    )
    return [
        f"Over the first {images} test images, clean accuracy over all; {over}. The verifier has "
        "a limit for each image: what it leaves open is not proved.",
        "Algorithm 1 has as many points as there are training images, found by PGD in balls of "
        "the same radius. Training on linear bounds starts from the same weights and lasts as long "
        "as the cuts of certificates.",
    ]
