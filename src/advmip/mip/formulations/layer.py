"""What a formulation of a ReLU is given, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from advmip.mip.model import Expression, Indices, ModelBuilder, Vector
from advmip.networks.staged import AffineMap


@dataclass(frozen=True)
class Layer:
    """The values of a layer, as they stand in a model.

    Attributes:
        values: The layer's values (width,).
        lower: Their lower bounds.
        upper: Their upper bounds.
    """

    values: Expression
    lower: Vector
    upper: Vector


@dataclass(frozen=True)
class UnstableReLUs:
    """Those ReLUs of one layer whose input can have either sign.

    Attributes:
        inputs: The affine map into them.
        layers: The layers that the map reads; 0 is the image.
        lower: Lower bounds of their inputs, all below 0.
        upper: Upper bounds of their inputs, all above 0.
    """

    inputs: AffineMap
    layers: list[Layer]
    lower: Vector
    upper: Vector

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.lower)

    @property
    def preactivation(self) -> Expression:
        """Their inputs, in the model's columns."""
        return affine_expression(self.inputs, self.layers)


@dataclass(frozen=True)
class EncodedReLUs:
    """ReLUs as a formulation has written them.

    Attributes:
        preactivation: Their inputs p (count,), in as few columns as there are for them.
        activation: Their outputs x = max(p, 0) (count,).
    """

    preactivation: Expression
    activation: Expression

    @property
    def slack(self) -> Expression:
        """What they add to their inputs, x - p (count,)."""
        return self.activation - self.preactivation

    def __getitem__(self, chosen: Indices) -> EncodedReLUs:
        return EncodedReLUs(self.preactivation[chosen], self.activation[chosen])


class Formulation(Protocol):
    """A way to write max(p, 0) for unstable neurons.

    Attributes:
        name: Its name in settings and rows.
        needs_bounds: Whether the neurons' bounds must be finite.
    """

    name: str
    needs_bounds: bool

    def encode(self, builder: ModelBuilder, neurons: UnstableReLUs) -> EncodedReLUs:
        """Add columns and rows."""


def affine_expression(inputs: AffineMap, layers: list[Layer]) -> Expression:
    """An affine map of layers, in the model's columns."""
    expression = Expression.zeros(inputs.width)
    for layer, matrix in inputs.terms.items():
        expression = expression + layers[layer].values.mapped(matrix)
    return expression + inputs.bias


def split_parts(builder: ModelBuilder, neurons: UnstableReLUs) -> EncodedReLUs:
    """Columns x, s >= 0 with p = x - s, the positive and negative part of the inputs."""
    positive = Expression.of(builder.add_columns(neurons.count, 0.0, np.maximum(neurons.upper, 0)))
    negative = Expression.of(builder.add_columns(neurons.count, 0.0, np.maximum(-neurons.lower, 0)))
    builder.add_rows(positive - negative - neurons.preactivation, 0.0, 0.0)
    return EncodedReLUs(positive - negative, positive)
