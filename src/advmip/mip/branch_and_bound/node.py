"""A node of the tree: which neurons it holds active or inactive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advmip.mip.model import Vector

# For each unstable neuron (neurons,): held active, held inactive, or open.
Signs = NDArray[np.int8]
ACTIVE, INACTIVE, OPEN = 1, -1, 0


@dataclass(frozen=True, slots=True)
class Branching:
    """How a node came out of another one.

    Attributes:
        neuron: The neuron that it holds in addition.
        side: `ACTIVE` or `INACTIVE`.
        error: By how much the parent's point misses that side: its s or its x.
        value: The parent's value.
    """

    neuron: int
    side: int
    error: float
    value: float


@dataclass(frozen=True, slots=True)
class Node:
    """A part of the problem.

    Attributes:
        signs: What it holds (neurons,).
        bound: No attack in it has a smaller objective.
        branching: How it came about; None for the root.
    """

    signs: Signs
    bound: float
    branching: Branching | None = None


@dataclass(frozen=True, slots=True)
class NodePoint:
    """The optimum of a node's relaxation.

    Attributes:
        value: Its objective.
        change: The perturbation (pixels,).
        outputs: x of each unstable neuron (neurons,).
        slacks: s of each, where x - s is what enters it.
        range_up: The largest x that the neuron's bounds allow.
        range_down: The largest s.
    """

    value: float
    change: Vector
    outputs: Vector
    slacks: Vector
    range_up: Vector
    range_down: Vector

    @property
    def errors(self) -> Vector:
        """By how much x exceeds max(x - s, 0)."""
        return np.minimum(self.outputs, self.slacks)
