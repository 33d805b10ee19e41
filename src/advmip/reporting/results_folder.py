"""What a folder of results holds: which tables and figures, and where their rows come from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from advmip.reporting.figures import FIGURES
from advmip.reporting.rows import code_versions
from advmip.reporting.tables import TABLES

SECTIONS = {
    "zk_table": "Tables of Zhao & Kronqvist",
    "zk_figure": "Figures of Zhao & Kronqvist",
    "kronqvist": "The lecture",
    "zhu_table": "Tables of Zhu's thesis",
    "zhu_figure": "Figures of Zhu's thesis",
    "benmhenni_table": "Tables of Ben Mhenni et al.",
    "benmhenni_figure": "Figures of Ben Mhenni et al.",
    "tjeng_table": "Tables of Tjeng's poster",
    "vnncomp_table": "Tables of VNN-COMP",
    "vnncomp_figure": "Figures of VNN-COMP",
    "zk_extension": "Extensions of Zhao & Kronqvist",
    "zhu_extension": "Extensions of Zhu's thesis",
    "tjeng_extension": "Extensions of Tjeng's poster",
}


def output_names() -> list[str]:
    """The names of all tables and figures, in the order of the report."""
    names = dict.fromkeys([*TABLES, *FIGURES])
    return [name for start in SECTIONS for name in sorted(names) if name.startswith(start)]


def absent_outputs(results_dir: Path, beginning: str = "") -> list[str]:
    """Which tables and figures whose names begin so are not among the results."""
    tables = [f"table {name}" for name in TABLES if not table_file(results_dir, name).is_file()]
    figures = [f"figure {name}" for name in FIGURES if not figure_file(results_dir, name).is_file()]
    return [each for each in (*tables, *figures) if each.split()[1].startswith(beginning)]


def gather_provenance(results_dir: Path, *sources: str) -> dict[str, str]:
    """Versions, machines and dates behind the rows of a scale, each distinct value once.

    Args:
        results_dir: The scale's results.
        sources: Short names of sources, whose rows hold those of their outputs.

    Returns:
        What to the values found, joined by commas; dates as first and last. Empty without rows.
    """
    values: dict[str, list[str]] = {}
    versions = 0
    for path in sorted(path for each in sources for path in results_dir.glob(f"rows/{each}/*.csv")):
        rows = pd.read_csv(path, usecols=["experiment", "code", "provenance"])
        versions = max(versions, code_versions(rows))
        for text in rows["provenance"].dropna().unique():
            for name, value in json.loads(text).items():
                known = values.setdefault(name, [])
                if str(value) not in known:
                    known.append(str(value))
    if "date" in values:
        dates = sorted(values["date"])
        values["date"] = dates[:1] if dates[0] == dates[-1] else [dates[0], dates[-1]]
    if versions:
        values["versions of the code behind the rows"] = [str(versions)]
    return {
        name: (" to " if name == "date" else ", ").join(found) for name, found in values.items()
    }


def share_of_scale(settings: Mapping[str, Any]) -> float:
    """The share of its scale's instances and seeds that a run has; older ones have all."""
    return float(settings.get("share", 1.0))


def table_file(results_dir: Path, name: str) -> Path:
    """Where the numbers of a table are."""
    return results_dir / "tables" / f"{name}.csv"


def figure_file(results_dir: Path, name: str) -> Path:
    """Where the picture of a figure is."""
    return results_dir / "figures" / f"{name}.png"
