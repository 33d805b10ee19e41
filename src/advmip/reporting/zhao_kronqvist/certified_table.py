"""Extension 4: networks made robust at a few training images, and what is proved of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from advmip.experiments.zhao_kronqvist.certified_instances import PROOFS
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
from advmip.reporting.zhao_kronqvist.names import CERTIFIED_METHODS

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
_QUANTITIES: Decimals = {**_SHARES, **_CHANGE, **_SECONDS}
_KEYS = ["paper_network", "epsilon", "training_images", "method"]


def certified(rows: Rows, sources: Sources) -> pd.DataFrame:
    """What fine-tuning that proves, and what stands beside it, does to images and weights.

    Returns:
        A row for each network, radius, number of training images and method, the network as it is
        with none of them: `seeds`, `verified_images`, and each quantity's mean over the seeds;
        of `proved` also the 95 % interval of the mean, `lower` and `upper`. Shares are in percent.
    """
    found = where(rows.frame("robustness"), {"experiment": PROOFS})
    return method_means(found, _KEYS, _QUANTITIES, others=["verified_images"], interval="proved")


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
    at_training = f"{number(row, 'training_proved', _QUANTITIES)} % of {count}" if count else ""
    entries = [Entry(row["paper_network"]), Entry(f"{row['epsilon']:g}"), Entry(method)]
    entries.append(Entry(at_training))
    for quantity in _QUANTITIES:
        if quantity == "training_proved":
            continue
        text = number(row, quantity, _QUANTITIES)
        best = quantity == "proved" and len(same) > 1 and row["proved"] == same["proved"].max()
        if quantity == "proved" and pd.notna(row["upper"]):
            text += f" ({row['lower']:.1f} to {row['upper']:.1f})"
        entries.append(Entry(text, bold=best))
    return entries


def _notes(tidy: pd.DataFrame) -> Sequence[str]:
    least, most = (getattr(tidy["verified_images"], end)() for end in ("min", "max"))
    images = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    over = over_seeds(tidy, ", and in brackets the 95 % interval of the mean")
    return [
        f"Over the first {images} test images, clean accuracy over all; {over}. The verifier has "
        "a limit for each image: what it leaves open is not proved.",
        "Algorithm 1 has as many points as there are training images, found by PGD in balls of "
        "the same radius. Training on linear bounds starts from the same weights and lasts as long "
        "as the cuts of certificates.",
    ]
