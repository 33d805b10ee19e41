"""The catalogue of tables, and writing one in its three forms."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd

from advmip.durability.storage import write_atomically, write_text
from advmip.errors import looked_up
from advmip.reporting.ben_mhenni import tables as ben_mhenni
from advmip.reporting.formats import PrintedTable, to_latex, to_markdown
from advmip.reporting.kept_rows import rows_of
from advmip.reporting.outputs import TableKind
from advmip.reporting.plan import Plan
from advmip.reporting.rows import Rows
from advmip.reporting.sources import read_sources
from advmip.reporting.tjeng import tables as tjeng
from advmip.reporting.vnncomp import tables as vnncomp
from advmip.reporting.zhao_kronqvist import tables as zhao_kronqvist
from advmip.reporting.zhu import tables as zhu

TABLES: dict[str, TableKind] = {
    **zhao_kronqvist.TABLES,
    **zhu.TABLES,
    **ben_mhenni.TABLES,
    **tjeng.TABLES,
    **vnncomp.TABLES,
}

# A column that a table has only where its rows come from several versions of the code.
_VERSIONS = "code_versions"


def write_table(
    name: str, rows_dir: Path, papers_dir: Path, out_stem: Path, plan: Plan | None = None
) -> None:
    """Make a table and write it as tidy CSV, Markdown and LaTeX.

    Args:
        name: Its name in the catalogue, such as "zk_table2".
        rows_dir: Folder of the row files of the source's experiments, or of kept ones.
        papers_dir: Folder of the sources' YAML files.
        out_stem: Path without suffix; `.csv`, `.md` and `.tex` are appended.
        plan: What the scale sets out to run, as in `Rows`.

    Raises:
        InputError: The name is unknown, or rows or published values are missing.
    """
    table = looked_up("table", name, TABLES)
    with rows_of(rows_dir, name) as folder:
        rows = Rows(folder, plan)
        tidy = table.data(rows, read_sources(papers_dir))
        versions = rows.code_versions()
    if versions > 1:
        tidy = tidy.assign(**{_VERSIONS: versions})
    printed = _printed(name, tidy)
    with write_atomically(_beside(out_stem, ".csv")) as temporary:
        tidy.to_csv(temporary, index=False)
    write_text(_beside(out_stem, ".md"), to_markdown(printed))
    write_text(_beside(out_stem, ".tex"), to_latex(printed))


def print_table(name: str, csv: Path) -> PrintedTable:
    """The printed form of a table that `write_table` wrote.

    Args:
        name: Its name in the catalogue.
        csv: The tidy CSV file.
    """
    return _printed(name, pd.read_csv(csv, keep_default_na=False, na_values=[""]))


def _printed(name: str, tidy: pd.DataFrame) -> PrintedTable:
    """The printed form; it says so if the rows come from several versions of the code."""
    printed = TABLES[name].printed(tidy)
    if _VERSIONS not in tidy.columns:
        return printed
    versions = tidy[_VERSIONS].iloc[0]
    note = f"The rows come from {versions} versions of the code; times may differ for that alone."
    return dataclasses.replace(printed, notes=[*printed.notes, note])


def _beside(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)
