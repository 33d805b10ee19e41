"""Indicator constraints, as the thesis states its model."""

from __future__ import annotations

from advmip.mip.formulations.layer import EncodedReLUs, UnstableReLUs, split_parts
from advmip.mip.model import ModelBuilder


class Indicator:
    """Indicators: a neuron has input p, output x, slack s and binary z (1 if active).

        p = x - s,   z = 0 implies x <= 0,   z = 1 implies s <= 0.

    Zhu, equations (4), (5), (7) to (9), with z turned round.
    """

    needs_bounds = False
    name = "indicator"

    def encode(self, builder: ModelBuilder, neurons: UnstableReLUs) -> EncodedReLUs:
        """Three columns, a row and two indicator constraints for each neuron."""
        split = split_parts(builder, neurons)
        active = builder.add_binaries(neurons.count)
        builder.add_indicators(active, False, split.activation)
        builder.add_indicators(active, True, split.slack)
        return split
