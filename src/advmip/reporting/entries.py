"""Entries of printed tables: one number of a comparison, its verdict, and the tally below."""

from __future__ import annotations

from typing import Any

import pandas as pd

from advmip.reporting.formats import DASH, LEGEND
from advmip.reporting.judging import Verdict, tally
from advmip.reporting.obstacles import count_obstacles


def row_of(frame: pd.DataFrame, **match: object) -> pd.Series[Any] | None:
    """The one row with the given values, or None."""
    for column, value in match.items():
        frame = frame[frame[column] == value]
    return None if frame.empty else frame.iloc[0]


def verdict_of(row: pd.Series[Any] | None) -> Verdict | None:
    """The verdict on a comparison, if there is one."""
    known = row is not None and isinstance(row["verdict"], str) and row["verdict"]
    return Verdict(row["verdict"]) if known and row is not None else None


def number_of(row: pd.Series[Any] | None, column: str, decimals: int | None = None) -> str:
    """A number with the decimals that the source prints, or others; a dash if it is not there."""
    if row is None or pd.isna(row[column]):
        return "" if row is None or column == "published" else DASH
    return f"{row[column]:.{int(row['decimals']) if decimals is None else decimals}f}"


def verdict_notes(tidy: pd.DataFrame) -> list[str]:
    """How many values have which verdict, why some are not judged, and where ours were measured."""
    judged = tidy[(tidy["protocol"] == "published") & tidy["verdict"].notna()]
    counts = [f"{count} {verdict}" for verdict, count in tally(judged["verdict"]).items()]
    notes = [f"Of {len(judged)} published values: {', '.join(counts)}. {LEGEND}."]
    for verdict, kinds in count_obstacles(judged).groupby("verdict", sort=False):
        by_kind = kinds.groupby("kind", sort=False)["count"].sum()
        listed = ", ".join(f"{kind} ({count})" for kind, count in by_kind.items())
        notes.append(f"{str(verdict).capitalize()}: {listed}.")
    machines = list(filter(None, judged["machine"].dropna().unique()))
    if machines:
        notes.append(f"Ours on {' and '.join(machines)}.")
    return notes
