"""Linear programs most of whose columns stay at 0: the simplex method works on the others only.

The nearest attack changes some ten pixels of hundreds, but a step of the simplex method would take
the columns of all. So columns *rest* at 0, outside the program. The multipliers y of a solve give
each of them a reduced cost c_j - a_j'y; where it is negative, the column comes in for good and the
program is solved again (sifting, Bixby et al. 1992). A program without a point has a ray of
multipliers instead, for which the same holds with c_j = 0.

What comes in may also be a *pattern*, several columns that move together (`level_sets.py`): the
program has a column for each pattern, and those of the model are what its patterns add up to.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from scipy import sparse

from advmip.mip.model import Indices, Matrix, Model, Vector
from advmip.mip.programs.linear_program import LinearProgram, places_of

# A reduced cost is negative from here on, where the largest entry of a ray is 1.
_NEGATIVE = -1e-9
# So many columns come in at a time, or this share of those that rest at first.
_BATCH = 20
_SHARE = 0.01
# With more than so many batches, those that cost most rest again before the next objective.
_MANY = 6

# Patterns over the columns of the model (patterns, columns).
Patterns = sparse.csr_array


class SiftedProgram(LinearProgram):
    """A linear program in which columns rest until they are wanted.

    Args:
        model: As for `LinearProgram`.
        simplex: The simplex method.
        resting: Columns with the lower bound 0 that rest at first.
    """

    def __init__(self, model: Model, simplex: Literal["primal", "dual"], resting: Indices) -> None:
        # The columns of the model as rows (columns, rows): any of them is a cheap slice.
        self._coefficients = _transposed(model.matrix)
        self._costs = model.objective
        present = np.setdiff1d(np.arange(len(model.lower)), resting)
        if not present.size:
            # Of an empty program HiGHS says nothing.
            present, resting = resting[:1], resting[1:]
        self._resting = resting
        self._sifted = np.zeros(len(model.lower), bool)
        self._sifted[resting] = True
        self._batch = max(_BATCH, int(_SHARE * len(resting)))
        self._patterns = unit_patterns(present, len(model.lower))
        # Where in the program a column of the model stands alone; -1 if it does not.
        self._places = np.full(len(model.lower), -1)
        self._places[present] = np.arange(len(present))
        super().__init__(_part(model, present), simplex)
        # What the multipliers prove, they prove over all columns.
        self._model = model
        self._limits = np.stack([model.lower, model.upper])

    @property
    def taking_part(self) -> int:
        """How many columns the program has."""
        return int(self._patterns.shape[0])

    def resolve(self) -> float:
        """The smallest value of the objective as it is, over all columns."""
        while True:
            value = super().resolve()
            if not self._enlarged(value):
                return value

    def point(self) -> Vector:
        """Where the last solve ended (columns,)."""
        lengths = np.diff(self._patterns.indptr)
        moved = self._patterns.data * np.repeat(super().point(), lengths)
        return np.asarray(np.bincount(self._patterns.indices, moved, len(self._places)), np.float64)

    def reduced_costs(self) -> Vector:
        """The reduced cost of each column in the last solve; 0 for those that rest."""
        alone = self._places >= 0
        costs = np.zeros(len(self._places))
        costs[alone] = super().reduced_costs()[self._places[alone]]
        return costs

    def set_costs(self, objective: Vector) -> None:
        """Another objective (columns,)."""
        self._forget()
        self._costs = objective
        super().set_costs(self._patterns @ objective)

    def add_rows(self, matrix: Matrix, upper: Vector) -> None:
        """More rows: matrix @ x <= upper."""
        super().add_rows(Matrix(matrix @ self._patterns.T), upper)
        more = _transposed(matrix)
        self._coefficients = sparse.csr_array(sparse.hstack([self._coefficients, more]))

    def drop_rows(self, rows: Indices) -> None:
        """Remove rows."""
        super().drop_rows(rows)
        kept = np.setdiff1d(np.arange(self._coefficients.shape[1]), rows)
        self._coefficients = sparse.csr_array(self._coefficients[:, kept])

    def _enlarged(self, value: float) -> bool:
        """Bring in what would lower the last solve's optimum; whether there was anything."""
        wanted = self._wanted(value)
        if wanted.size:
            self._places[wanted] = self.taking_part + np.arange(len(wanted))
            self._resting = self._resting[self._places[self._resting] < 0]
            units = unit_patterns(wanted, len(self._places))
            self._take_in(units, self._coefficients[wanted], self._limits[1, wanted])
        return bool(wanted.size)

    def _forget(self) -> None:
        """Let columns that came in rest again: with many, every further solve would be dearer."""
        came = np.flatnonzero(self._sifted & (self._places >= 0))
        gone = came[self._dearest(self._places[came], _MANY * self._batch)]
        if not gone.size:
            return
        self._drop_patterns(self._places[gone])
        self._places[gone] = -1
        self._resting = np.flatnonzero(self._sifted & (self._places < 0))
        # Those behind a column that went move up.
        alone = np.flatnonzero(self._places >= 0)
        self._places[alone[np.argsort(self._places[alone])]] = np.arange(len(alone))

    def _dearest(self, places: Indices, many: int) -> Indices:
        """Which of some columns of the program go where there are more than so many.

        They are the half of them that costs most, as far as the last solve left it at 0.
        """
        if len(places) <= many:
            return places[:0]
        solution = self._inner.getSolution()
        if not solution.dual_valid:
            return places[:0]
        costs = np.array(solution.col_dual)[places]
        order = np.argsort(costs)[many // 2 :]
        return order[costs[order] > 0.0]

    def _wanted(self, value: float) -> Indices:
        """The resting columns that would lower the last solve's optimum most."""
        if value == -np.inf:
            return self._resting[:0]
        costs = self._all_reduced_costs()
        if costs is None:
            return self._resting
        wanted = self._resting[costs[self._resting] < _NEGATIVE]
        if len(wanted) > self._batch:
            wanted = wanted[np.argpartition(costs[wanted], self._batch)[: self._batch]]
        return wanted

    def _all_reduced_costs(self) -> Vector | None:
        """Those of all columns, resting or not, in the last solve; None if it has no ray."""
        if self.infeasible:
            ray = self._ray()
            return None if ray is None else -(self._coefficients @ (ray / np.abs(ray).max()))
        return np.asarray(self._costs - self._coefficients @ self.multipliers())

    def _change_coefficients(self, rows: Indices, columns: Indices, values: Vector) -> None:
        """Those of columns that stand alone."""
        self._coefficients.data[places_of(self._coefficients, columns, rows)] = values
        super()._change_coefficients(rows, self._places[columns], values)

    def _change_bounds(self, columns: Indices) -> None:
        """Those of resting columns wait until they come in; their lower bounds remain 0."""
        present = columns[self._places[columns] >= 0]
        places = self._places[present].astype(np.int32)
        self._inner.changeColsBounds(len(places), places, *self._limits[:, present])

    def _bring_in(self, patterns: Patterns, upper: Vector) -> None:
        """Let patterns take part from now on, each up to a bound (patterns,)."""
        self._take_in(patterns, sparse.csr_array(patterns @ self._coefficients), upper)

    def _take_in(self, patterns: Patterns, coefficients: Patterns, upper: Vector) -> None:
        """The same for patterns whose coefficients in each row (patterns, rows) are known."""
        costs = patterns @ self._costs
        self._add_columns(coefficients, costs, np.zeros_like(upper), upper)
        self._patterns = _stacked(self._patterns, patterns)

    def _drop_patterns(self, places: Indices) -> None:
        """Take patterns out that the last solve left at 0, by their places in the program."""
        self._inner.deleteCols(len(places), np.sort(places).astype(np.int32))
        kept = np.setdiff1d(np.arange(self.taking_part), places)
        self._patterns = Patterns(self._patterns[kept])


def unit_patterns(columns: Indices, width: int) -> Patterns:
    """Each column of a model, of so many, as a pattern of its own."""
    count = len(columns)
    return Patterns((np.ones(count), columns, np.arange(count + 1)), shape=(count, width))


def _transposed(matrix: Matrix) -> sparse.csr_array:
    """A' of A (rows, columns)."""
    return sparse.csr_array(sparse.csc_array(matrix).T)


def _stacked(first: Patterns, second: Patterns) -> Patterns:
    """Patterns and more patterns; scipy's own way takes several times as long."""
    parts = (
        np.concatenate([first.data, second.data]),
        np.concatenate([first.indices, second.indices]),
        np.concatenate([first.indptr, first.indptr[-1] + second.indptr[1:]]),
    )
    return Patterns(parts, shape=(first.shape[0] + second.shape[0], first.shape[1]))


def _part(model: Model, columns: Indices) -> Model:
    """Some columns of a model."""
    return replace(
        model,
        lower=model.lower[columns],
        upper=model.upper[columns],
        objective=model.objective[columns],
        squares=model.squares[columns],
        integer=model.integer[columns],
        matrix=Matrix(model.matrix[:, columns]),
    )
