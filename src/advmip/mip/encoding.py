"""A network as columns and rows, from bounds of its neurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from advmip.errors import InputError
from advmip.mip.formulations import (
    EncodedReLUs,
    Formulation,
    Layer,
    UnstableReLUs,
    affine_expression,
)
from advmip.mip.model import Expression, Indices, ModelBuilder, Vector
from advmip.networks.staged import AffineMap

# A stable neuron whose input has more terms than this gets a column of its own: written into each
# neuron behind it, a long row would be repeated there.
_TERMS_TO_REPEAT = 4


@dataclass(frozen=True)
class Interval:
    """Bounds lower <= value <= upper of each entry."""

    lower: Vector
    upper: Vector

    @property
    def unstable(self) -> Indices:
        """Where the value can have either sign."""
        return np.flatnonzero((self.lower < 0) & (self.upper > 0))

    @property
    def active(self) -> Indices:
        """Where the value cannot be negative, so that a ReLU lets it pass."""
        return np.flatnonzero(self.lower >= 0)

    def times(self, factor: float) -> Interval:
        """The bounds of every value multiplied by a factor, above 0."""
        return Interval(self.lower * factor, self.upper * factor)

    def intersected(self, other: Interval) -> Interval:
        """The common part."""
        lower = np.maximum(self.lower, other.lower)
        return Interval(lower, np.maximum(np.minimum(self.upper, other.upper), lower))


def unstable_neurons(bounds: Sequence[Interval]) -> int:
    """How many neurons need a binary, by the bounds of each layer and last of the logits."""
    return sum(each.unstable.size for each in bounds[:-1])


def check_finite(bounds: Sequence[Interval], formulation: Formulation) -> None:
    """Without bounds a neuron has no M; indicators alone do without.

    Raises:
        InputError: A bound is infinite, and the formulation needs it.
    """
    finite = all(np.isfinite([each.lower, each.upper]).all() for each in bounds[:-1])
    if not finite and formulation.needs_bounds:
        raise InputError(
            subject=f"formulation {formulation.name}",
            found="neurons without bounds",
            expected="finite bounds of every neuron",
            mend='choose bounds "interval" or tighter, or formulation "indicator"',
        )


def encode_hidden(
    builder: ModelBuilder,
    image: Layer,
    stages: Sequence[AffineMap],
    bounds: Sequence[Interval],
    formulation: Formulation,
    *,
    substitute: bool = False,
) -> tuple[list[Layer], list[EncodedReLUs]]:
    """Add layers of ReLUs.

    Args:
        builder: Takes columns and rows.
        image: The image, already there.
        stages: The affine maps into the layers.
        bounds: Bounds of each layer's inputs, valid for every point of the model.
        formulation: Of the unstable neurons. Stable ones need no binary.
        substitute: Write stable neurons into those behind them, however long their rows.

    Returns:
        The image and the layers behind it; the unstable neurons of each layer.
    """
    layers, rectified = [image], []
    for stage, interval in zip(stages, bounds, strict=True):
        layer, unstable = _encode_layer(builder, layers, stage, interval, formulation, substitute)
        layers.append(layer)
        rectified.append(unstable)
    return layers, rectified


def _encode_layer(
    builder: ModelBuilder,
    layers: list[Layer],
    stage: AffineMap,
    interval: Interval,
    formulation: Formulation,
    substitute: bool,
) -> tuple[Layer, EncodedReLUs]:
    values = Expression.zeros(stage.width)
    rectified = EncodedReLUs(Expression.zeros(0), Expression.zeros(0))
    active, unstable = interval.active, interval.unstable
    if active.size:
        passed = affine_expression(stage.rows(active), layers)
        if not substitute:
            passed = _shortened(builder, passed, interval.lower[active], interval.upper[active])
        values = values + passed.placed(active, stage.width)
    if unstable.size:
        neurons = UnstableReLUs(
            stage.rows(unstable),
            layers,
            interval.lower[unstable],
            interval.upper[unstable],
        )
        rectified = formulation.encode(builder, neurons)
        values = values + rectified.activation.placed(unstable, stage.width)
    lower, upper = np.maximum(interval.lower, 0.0), np.maximum(interval.upper, 0.0)
    return Layer(values, lower, upper), rectified


def _shortened(
    builder: ModelBuilder, values: Expression, lower: Vector, upper: Vector
) -> Expression:
    """The same values, with a column in place of each long row."""
    long = np.flatnonzero(np.diff(values.matrix.indptr) > _TERMS_TO_REPEAT)
    short = np.setdiff1d(np.arange(len(values)), long)
    named = Expression.of(builder.add_columns(len(long), lower[long], upper[long]))
    builder.add_rows(named - values[long], 0.0, 0.0)
    return named.placed(long, len(values)) + values[short].placed(short, len(values))
