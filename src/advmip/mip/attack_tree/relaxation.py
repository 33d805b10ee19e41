"""The relaxation of a node: the whole problem with a triangle for each neuron that is open.

With l <= p <= u what enters a neuron, x what leaves it and s = x - p,

    x >= 0,   s >= 0,   x / u + s / -l <= 1,

which is x >= 0, x >= p, x <= u (p - l) / (u - l) (Ben Mhenni, Section 3.1). A neuron is held
active by s = 0 and inactive by x = 0: from node to node only bounds of columns change, the last
basis stays feasible for the dual, and the dual simplex method goes on from it. Rows of the neurons'
concave envelopes (`envelope.py`), found at the root, hold in every node; so do the prices of the
products x s that quadratic programs have in their place (`programs/product_prices.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advmip.mip.attack_tree.envelope import Envelopes
from advmip.mip.branch_and_bound.branching import NodePoint
from advmip.mip.branch_and_bound.node import ACTIVE, INACTIVE, OPEN, Signs
from advmip.mip.encoding import Interval
from advmip.mip.formulations.triangle import Triangle
from advmip.mip.problem import Problem, encode
from advmip.mip.programs.linear_program import LinearProgram
from advmip.mip.programs.quadratic_program import QuadraticProgram
from advmip.mip.projection import in_coordinates

# An envelope's row is added if the point violates it by this share of the neuron's range.
_VIOLATION = 1e-4
_ROUNDS = 40
# Rounds that raise the root's value by no more than this share, so many in a row, are the last.
_GAIN = 0.005
_PATIENCE = 8


class Relaxation:
    """One linear program for all nodes.

    Args:
        problem: The problem, with a linear distance and one winner.
        bounds: Bounds of the neurons that hold over the problem's box.
    """

    def __init__(self, problem: Problem, bounds: Sequence[Interval]) -> None:
        triangles = Triangle()
        projection = in_coordinates(problem)
        self._lifted = projection.lifted
        encoding = encode(projection.problem, bounds, triangles)
        self._change = encoding.change
        self._outputs, self._slacks = triangles.positive, triangles.negative
        self._constant = encoding.model.constant
        self._largest_outputs = encoding.model.upper[self._outputs]
        self._largest_slacks = encoding.model.upper[self._slacks]
        self._program = encoding.convex_program()
        self._rows = len(encoding.model.row_lower)
        inputs = [
            entering[interval.unstable]
            for entering, interval in zip(encoding.preactivations[:-1], bounds[:-1], strict=True)
        ]
        places = np.cumsum([0, *(len(each) for each in inputs)])
        self._envelopes = [
            Envelopes.of(encoding.model, each, self._outputs[first : first + len(each)])
            for each, first in zip(inputs, places, strict=False)
            if len(each)
        ]
        self._held: Signs = np.full(self.neurons, OPEN, np.int8)

    @property
    def neurons(self) -> int:
        """How many neurons are unstable."""
        return len(self._outputs)

    def strengthen(self) -> None:
        """Lift the root, and with it the whole tree.

        Linear programs get rows of the neurons' envelopes where the optimum violates them, until a
        round gains little; quadratic programs the products x s in their objective.
        """
        if isinstance(self._program, QuadraticProgram):
            self._program.price_products(self._outputs, self._slacks)
        else:
            self._add_envelopes(self._program)

    def _add_envelopes(self, program: LinearProgram) -> None:
        """Add rows of envelopes at the root's optimum, round after round; keep those that bind."""
        before = program.resolve()
        stalled = 0
        for _ in range(_ROUNDS):
            if not np.isfinite(before):
                return
            columns = program.point()
            found = [each.above(columns, _VIOLATION) for each in self._envelopes]
            if not sum(len(sides) for _, sides in found):
                break
            for matrix, sides in found:
                program.add_rows(matrix, sides)
            now = program.resolve()
            stalled = stalled + 1 if now < before + _GAIN * abs(now) else 0
            before = now
            if stalled == _PATIENCE:
                break
        loose = program.loose_rows()
        program.drop_rows(loose[loose >= self._rows])

    def stop_above(self, objective: float) -> None:
        """Nodes whose value exceeds this one are of no interest."""
        self._program.stop_above(objective - self._constant)

    def value(self, signs: Signs) -> float:
        """The smallest objective of a node.

        Args:
            signs: What the node holds (neurons,).

        Returns:
            inf if it is of no interest; -inf if the solver cannot say.
        """
        moved = np.flatnonzero(signs != self._held)
        if moved.size:
            new = signs[moved]
            upper = np.concatenate(
                [
                    np.where(new == INACTIVE, 0.0, self._largest_outputs[moved]),
                    np.where(new == ACTIVE, 0.0, self._largest_slacks[moved]),
                ]
            )
            columns = np.concatenate([self._outputs[moved], self._slacks[moved]])
            self._program.set_bounds(np.zeros(len(columns)), upper, columns)
            self._held = signs
        found = self._program.resolve()
        if found == -np.inf:
            self._program.forget_basis()
            found = self._program.resolve()
        return found + self._constant

    def point(self, value: float) -> NodePoint:
        """Where the last node has its value."""
        columns = self._program.point()
        return NodePoint(
            value=value,
            change=self._lifted(self._change.values(columns)),
            outputs=columns[self._outputs],
            slacks=columns[self._slacks],
            largest_slacks=self._largest_slacks,
        )
