"""Linear programs most of whose columns stay at 0: the simplex method works on the others only.

The nearest attack changes some ten pixels of hundreds, but a step of the simplex method would take
the columns of all. So columns *rest* at 0, outside the program. The multipliers y of a solve give
each of them a reduced cost c_j - a_j'y; where it is negative, the column comes in for good and the
program is solved again (sifting, Bixby et al. 1992). A program without a point has a ray of
multipliers instead, for which the same holds with c_j = 0.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from scipy import sparse

from advmip.mip.model import Indices, Matrix, Model, Vector
from advmip.mip.solvers.linear_program import LinearProgram

# A reduced cost is negative from here on, where the largest entry of a ray is 1.
_NEGATIVE = -1e-9
# So many columns come in at a time.
_BATCH = 20


class SiftedProgram(LinearProgram):
    """A linear program in which columns rest until they are wanted.

    Args:
        model: As for `LinearProgram`.
        simplex: The simplex method.
        resting: Columns with the lower bound 0 that rest at first.
    """

    def __init__(self, model: Model, simplex: Literal["primal", "dual"], resting: Indices) -> None:
        self._matrix = sparse.csc_array(model.matrix)
        self._costs = model.objective
        self._resting = resting
        self._columns = np.setdiff1d(np.arange(len(model.lower)), resting)
        super().__init__(_part(model, self._columns), simplex)
        # What the multipliers prove, they prove over all columns.
        self._model = model
        self._limits = np.stack([model.lower, model.upper])
        self._renumber()

    @property
    def taking_part(self) -> int:
        """How many columns do not rest."""
        return len(self._columns)

    def resolve(self) -> float:
        """The smallest value of the objective as it is, over all columns."""
        while True:
            value = super().resolve()
            wanted = self._wanted(value)
            if not wanted.size:
                return value
            self._bring_in(wanted)

    def point(self) -> Vector:
        """Where the last solve ended (columns,)."""
        return self._spread(super().point())

    def reduced_costs(self) -> Vector:
        """The reduced cost of each column in the last solve; 0 for those that rest."""
        return self._spread(super().reduced_costs())

    def set_costs(self, objective: Vector) -> None:
        """Another objective (columns,)."""
        self._costs = objective
        super().set_costs(objective[self._columns])

    def add_rows(self, matrix: Matrix, upper: Vector) -> None:
        """More rows: matrix @ x <= upper."""
        super().add_rows(Matrix(matrix[:, self._columns]), upper)
        self._matrix = sparse.csc_array(sparse.vstack([self._matrix, matrix]))
        self._renumber()

    def drop_rows(self, rows: Indices) -> None:
        """Remove rows."""
        super().drop_rows(rows)
        kept = np.setdiff1d(np.arange(self._matrix.shape[0]), rows)
        self._matrix = sparse.csc_array(self._matrix[kept])
        self._renumber()

    def _wanted(self, value: float) -> Indices:
        """The resting columns that would lower the last solve's optimum most."""
        if value == -np.inf:
            return self._resting[:0]
        if self.infeasible:
            ray = self._ray()
            if ray is None:
                return self._resting
            reduced = -self._coefficients @ (ray / np.abs(ray).max())
        else:
            reduced = self._costs[self._resting] - self._coefficients @ self.multipliers()
        order = np.argsort(reduced)[:_BATCH]
        wanted: Indices = self._resting[order[reduced[order] < _NEGATIVE]]
        return wanted

    def _change_bounds(self, columns: Indices) -> None:
        """Those of resting columns wait until they come in; their lower bounds remain 0."""
        present = columns[self._places[columns] >= 0]
        places = self._places[present].astype(np.int32)
        self._inner.changeColsBounds(len(places), places, *self._limits[:, present])

    def _bring_in(self, columns: Indices) -> None:
        """Let columns take part from now on."""
        self._add_columns(self._matrix[:, columns], self._costs[columns], *self._limits[:, columns])
        self._columns = np.append(self._columns, columns)
        self._resting = np.setdiff1d(self._resting, columns)
        self._renumber()

    def _renumber(self) -> None:
        """Columns have come in, or rows have come or gone."""
        self._places = np.full(self._matrix.shape[1], -1)
        self._places[self._columns] = np.arange(len(self._columns))
        self._coefficients = self._matrix[:, self._resting].T

    def _spread(self, values: Vector) -> Vector:
        spread = np.zeros(len(self._places))
        spread[self._columns] = values
        return spread


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
