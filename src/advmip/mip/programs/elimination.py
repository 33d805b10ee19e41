"""Equalities used up: each makes one column of a model an affine form in the others."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lu_factor, lu_solve, qr

from advmip.mip.deadline import dense_checkpoint
from advmip.mip.model import Flags, Model, Vector


class Elimination:
    """The columns that are left of a model, and the others in terms of them.

    Args:
        model: The model.
        equal: Which of its rows are equalities (rows,).

    Attributes:
        kept: The columns that are left.
        gone: The others, a column without cost for each equality.
        forms: What they are (gone, kept) ...
        constants: ... and their constants (gone,).
    """

    def __init__(self, model: Model, equal: Flags) -> None:
        equalities, columns = int(equal.sum()), len(model.lower)
        dense_checkpoint(4.0 * equalities**2 * columns)
        system = model.matrix[equal].toarray()
        idle = np.flatnonzero((model.squares == 0) & (model.objective == 0))
        order = qr(system[:, idle], mode="r", pivoting=True)[1]
        self.gone = idle[order[:equalities]]
        self.kept = np.setdiff1d(np.arange(columns), self.gone)
        factors = lu_factor(system[:, self.gone])
        self.forms: Vector = -lu_solve(factors, system[:, self.kept])
        self.constants: Vector = lu_solve(factors, model.row_upper[equal])

    def reduced(self, rows: Vector) -> tuple[Vector, Vector]:
        """Rows (rows, columns), or one (columns,), in the columns that are left, and constants."""
        gone = rows[..., self.gone]
        return rows[..., self.kept] + gone @ self.forms, gone @ self.constants

    def point(self, kept: Vector) -> Vector:
        """A point (columns,) from its values in the columns that are left."""
        point = np.empty(len(self.kept) + len(self.gone))
        point[self.kept], point[self.gone] = kept, self.forms @ kept + self.constants
        return point
