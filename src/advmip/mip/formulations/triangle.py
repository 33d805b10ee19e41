"""The triangle: big-M's linear relaxation, without its binaries."""

from __future__ import annotations

import numpy as np

from advmip.mip.formulations.complementarity import Complementarity
from advmip.mip.formulations.layer import EncodedReLUs, UnstableReLUs
from advmip.mip.model import Indices, ModelBuilder


class Triangle(Complementarity):
    """The triangle: a neuron has input p in [l, u], output x and slack s.

        p = x - s,   x, s >= 0,   x / u + s / -l <= 1.

    The points (p, x) of the triangle with the corners (l, 0), (0, 0) and (u, u), which is what
    big-M leaves of a ReLU once its binary may be a fraction (Ehlers 2017). With s or x held at 0 it
    is the ReLU's active or inactive half.
    """

    needs_bounds = True
    name = "triangle"

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Indices] = []

    @property
    def rows(self) -> Indices:
        """The row x / u + s / -l <= 1 of each neuron so far, layer by layer."""
        return np.concatenate([np.empty(0, np.intp), *self._rows])

    def encode(self, builder: ModelBuilder, neurons: UnstableReLUs) -> EncodedReLUs:
        """Two columns and two rows for each neuron."""
        split = super().encode(builder, neurons)
        active, inactive = 1.0 / neurons.upper, -1.0 / neurons.lower
        shares = split.activation.times(active) + split.slack.times(inactive)
        self._rows.append(builder.add_rows(shares, upper=1.0))
        return split
