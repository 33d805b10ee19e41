"""The poster's tables as they are printed."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from advmip.reporting.entries import at_least, beside, number_of, row_of, rules_at, verdict_notes
from advmip.reporting.formats import DASH, Entry, PrintedTable
from advmip.reporting.judging import two_digits
from advmip.reporting.tjeng.names import CONTROL, VERIFIERS

_BESIDE = ("ours", "poster")
_TIMES = ("seconds_bounds", "seconds_solver", "seconds")

_ABLATION = {
    "seconds_bounds": "Input bounds (s)",
    "seconds_solver": "Main optimisation (s)",
    "seconds": "Total (s)",
    "explored": "Nodes, mean",
    "median_explored": "Nodes, median",
}

_ERRORS = {
    "test_error": "Test error",
    "pgd_error": "Lower bound, PGD",
    "lower_error": "Lower bound",
    "linear_error": "Upper bound, relaxed",
    "upper_error": "Upper bound",
    "seconds": "Mean time (s)",
}


def ablation(tidy: pd.DataFrame) -> PrintedTable:
    """Table 1, with totals also as multiples of the control's."""
    lines = []
    for variant, name in VERIFIERS.items():
        own = tidy[tidy["variant"] == variant]
        unfinished = row_of(own, quantity="undecided")
        stopped = unfinished is not None and bool(unfinished["ours"] > 0)
        line = [Entry(name)]
        for quantity in _ABLATION:
            ours, theirs = _entries(row_of(own, quantity=quantity))
            line += [at_least(ours) if stopped and quantity in _TIMES else ours, theirs]
        for column in ("ours", "published"):
            times = _multiple(tidy, variant, column)
            shown = two_digits(times) if math.isfinite(times) else ""
            multiple = Entry(shown, quiet=column != "ours")
            line.append(at_least(multiple) if stopped and column == "ours" else multiple)
        line.append(Entry(number_of(unfinished, "ours")))
        lines.append(line)
    return PrintedTable(
        title="What each optimisation of the verifier is worth",
        groups=[
            ("", 1),
            *((head, len(_BESIDE)) for head in _ABLATION.values()),
            ("Times the control", len(_BESIDE)),
            ("", 1),
        ],
        columns=["Optimisation removed", *_BESIDE * (len(_ABLATION) + 1), "% unfinished"],
        rows=lines,
        rules=frozenset({len(lines) - 1}),
        notes=[
            *verdict_notes(tidy),
            "Means over the first test images that the network classifies correctly. Where some "
            "are unfinished, they count with the time that they were given: “≥”.",
        ],
    )


def adversarial_error(tidy: pd.DataFrame) -> PrintedTable:
    """Table 2, a line for each network."""
    lines: list[list[Entry]] = []
    rules: set[int] = set()
    for name in tidy["network"].unique():
        own = tidy[tidy["network"] == name]
        if own["published"].isna().all():
            rules.add(len(lines))
        first = own.iloc[0]
        run = pd.notna(first["stand_in"])
        line = [
            Entry(str(name)),
            Entry(f"{first['stand_in']}, {first['dataset']}" if run else "not run"),
            Entry(f"{first['epsilon']:g}" if run else DASH),
        ]
        for quantity in _ERRORS:
            line += _entries(row_of(own, quantity=quantity))
        lines.append(line)
    return PrintedTable(
        title="Certified bounds of the adversarial error in L-infinity, in percent",
        groups=[("", 3), *((head, len(_BESIDE)) for head in _ERRORS.values())],
        columns=["Network", "Ours", "ε", *_BESIDE * len(_ERRORS)],
        rows=lines,
        rules=frozenset(rules - {0}),
        notes=[
            *verdict_notes(tidy),
            "Ours over the first test images; between lower and upper bound lie those that were "
            "unfinished. Times are of images that the network classifies correctly.",
        ],
        text_columns=2,
    )


def finetuned(tidy: pd.DataFrame) -> PrintedTable:
    """Extension 1, a line for each network, radius, and stage."""
    accuracies = ("clean", "pgd", "unbroken", "certified", "linear")
    lines = []
    for _, row in tidy.iterrows():
        lines.append(
            [
                Entry(str(row["network"])),
                Entry(str(row["stage"])),
                Entry(f"{row['epsilon']:g}"),
                Entry(f"{row['images']}"),
                *(Entry(f"{row[name]:.1f}") for name in accuracies),
                Entry(two_digits(row["seconds"])),
            ]
        )
    return PrintedTable(
        title="Accuracy in percent before and after fine-tuning, under attack and proved",
        groups=[("", 4), ("Accuracy", len(accuracies)), ("", 1)],
        columns=[
            *["Network", "Weights", "ε", "Images"],
            *["clean", "PGD", "no attack found", "proved", "by linear forms alone"],
            "Mean time (s)",
        ],
        rows=lines,
        rules=rules_at(lines),
        notes=["Between “no attack found” and “proved” lie images that were unfinished."],
        text_columns=2,
    )


def _entries(row: pd.Series[Any] | None) -> list[Entry]:
    """Ours and the poster's."""
    ours = number_of(row, "ours")
    if row is not None and row["quantity"] in _TIMES and 0 < row["ours"] < 1:
        ours = two_digits(row["ours"])  # the poster's decimals would leave nothing of it
    return beside(row, ours)


def _multiple(tidy: pd.DataFrame, variant: str, column: str) -> float:
    """The total time of a verifier as a multiple of the control's."""
    totals = [row_of(tidy, variant=each, quantity="seconds") for each in (variant, CONTROL)]
    ours, control = (math.nan if row is None else float(row[column]) for row in totals)
    return ours / control if control else math.nan
