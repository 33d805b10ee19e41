"""Positive and negative part of each input, without a binary: what patterns and nodes fix."""

from __future__ import annotations

import numpy as np

from advmip.mip.formulations.layer import EncodedReLUs, UnstableReLUs, split_parts
from advmip.mip.model import Indices, ModelBuilder


class Complementarity:
    """A neuron has input p = x - s with x, s >= 0, and output x; x s = 0 is left out.

    A neuron is active where s is held at 0, and inactive where x is.
    """

    needs_bounds = False
    name = "complementarity"

    def __init__(self) -> None:
        self._positive: list[Indices] = []
        self._negative: list[Indices] = []

    @property
    def positive(self) -> Indices:
        """The columns x of all neurons so far, layer by layer."""
        return np.concatenate([np.empty(0, np.intp), *self._positive])

    @property
    def negative(self) -> Indices:
        """The columns s of all neurons so far."""
        return np.concatenate([np.empty(0, np.intp), *self._negative])

    def encode(self, builder: ModelBuilder, neurons: UnstableReLUs) -> EncodedReLUs:
        """Two columns and a row for each neuron."""
        split = split_parts(builder, neurons)
        self._positive.append(split.activation.matrix.indices.astype(np.intp))
        self._negative.append(split.slack.matrix.indices.astype(np.intp))
        return split
