"""A sum of absolute values with a column for each of them, as MIPVerify.jl writes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from advmip.mip.distances.box import Box, change_within
from advmip.mip.model import Expression, Matrix, ModelBuilder, Vector, range_over


@dataclass(frozen=True)
class AbsoluteValues:
    """sum_k c_k |F d + f|_k over a perturbation d.

    Attributes:
        forms: F (count, pixels).
        constants: f (count,).
        costs: c (count,), at least 0.
    """

    forms: Matrix
    constants: Vector
    costs: Vector

    def joined(self, other: AbsoluteValues, weight: float) -> AbsoluteValues:
        """This sum, and another one times a weight, at least 0."""
        return AbsoluteValues(
            Matrix(sparse.vstack([self.forms, other.forms])),
            np.concatenate([self.constants, other.constants]),
            np.concatenate([self.costs, weight * other.costs]),
        )

    def encode(self, builder: ModelBuilder, box: Box) -> Expression:
        """Add d, and t_k >= (F d + f)_k, t_k >= -(F d + f)_k at cost c_k.

        Where the box leaves a form one sign, the form itself stands in the objective.

        Returns:
            The perturbation (pixels,) in the model's columns.
        """
        lower, upper = (
            side + self.constants for side in range_over(self.forms, box.lower, box.upper)
        )
        sign = np.where(lower >= 0, 1.0, np.where(upper <= 0, -1.0, 0.0))
        fixed = sign * self.costs
        change = change_within(builder, box, objective=fixed @ self.forms)
        builder.add_constant(float(fixed @ self.constants))
        open_ = np.flatnonzero(sign == 0)
        forms = change.mapped(Matrix(self.forms[open_])) + self.constants[open_]
        most = np.maximum(-lower, upper)[open_]
        sizes = Expression.of(
            builder.add_columns(len(open_), 0.0, most, objective=self.costs[open_])
        )
        builder.add_rows(sizes - forms, lower=0.0)
        builder.add_rows(sizes + forms, lower=0.0)
        return change
