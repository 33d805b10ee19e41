"""The square as the piecewise linear L2 distance has it (Figure 1)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from advmip.errors import InputError
from advmip.experiments.origin import network_columns, origin_columns
from advmip.experiments.rows import write_rows
from advmip.experiments.zhu.catalogue import CODE
from advmip.mip.distances import Box, PiecewiseL2, distance_named
from advmip.settings import Settings

# Points on each line between two breakpoints.
_POINTS = 20


def square(settings: Settings, distance: str, out: Path) -> None:
    """Write x^2 and its approximation for x in [0, 1].

    Args:
        settings: All settings.
        distance: "l2-K", with K breakpoints.
        out: The file of samples: the square as `value`, the approximation as `upper`, for it lies
            above.

    Raises:
        InputError: The distance is another one.
    """
    measure = distance_named(distance)
    if not isinstance(measure, PiecewiseL2):
        raise InputError(
            subject=f"distance {distance}",
            found="a distance without breakpoints",
            expected="l2-K, with K breakpoints",
            mend="name l2-5, the thesis's own",
        )
    common = {
        **network_columns("square", distance),
        **origin_columns(settings, "zhu", CODE["square"]),
    }
    pixel = Box.around(np.zeros(1), (1, 1, 1))
    points = np.linspace(0.0, 1.0, _POINTS * (measure.breakpoints - 1) + 1)
    rows = [
        {"x1": float(x), "value": float(x**2), "upper": measure.value(np.array([x]), pixel) ** 2}
        for x in points
    ]
    write_rows("samples", [common | row for row in rows], out)
