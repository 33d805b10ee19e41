"""What a sign moves in the bounds behind it, against those that are found with it."""

from __future__ import annotations

import numpy as np
import torch

from advmip.mip.bounds.lines import Multipliers, Sides
from advmip.mip.verification_tree.branching import Split, moved_behind
from advmip.mip.verification_tree.neurons import Bounded

SPLIT = Split(0, 1)


def bounds(*pairs: tuple[float, float]) -> Sides:
    lower, upper = torch.tensor(pairs, dtype=torch.float64).T
    return Sides(lower[None], upper[None])


def test_a_sign_moves_a_bound_by_what_its_triangle_cost_it() -> None:
    """Behind relu(p), p in [-1, 3], the input 2 - relu(p) of a neuron.

    Its lower bound pays for the triangle, whose offset is 3 / 4, its upper one does not; 3 lie
    between them.
    """
    first, second = bounds((1.0, 2.0), (-1.0, 3.0)), bounds((-1.0, 2.0), (0.5, 1.0))
    slack = {1: torch.tensor([[0.0, 1.0], [0.0, 0.0]])}
    behind = Bounded(torch.tensor([0]), Multipliers([]), slack)
    moved = moved_behind(SPLIT, [first, second], [None, behind])
    assert np.isclose(moved, 0.75 / 3.0 / 2.0)


def test_nothing_is_moved_where_nothing_is_behind() -> None:
    first = bounds((1.0, 2.0), (-1.0, 3.0))
    assert moved_behind(SPLIT, [first], [None]) == 0.0
    assert moved_behind(SPLIT, [first, first], [None, None]) == 0.0
