"""Projection onto a polyhedron with few rows in a space of many dimensions: the QP (13).

::

    min 1/2 ||d||^2   s.t.  A d >= c                                   (primal, n variables)
    max c' lambda - 1/2 ||A' lambda||^2   s.t.  lambda >= 0,  d = A' lambda   (dual, m variables)

The number of rows m is far below the number of weights n, and only a few hundred rows are active
at the optimum. A working set of rows is kept with its Gram matrix; the dual over the working set is
solved exactly; rows that its step violates join the working set; and so on until none is violated.
Blocks of rows are priced newest first, and a full sweep proves the end. The working set, its Gram
matrix and its multipliers stay from one iteration of Algorithm 1 to the next.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from advmip.errors import CheckError, InputError
from advmip.finetuning.cuts import CutBlock
from advmip.finetuning.gradient_rows import Rows, inner_products, total_combination
from advmip.finetuning.nonnegative_quadratic import solve_nonnegative

# No step longer than this is an answer: weights of trained networks have norms of tens.
_LONGEST_STEP = 1e6
_FEWEST_ADDED_ROWS = 64
_LARGEST_RELATIVE_GAP = 1e-6


@dataclass(frozen=True)
class ProjectionResult:
    """The optimal step with its proof.

    ``distance`` is ||d||; ``infeasibility`` the largest ``c - A d`` over all rows; ``duality_gap``
    the difference of primal and dual objective relative to the primal one.
    """

    step: Tensor
    distance: float
    infeasibility: float
    duality_gap: float
    rows: int
    working_rows: int
    active_rows: int
    seconds: float


class InfeasibleCutsError(InputError):
    """The cuts admit no step, shown by multipliers that every admissible step contradicts."""


class Projection:
    """Projects the origin onto ``{d : A d >= c}``, where rows may be added between solves."""

    def __init__(self, length: int, device: torch.device, tolerance: float = 1e-6) -> None:
        """Starts without rows.

        Args:
            length: n, the dimension of d.
            device: where the vectors live.
            tolerance: largest admitted ``c - A d``, in units of the network's outputs.
        """
        self._length, self._tolerance = length, tolerance
        self._blocks: list[CutBlock] = []
        self._in_working_set: list[Tensor] = []
        # Largest c - A d of the blocks, by position, that were priced at the present step.
        self._shortfalls: dict[int, float] = {}
        self._chunks: list[Rows] = []
        empty = torch.zeros(0, dtype=torch.float64, device=device)
        self._gram, self._right_hand_side, self._multipliers = empty.view(0, 0), empty, empty

    def add(self, block: CutBlock) -> None:
        """Adds a block of rows."""
        self._blocks.append(block)
        self._in_working_set.append(torch.zeros_like(block.right_hand_side, dtype=torch.bool))

    def solve(self) -> ProjectionResult:
        """Solves to optimality over all rows added so far.

        Raises:
            InfeasibleCutsError: no step satisfies all rows.
            CheckError: the answer fails the check of feasibility or of the duality gap.
        """
        start = time.process_time()
        while True:
            step = total_combination(self._chunks, self._multipliers, self._length)
            self._refuse_infeasible(step)
            if not self._price(step):
                break
            self._shortfalls.clear()
            self._multipliers = solve_nonnegative(
                self._gram, self._right_hand_side, self._multipliers > 0
            )
        infeasibility = max(self._shortfalls.values(), default=0.0)
        return self._checked(step, infeasibility, time.process_time() - start)

    def _price(self, step: Tensor) -> bool:
        """Adds violated rows, newest block first, until enough are found; says whether any was.

        Blocks priced at this very step are left out: a solve begins with the last one's step, at
        which only blocks added since can be violated.
        """
        added = 0
        for position in reversed(range(len(self._blocks))):
            if position in self._shortfalls:
                continue
            block, inside = self._blocks[position], self._in_working_set[position]
            shortfall = block.right_hand_side - block.slopes(step)
            self._shortfalls[position] = float(shortfall.max())
            shortfall[inside] = -torch.inf
            limit = max(_FEWEST_ADDED_ROWS, len(shortfall) // 9)
            worst, rows = shortfall.topk(min(limit, len(shortfall)))
            rows = rows[worst > self._tolerance]
            if len(rows):
                self._grow(block, rows)
                inside[rows] = True
                added += len(rows)
            if added >= limit:
                break
        return added > 0

    def _grow(self, block: CutBlock, rows: Tensor) -> None:
        """Takes rows into the working set: one new block row of the Gram matrix."""
        chunk = block.gradients(rows)
        corner = inner_products(chunk, chunk)
        right_hand_side = block.right_hand_side[rows]
        impossible = (corner.diagonal() == 0) & (right_hand_side > self._tolerance)
        if impossible.any():
            raise _infeasible("a cut whose gradient is zero and whose right-hand side is positive")
        corner.diagonal().clamp_(min=torch.finfo(corner.dtype).tiny)
        old = len(self._multipliers)
        gram = self._gram.new_empty(old + len(rows), old + len(rows))
        gram[:old, :old] = self._gram
        gram[old:, old:] = corner
        start = 0
        for other in self._chunks:
            stop = start + other.count
            gram[old:, start:stop] = inner_products(chunk, other)
            start = stop
        gram[:old, old:] = gram[old:, :old].T
        self._gram = gram
        self._chunks.append(chunk)
        self._right_hand_side = torch.cat([self._right_hand_side, right_hand_side])
        self._multipliers = torch.cat([self._multipliers, torch.zeros_like(right_hand_side)])

    def _refuse_infeasible(self, step: Tensor) -> None:
        """Every admissible step has norm at least ``c' lambda / ||A' lambda||``."""
        promise = float(self._right_hand_side @ self._multipliers)
        if promise > _LONGEST_STEP * float(step.norm()):
            raise _infeasible(
                "multipliers that prove every admissible step longer than "
                f"{_LONGEST_STEP:.0e} (norm of their combination {float(step.norm()):.1e}, "
                f"right-hand side {promise:.1e})"
            )

    def _checked(self, step: Tensor, infeasibility: float, seconds: float) -> ProjectionResult:
        primal = 0.5 * float(step @ step)
        dual = float(self._right_hand_side @ self._multipliers) - primal
        gap = abs(primal - dual) / max(primal, 1.0)
        scale = float(self._right_hand_side.abs().max()) if len(self._chunks) else 1.0
        allowed = self._tolerance * max(1.0, scale)
        if infeasibility > allowed or gap > _LARGEST_RELATIVE_GAP:
            raise CheckError(
                f"projection: largest violation {infeasibility:.2e} (allowed {allowed:.0e}), "
                f"relative duality gap {gap:.2e} (allowed {_LARGEST_RELATIVE_GAP:.0e})"
            )
        return ProjectionResult(
            step=step,
            distance=float(step.norm()),
            infeasibility=max(infeasibility, 0.0),
            duality_gap=gap,
            rows=sum(len(block.right_hand_side) for block in self._blocks),
            working_rows=len(self._multipliers),
            active_rows=int((self._multipliers > 0).sum()),
            seconds=seconds,
        )


def _infeasible(found: str) -> InfeasibleCutsError:
    return InfeasibleCutsError(
        subject="cuts of the projection (13)",
        found=found,
        expected="at least one change of the weights that satisfies all cuts",
        mend="allow a larger loss (loss_slack), fewer adversarial points, or a smaller radius",
    )
