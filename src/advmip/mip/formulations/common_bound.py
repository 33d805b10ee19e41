"""One bound for all neurons, to see what a bound of each neuron's own is worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from advmip.mip.formulations.layer import EncodedReLUs, Formulation, UnstableReLUs
from advmip.mip.model import ModelBuilder


class CommonBound:
    """Another formulation, given -M and M as the bounds of every unstable neuron.

    Args:
        formulation: The formulation.
        bound: M, at least as large as every bound.
    """

    needs_bounds = True

    def __init__(self, formulation: Formulation, bound: float) -> None:
        self.name = f"{formulation.name}-common"
        self._formulation = formulation
        self._bound = bound

    def encode(self, builder: ModelBuilder, neurons: UnstableReLUs) -> EncodedReLUs:
        """What the formulation adds."""
        common = np.full(neurons.count, self._bound)
        return self._formulation.encode(builder, replace(neurons, lower=-common, upper=common))
