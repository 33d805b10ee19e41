"""Big-M, with each neuron's own bounds as its M."""

from __future__ import annotations

from advmip.mip.formulations.layer import EncodedReLUs, UnstableReLUs, split_parts
from advmip.mip.model import Expression, ModelBuilder


class BigM:
    """Big-M: a neuron has input p in [l, u], output x, slack s and binary z (1 if active).

        p = x - s,   0 <= x <= u z,   0 <= s <= -l (1 - z).

    Fischetti & Jo (2018); with the bounds as M it is the tight formulation of Tjeng (2019).
    """

    needs_bounds = True
    name = "big-m"

    def encode(self, builder: ModelBuilder, neurons: UnstableReLUs) -> EncodedReLUs:
        """Three columns and three rows for each neuron."""
        split = split_parts(builder, neurons)
        active = Expression.of(builder.add_binaries(neurons.count))
        builder.add_rows(split.activation - active.times(neurons.upper), upper=0.0)
        builder.add_rows(split.slack - active.times(neurons.lower), upper=-neurons.lower)
        return split
