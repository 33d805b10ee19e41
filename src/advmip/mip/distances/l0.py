"""L0: the number of changed pixels."""

from __future__ import annotations

from math import floor

import numpy as np

from advmip.mip.distances.box import Box, change_within
from advmip.mip.distances.distance import Distance
from advmip.mip.distances.l1 import signed_parts
from advmip.mip.model import Expression, ModelBuilder, Vector

_ROUNDING = 1e-6


class L0(Distance):
    """The number of i with d_i != 0: a binary u_i with lower_i u_i <= d_i <= upper_i u_i.

    Zhu's equation (17), with the room that a pixel has in place of 1. A pixel is one number of
    one channel.
    """

    name = "l0"
    counting = True
    # Changes below this are rounding, not changes.
    unchanged = 1e-9

    def value(self, perturbation: Vector, box: Box) -> float:
        """The number of changed pixels."""
        return float((np.abs(perturbation) > self.unchanged).sum())

    def encode(self, builder: ModelBuilder, box: Box) -> Expression:
        """Columns d and u, u at cost 1."""
        change = change_within(builder, box)
        changed = builder.add_columns(len(box.lower), 0.0, 1.0, objective=1.0, integer=True)
        used = Expression.of(changed)
        rising, falling = np.flatnonzero(box.upper > 0), np.flatnonzero(box.lower < 0)
        most, least = used.times(box.upper), used.times(box.lower)
        builder.add_rows(change[rising] - most[rising], upper=0.0)
        builder.add_rows(change[falling] - least[falling], lower=0.0)
        return change

    def encode_ball(
        self, builder: ModelBuilder, box: Box, radius: float
    ) -> tuple[Expression, Expression]:
        """With fractions of u allowed, u is the share of its reach that a pixel changes by.

        So the relaxed ball is an L1 ball in those shares, without u.
        """
        change = signed_parts(
            builder,
            box,
            1.0 / np.maximum(box.upper, self.unchanged),
            1.0 / np.maximum(-box.lower, self.unchanged),
        )
        return change, builder.limit_objective(radius)

    def largest(self, weights: Vector, box: Box, radius: float) -> Vector:
        """The k pixels of largest effect are changed as far as they go."""
        effect = np.abs(weights) * box.reach(weights)
        if not radius < effect.shape[1]:
            return np.asarray(effect.sum(axis=1))
        # A relaxation may change fractions of pixels, hence the part of the next one.
        whole = int(radius)
        ordered = -np.sort(-effect, axis=1)
        return np.asarray(ordered[:, :whole].sum(axis=1) + (radius - whole) * ordered[:, whole])

    def distance(self, objective: float) -> float:
        """The next whole number: no distance lies between."""
        return float(np.ceil(objective - _ROUNDING))

    def shrunken(self, box: Box, radius: float) -> Box:
        """One changed pixel may go anywhere."""
        return box

    def cutoff(self, radius: float, gap: float) -> float:
        """Nearer is a whole pixel nearer."""
        return radius - 0.5

    def grown(self, radius: float, factor: float) -> float:
        """Larger by a whole pixel or more."""
        return float(max(floor(radius) + 1, floor(factor * radius)))
