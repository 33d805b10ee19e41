"""A node of the tree: which neurons it holds active or inactive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
        bound: No point of interest in it has a smaller objective.
        branching: How it came about; None for the root.
    """

    signs: Signs
    bound: float
    branching: Branching | None = None

    def child_signs(self, neuron: int, side: int) -> Signs:
        """What the child holds that holds a neuron on a side besides (neurons,)."""
        signs = self.signs.copy()
        signs[neuron] = side
        return signs
