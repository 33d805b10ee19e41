"""The envelope of a ReLU lies above it everywhere, and no concave function lies lower."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog

from advmip.mip.attack_tree.envelope import Envelopes
from advmip.mip.model import Expression, Indices, Matrix, ModelBuilder, Vector

INPUTS, NEURONS = 4, 3


def instance(seed: int) -> tuple[Envelopes, Vector, Vector, Vector, Vector]:
    """Three neurons over four inputs: their envelopes, w, b, and the inputs' box."""
    random = np.random.default_rng(seed)
    lower = random.uniform(-1.0, 0.0, INPUTS)
    upper = lower + random.choice([0.0, 0.5, 2.0], INPUTS, p=[0.1, 0.4, 0.5])
    weights = random.normal(size=(NEURONS, INPUTS)) * (random.random((NEURONS, INPUTS)) < 0.9)
    bias = -weights @ (lower + upper) / 2 + 0.1 * random.normal(size=NEURONS)
    builder = ModelBuilder()
    inputs = Expression.of(builder.add_columns(INPUTS, lower, upper))
    outputs: Indices = builder.add_columns(NEURONS)
    model = builder.build()
    return (
        Envelopes.of(model, inputs.mapped(Matrix(weights)) + bias, outputs),
        weights,
        bias,
        lower,
        upper,
    )


def least_concave(
    weights: Vector, bias: float, box: list[tuple[float, float]], at: Vector
) -> float:
    """The envelope at a point: the best mixture of corners that makes the point."""
    corners = np.array(list(product(*box)))
    values = np.maximum(corners @ weights + bias, 0.0)
    system = np.vstack([corners.T, np.ones(len(corners))])
    found = linprog(-values, A_eq=system, b_eq=np.append(at, 1.0))
    return float(-found.fun)


@pytest.mark.parametrize("seed", range(12))
def test_a_row_holds_for_the_neuron_and_touches_the_envelope(seed: int) -> None:
    envelopes, weights, bias, lower, upper = instance(seed)
    random = np.random.default_rng(seed + 100)
    inputs = random.uniform(lower, upper)
    # Outputs so high that every envelope is violated.
    rows, sides = envelopes.above(np.concatenate([inputs, np.full(NEURONS, 100.0)]), 1e-9)
    neurons = rows.toarray()[:, INPUTS:].argmax(axis=1)
    unstable = np.abs(weights) @ (upper - lower) / 2 > np.abs(weights @ (lower + upper) / 2 + bias)
    assert list(neurons) == list(np.flatnonzero(unstable))
    box = list(zip(lower, upper, strict=True))
    for row, side, neuron in zip(rows.toarray(), sides, neurons, strict=True):
        height = side - row[:INPUTS] @ inputs
        expected = least_concave(weights[neuron], bias[neuron], box, inputs)
        assert height == pytest.approx(expected, abs=1e-7)
        points = random.uniform(lower, upper, (500, INPUTS))
        outputs = np.maximum(points @ weights[neuron] + bias[neuron], 0.0)
        assert (points @ row[:INPUTS] + outputs <= side + 1e-9).all()


@pytest.mark.parametrize("seed", range(4))
def test_a_point_below_its_envelopes_gets_no_row(seed: int) -> None:
    envelopes, weights, bias, lower, upper = instance(seed)
    inputs = np.random.default_rng(seed).uniform(lower, upper)
    outputs = np.maximum(weights @ inputs + bias, 0.0)
    _, sides = envelopes.above(np.concatenate([inputs, outputs]), 1e-9)
    assert len(sides) == 0
