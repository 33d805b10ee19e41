"""Verdicts as the report shows them: counted, by claim, and value by value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from advmip.reporting.comparisons import PROTOCOLS
from advmip.reporting.formats import css_class
from advmip.reporting.judging import Verdict, tally, two_digits
from advmip.reporting.obstacles import OTHER_DATA, count_obstacles
from advmip.reporting.sources import Source
from advmip.reporting.verdicts import read_verdicts

# Folders of scales on the real data, the most complete first.
_REAL_SCALES = ("paper", "overnight", "mnist")


def is_demonstration(verdicts: pd.DataFrame) -> bool:
    """Whether other data stand in for those of the sources."""
    return bool(verdicts["reason"].astype(str).str.startswith(OTHER_DATA).any())


def on_real_data(
    reference_dir: Path | None, sources: Mapping[str, Source]
) -> dict[str, Any] | None:
    """The verdicts of the most complete snapshot on the real data; None if there is none."""
    if reference_dir is None:
        return None
    for scale in _REAL_SCALES:
        files = sorted((reference_dir / scale / "verdicts").glob("*.csv"))
        if files:
            verdicts = pd.concat([read_verdicts(file) for file in files], ignore_index=True)
            kept = [source for source in sources.values() if source.name in set(verdicts["source"])]
            return {"scale": scale, "sources": [bars_of(source, verdicts) for source in kept]}
    return None


def reasons(verdicts: pd.DataFrame) -> list[dict[str, Any]]:
    """Why values are not judged, each reason once, with how many values of which source."""
    by_source = count_obstacles(verdicts[verdicts["kind"] == "value"])
    return [
        {
            "verdict": verdict,
            "css": css_class(str(verdict)),
            "kind": kind,
            "count": int(part["count"].sum()),
            "sources": ", ".join(f"{row['source']} {row['count']}" for _, row in part.iterrows()),
        }
        for (verdict, kind), part in by_source.groupby(["verdict", "kind"], sort=False)
    ]


def bars_of(source: Source, verdicts: pd.DataFrame) -> dict[str, Any]:
    """How many verdicts of each kind a source has: a bar for values, one a protocol for claims."""
    own = verdicts[verdicts["source"] == source.name]
    bars = []
    claims = [
        ("claim", each, f"claims, attacks as {each}" if len(source.protocols) > 1 else "claims")
        for each in source.protocols
    ]
    for kind, protocol, label in [("value", "published", "values"), *claims]:
        chosen = own[(own["kind"] == kind) & (own["protocol"] == protocol)]
        parts = [
            {"name": verdict, "css": css_class(verdict), "count": count}
            for verdict, count in tally(chosen["verdict"]).items()
        ]
        words = ", ".join(f"{part['count']} {part['name']}" for part in parts)
        bars.append({"label": label, "total": len(chosen), "parts": parts, "words": words})
    return {
        "authors": source.authors,
        "year": source.year,
        "title": source.title,
        "bars": bars,
    }


def claims_of(verdicts: pd.DataFrame, sources: Mapping[str, Source]) -> list[dict[str, Any]]:
    """The claims in words, with their verdicts by protocol; None where there is none."""
    claims = []
    for source in sources.values():
        for claim in source.claims:
            rows = verdicts[(verdicts["source"] == source.name) & (verdicts["name"] == claim.name)]
            by_protocol = {row["protocol"]: row for row in rows.to_dict("records")}
            claims.append(
                {
                    "name": claim.name,
                    "words": claim.words,
                    "source": source.authors,
                    "where": claim.where,
                    "reason": claim.reason,
                    "judged": [
                        _judged(by_protocol[protocol]) if protocol in by_protocol else None
                        for protocol in PROTOCOLS
                    ],
                }
            )
    return claims


def _judged(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A verdict on a claim: the decisive number, and the others below it."""
    cases = str(row["found"]).split("; ") if pd.notna(row["found"]) else [str(row["reason"])]
    return {
        "verdict": row["verdict"],
        "css": css_class(row["verdict"]),
        "decisive": cases[0],
        "others": cases[1:],
    }


def values_with(verdicts: pd.DataFrame, verdict: Verdict) -> list[dict[str, str]]:
    """The values with a verdict, and what it rests on."""
    chosen = verdicts[(verdicts["kind"] == "value") & (verdicts["verdict"] == verdict.value)]
    return [
        {
            "place": f"{row['source']}, {row['where']}: {row['name']}",
            "quantity": str(row["quantity"]).replace("_", " "),
            "published": f"{row['published']:g}",
            "ours": _range(row["least"], row["most"]) or f"{row['ours']:.4g}",
            "times": two_digits(row["ours"] / row["published"]) if row["published"] else "",
            "interval": _range(row["lower"], row["upper"]),
            "tolerance": str(row["tolerance"]),
            "machine": "" if pd.isna(row["machine"]) else row["machine"],
        }
        for row in chosen.to_dict("records")
    ]


def _range(lower: float, upper: float) -> str:
    known = pd.notna(lower) and pd.notna(upper) and lower < upper
    return f"{lower:.4g} to {upper:.4g}" if known else ""
