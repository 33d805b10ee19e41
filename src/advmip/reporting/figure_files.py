"""Figures as files, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from advmip.durability.storage import write_atomically
from advmip.reporting import style

SUFFIXES = (".png", ".pdf", ".csv")


def save_figure(figure: Figure, data: pd.DataFrame, out_stem: Path) -> list[Path]:
    """Write a figure as PNG and PDF, with the data it shows as CSV.

    Args:
        figure: The figure.
        data: What it shows.
        out_stem: Path without suffix.

    Returns:
        The three files.
    """
    files = [out_stem.with_name(out_stem.name + suffix) for suffix in SUFFIXES]
    for file, metadata in zip(files, ({"Software": None}, {"CreationDate": None}), strict=False):
        with write_atomically(file) as temporary:
            form = file.suffix[1:]
            figure.savefig(temporary, format=form, dpi=style.DOTS_PER_INCH, metadata=metadata)
    with write_atomically(files[-1]) as temporary:
        data.to_csv(temporary, index=False)
    return files


def write_picture(figure: Figure, file: Path) -> None:
    """Write a figure as PNG, atomically."""
    with write_atomically(file) as temporary:
        figure.savefig(temporary, format="png", dpi=style.DOTS_PER_INCH)
