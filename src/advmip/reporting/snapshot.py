"""A snapshot: what came out of one scale, small enough to keep with the sources."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from advmip.errors import InputError
from advmip.reporting.report import absent_outputs, gather_provenance, read_verdicts
from advmip.reporting.verdicts import count_verdicts
from advmip.storage import write_atomically

_KEPT = {
    "tables": (".csv", ".md", ".tex"),
    "figures": (".csv", ".png", ".pdf"),
}


def write_snapshot(results_dir: Path, reference_dir: Path) -> Path:
    """Copy tables, figures and verdicts of a scale, with a README of machine, date and versions.

    Files of an earlier snapshot of the same scale that are no longer made are removed.

    Args:
        results_dir: The scale's results, complete.
        reference_dir: The folder of snapshots; the scale's own lies below it.

    Returns:
        The snapshot's folder.

    Raises:
        InputError: A table or a figure of the catalogue, or the verdicts, are missing; nothing is
            changed then.
    """
    absent = absent_outputs(results_dir)
    if absent:
        raise InputError(
            subject=f"results {results_dir}",
            found=f"no {', no '.join(absent)}",
            expected="every table and figure",
            mend="make them all first",
        )
    verdicts = read_verdicts(results_dir / "verdicts.csv")
    target = reference_dir / results_dir.name
    files = [
        path
        for folder, suffixes in _KEPT.items()
        for path in sorted((results_dir / folder).iterdir())
        if path.suffix in suffixes and not path.name.startswith(".")
    ]
    kept = {path.relative_to(results_dir) for path in [*files, results_dir / "verdicts.csv"]}
    for relative in kept:
        with write_atomically(target / relative) as temporary:
            shutil.copyfile(results_dir / relative, temporary)
    with write_atomically(target / "README.md") as temporary:
        temporary.write_text(_readme(results_dir, verdicts), encoding="utf-8")
    for folder in _KEPT:
        for path in (target / folder).iterdir():
            if path.relative_to(target) not in kept:
                path.unlink()
    return target


def _readme(results_dir: Path, verdicts: pd.DataFrame) -> str:
    """What the snapshot is, its verdicts, and where it comes from."""
    counts = count_verdicts(verdicts)
    origin = gather_provenance(results_dir)
    tables = sorted(path.name for path in (results_dir / "tables").glob("*.md"))
    figures = sorted(path.name for path in (results_dir / "figures").glob("*.png"))
    return "\n".join(
        [
            f"# Results at scale `{results_dir.name}`",
            "",
            f"Made on {datetime.now(UTC):%Y-%m-%d}. Every published value and claim with its "
            "verdict is in [verdicts.csv](verdicts.csv).",
            "",
            "## Verdicts",
            "",
            _markdown([str(name) for name in counts.columns], counts.to_numpy().tolist()),
            "",
            "## Tables",
            "",
            *(f"- [{name}](tables/{name})" for name in tables),
            "",
            "## Figures",
            "",
            *(f"- [{name}](figures/{name})" for name in figures),
            "",
            "## Machine, date and versions",
            "",
            _markdown(["what", "value"], [[name, value] for name, value in origin.items()]),
            "",
        ]
    )


def _markdown(heads: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join(f"| {' | '.join(str(entry) for entry in row)} |" for row in rows)
