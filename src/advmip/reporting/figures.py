"""The catalogue of figures, and writing one as PNG, PDF and the data it shows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from advmip.errors import looked_up
from advmip.reporting import kronqvist, style
from advmip.reporting.ben_mhenni import figures as ben_mhenni
from advmip.reporting.figure_files import save_figure
from advmip.reporting.kept_rows import rows_of
from advmip.reporting.outputs import FigureKind
from advmip.reporting.plan import Plan
from advmip.reporting.rows import Rows
from advmip.reporting.sources import read_sources
from advmip.reporting.vnncomp import figures as vnncomp
from advmip.reporting.zhao_kronqvist import figures as zhao_kronqvist
from advmip.reporting.zhu import figures as zhu

FIGURES: dict[str, FigureKind] = {
    **zhao_kronqvist.FIGURES,
    **kronqvist.FIGURES,
    **zhu.FIGURES,
    **ben_mhenni.FIGURES,
    **vnncomp.FIGURES,
}


def write_figure(
    name: str, rows_dir: Path, papers_dir: Path, out_stem: Path, plan: Plan | None = None
) -> None:
    """Draw a figure and write it as PNG and PDF, with the data it shows as CSV.

    Args:
        name: Its name in the catalogue, such as "zk_figure2".
        rows_dir: Folder of the row files of the source's experiments, or of kept ones.
        papers_dir: Folder of the sources' YAML files.
        out_stem: Path without suffix; `.png`, `.pdf` and `.csv` are appended.
        plan: What the scale sets out to run, as in `Rows`.

    Raises:
        InputError: The name is unknown, or rows or published values are missing.
    """
    kind = looked_up("figure", name, FIGURES)
    with rows_of(rows_dir, name) as folder:
        data = kind.data(Rows(folder, plan), read_sources(papers_dir))
    save_figure(draw_figure(name, data), data, out_stem)


def draw_figure(name: str, data: pd.DataFrame) -> Figure:
    """The drawing of a figure's data.

    Args:
        name: Its name in the catalogue.
        data: What the figure's `data` function returned.
    """
    with style.figure_style():
        figure = Figure()
        FIGURES[name].draw(figure, data)
        figure.draw_without_rendering()
    return figure
