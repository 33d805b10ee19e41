"""What a tree is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from advmip.mip.goals import Goal
from advmip.mip.model import Indices, Vector

# Whether one of some points (N, inputs) meets the goal: that point (inputs,), or None.
Seek = Callable[[Vector], Vector | None]


@dataclass(frozen=True)
class Asked:
    """Cases of a goal that are to be excluded: of each, one of its conditions is always missed.

    Attributes:
        rows: Of all conditions what they lack, as forms in the outputs (1, rows, outputs), less
            `sides`.
        sides: What the conditions must reach (rows,).
        case_of: The case of each condition (rows,), by its place in `cases`.
        cases: The cases' numbers in the goal (cases,).
    """

    rows: Tensor
    sides: Tensor
    case_of: Tensor
    cases: Indices

    @classmethod
    def of(cls, goal: Goal, cases: Sequence[int] | Indices) -> Asked:
        """The cases of a goal with these numbers."""
        chosen = [goal.cases[int(case)] for case in cases]
        matrix = np.concatenate([each.matrix.toarray() for each in chosen])
        counts = [len(each.asked) for each in chosen]
        return cls(
            torch.from_numpy(-matrix)[None],
            torch.from_numpy(np.concatenate([each.sides for each in chosen])),
            torch.from_numpy(np.repeat(np.arange(len(chosen)), counts)),
            np.asarray(cases, np.intp),
        )

    @property
    def several(self) -> bool:
        """Whether a case has several conditions."""
        return len(self.sides) > len(self.cases)

    def with_sums(self, weights: Tensor, largest: Tensor) -> Asked:
        """The same with one more condition of each case: the sum of its own with weights.

        Args:
            weights: Of each case's own conditions (cases, rows), at least 0: where all are met, so
                is their sum, less what rounding may do to it.
            largest: The largest absolute values of the outputs (outputs,).
        """
        size = weights @ (self.rows[0].abs() @ largest + self.sides.abs())
        count = 2 * (len(self.sides) + len(largest)) + 16
        rounding = count * torch.finfo(size.dtype).eps * size
        return Asked(
            torch.cat([self.rows, (weights @ self.rows[0])[None]], 1),
            torch.cat([self.sides, weights @ self.sides - rounding]),
            torch.cat([self.case_of, torch.arange(len(self.cases))]),
            self.cases,
        )

    def by_case(self, lacking: Tensor) -> Tensor:
        """What each case lacks (N, cases), from what conditions lack (N, rows)."""
        least = lacking.new_full((len(lacking), len(self.cases)), -torch.inf)
        return least.scatter_reduce(1, self.case_of.expand(len(lacking), -1), lacking, "amax")


@dataclass(frozen=True)
class TreeProof:
    """What a tree has found in a turn.

    Attributes:
        point: A point (inputs,) that meets the goal; None if none was come across.
        margins: What each asked case lacks at least, proved (cases,); -inf where that is open.
        nodes: How many nodes were bounded in this turn.
        done: The share of the tree that is closed, in [0, 1].
    """

    point: Vector | None
    margins: Vector
    nodes: int
    done: float
