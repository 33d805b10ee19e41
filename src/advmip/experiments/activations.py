"""Rows on neurons."""

from __future__ import annotations

from advmip.experiments.rows import Row
from advmip.mip import ActivationMaximum
from advmip.mip.encoding import Interval


def activation_columns(
    layer: int, unit: int, method: str, bounds: Interval, found: ActivationMaximum
) -> Row:
    """What a row says of a neuron, its strongest input checked.

    Args:
        layer: The layer of ReLUs, from 1.
        unit: The neuron, from 0.
        method: Where the bounds come from, as in `network_bounds`.
        bounds: Of the whole layer.
        found: The neuron's strongest input.
    """
    return {
        "layer": layer,
        "unit": unit,
        "bounds": method,
        "lower": float(bounds.lower[unit]),
        "upper": float(bounds.upper[unit]),
        "outcome": found.status.value,
        "activation": found.activation,
        "activation_bound": found.upper_bound,
        "solver_taken": found.solver,
        "solver_reason": found.reason,
        "nodes": found.nodes,
        "seconds_total": found.processor_seconds,
        "seconds_solver": found.seconds_solver,
        "status": "ok",
        "checked": True,
    }
