"""Big-M with a column for the output alone, as MIPVerify.jl writes it."""

from __future__ import annotations

from advmip.mip.formulations.layer import EncodedReLUs, UnstableReLUs
from advmip.mip.model import Expression, ModelBuilder


class OutputBigM:
    """Big-M, one column less: a neuron has input p in [l, u], output x and binary a (1 if active).

        x >= 0,   x >= p,   x <= u a,   x <= p - l (1 - a).

    Tjeng, Xiao & Tedrake (2019), Section 4.1. p is no column but stands written out in both of its
    rows. With the slack s = x - p it is `BigM`.
    """

    needs_bounds = True
    name = "big-m-output"

    def encode(self, builder: ModelBuilder, neurons: UnstableReLUs) -> EncodedReLUs:
        """Two columns and three rows for each neuron."""
        outputs = Expression.of(builder.add_columns(neurons.count, 0.0, neurons.upper))
        active = Expression.of(builder.add_binaries(neurons.count))
        neuron = EncodedReLUs(neurons.preactivation, outputs)
        builder.add_rows(neuron.slack, lower=0.0)
        builder.add_rows(outputs - active.times(neurons.upper), upper=0.0)
        builder.add_rows(neuron.slack - active.times(neurons.lower), upper=-neurons.lower)
        return neuron
