"""Rows above ReLUs that know how far away a point is: the nearer, the lower."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from advmip.mip.formulations.layer import EncodedReLUs
from advmip.mip.model import Expression, Indices, ModelBuilder, Vector


@dataclass(frozen=True)
class DistanceCut:
    """x <= slope p + rate s + constant for neurons of one layer.

    p enters a neuron, x = max(p, 0) leaves it, and s is the objective of the distance.

    Attributes:
        neurons: Their places in the layer (count,).
        slope: (count,), between 0 and 1.
        rate: (count,), at least 0.
        constant: (count,).
    """

    neurons: Indices
    slope: Vector
    rate: Vector
    constant: Vector

    def over(self, neurons: Indices) -> DistanceCut:
        """The rows of some neurons of the layer."""
        kept = np.isin(self.neurons, neurons)
        return DistanceCut(
            self.neurons[kept], self.slope[kept], self.rate[kept], self.constant[kept]
        )

    def add(self, builder: ModelBuilder, neurons: EncodedReLUs, spent: Expression) -> None:
        """Add the rows.

        Args:
            builder: Takes them.
            neurons: Its neurons (count,).
            spent: s (1,).
        """
        farther = spent.repeated(len(self.neurons)).times(self.rate)
        below = neurons.preactivation.times(self.slope) + farther
        builder.add_rows(neurons.activation - below, upper=self.constant)
