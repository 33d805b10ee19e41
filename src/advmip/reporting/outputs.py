"""What a table and a figure are made of; each source has its own in a package of its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from advmip.reporting.formats import PrintedTable
from advmip.reporting.rows import Rows
from advmip.reporting.sources import Source

if TYPE_CHECKING:  # a table must not wait for matplotlib
    import pandas as pd
    from matplotlib.figure import Figure

Sources = Mapping[str, Source]


@dataclass(frozen=True)
class TableKind:
    """One table of the catalogue.

    Attributes:
        data: From rows and sources to the tidy data frame.
        printed: From the tidy data frame to the table as it is printed.
    """

    data: Callable[[Rows, Sources], pd.DataFrame]
    printed: Callable[[pd.DataFrame], PrintedTable]


@dataclass(frozen=True)
class FigureKind:
    """One figure of the catalogue.

    Attributes:
        data: From rows and sources to the data that it shows.
        draw: Draws the data on an empty figure, which it also sizes.
    """

    data: Callable[[Rows, Sources], pd.DataFrame]
    draw: Callable[[Figure, pd.DataFrame], None]
