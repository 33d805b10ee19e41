"""Entries of printed tables: a comparison with its verdict, groups of lines, the tally below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from advmip.reporting.formats import AND, DASH, LEGEND, Entry
from advmip.reporting.judging import Verdict, tally
from advmip.reporting.obstacles import count_obstacles


def row_of(frame: pd.DataFrame, **match: object) -> pd.Series[Any] | None:
    """The one row with the given values, or None."""
    same = np.ones(len(frame), dtype=bool)
    for column, value in match.items():
        same &= (frame[column] == value).to_numpy(dtype=bool, na_value=False)
    return frame.iloc[int(same.argmax())] if same.any() else None


def verdict_of(row: pd.Series[Any] | None) -> Verdict | None:
    """The verdict on a comparison, if there is one."""
    known = row is not None and isinstance(row["verdict"], str) and row["verdict"]
    return Verdict(row["verdict"]) if known and row is not None else None


def number_of(row: pd.Series[Any] | None, column: str, decimals: int | None = None) -> str:
    """A number with the decimals that the source prints, or others; a dash if it is not there."""
    if row is None or pd.isna(row[column]):
        return "" if row is None or column == "published" else DASH
    return f"{row[column]:.{int(row['decimals']) if decimals is None else decimals}f}"


def beside(row: pd.Series[Any] | None, ours: str | None = None) -> list[Entry]:
    """Our number, or what is written in its place, with its verdict, and the source's."""
    return [
        Entry(number_of(row, "ours") if ours is None else ours, verdict=verdict_of(row)),
        Entry(number_of(row, "published"), quiet=True),
    ]


def at_least(entry: Entry) -> Entry:
    """An entry that is a lower bound, as is what instances cost that did not end."""
    return entry if entry.text in ("", DASH) else replace(entry, text=f"≥ {entry.text}")


def rules_at(lines: Sequence[Sequence[Entry]], columns: int = 1) -> frozenset[int]:
    """Which lines begin with other entries, in so many columns, than the line above."""
    return frozenset(
        place
        for place in range(1, len(lines))
        if lines[place][:columns] != lines[place - 1][:columns]
    )


def without_repeats(lines: Sequence[Sequence[Entry]], columns: int = 1) -> list[list[Entry]]:
    """The lines; what they begin with, in so many columns, stands in the first of its like."""
    kept = [list(line) for line in lines]
    for line, above, below in zip(kept[1:], lines, lines[1:], strict=False):
        for column in range(columns):
            if below[: column + 1] == above[: column + 1]:
                line[column] = Entry("")
    return kept


def verdict_notes(tidy: pd.DataFrame) -> list[str]:
    """How many values have which verdict, why some are not judged, and where ours were measured."""
    judged = tidy[(tidy["protocol"] == "published") & tidy["verdict"].notna()]
    counts = [f"{count} {verdict}" for verdict, count in tally(judged["verdict"]).items()]
    notes = [f"Of {len(judged)} published values: {', '.join(counts)}. {LEGEND}."]
    for verdict, kinds in count_obstacles(judged).groupby("verdict", sort=False):
        by_kind = kinds.groupby("kind", sort=False)["count"].sum()
        listed = ", ".join(f"{kind} ({count})" for kind, count in by_kind.items())
        notes.append(f"{str(verdict).capitalize()}: {listed}.")
    # A value may be of several machines, and another of some of these.
    machines = {each for cell in judged["machine"].dropna() for each in cell.split(AND) if each}
    if machines:
        notes.append(f"Ours on {AND.join(sorted(machines))}.")
    return notes
