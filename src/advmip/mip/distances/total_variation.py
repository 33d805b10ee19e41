"""Total variation: how much neighbouring pixels differ; alone, or added to L1."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import sparse

from advmip.layout import Layout
from advmip.mip.distances.absolute_values import AbsoluteValues
from advmip.mip.distances.box import Box, change_within
from advmip.mip.distances.distance import Distance, interval_largest
from advmip.mip.distances.l1 import L1, signed_parts
from advmip.mip.model import Expression, Indices, Matrix, Model, ModelBuilder, Vector
from advmip.mip.programs.level_sets import LevelSetProgram, SignedParts
from advmip.mip.programs.linear_program import LinearProgram

# The changes of two pixels of [0, 1] differ by no more: one rises by 1, one falls by 1.
_UNIT = 2.0


class TotalVariation(Distance):
    """How much neighbouring pixels of a channel differ (Ben Mhenni, Section 3).

        anisotropic:  sum_i |d_i - d_right(i)| + |d_i - d_below(i)|
        isotropic:    sum_i sqrt((d_i - d_right(i))^2 + (d_i - d_below(i))^2)

    of the perturbation d, or of the attacked image.

    Args:
        isotropic: Euclidean length of the two differences of a pixel; needs second-order cones.
        image: The attacked image, given (pixels,), in place of the perturbation.
    """

    closed_form = False

    def __init__(self, isotropic: bool = False, image: Vector | None = None) -> None:
        self.isotropic = isotropic
        self.image = image
        self.name = "tv-isotropic" if isotropic else "tv"

    def value(self, perturbation: Vector, box: Box) -> float:
        """The total variation."""
        shown = perturbation if self.image is None else perturbation + self.image
        right, below = (matrix @ shown for matrix in _differences(box.layout))
        if self.isotropic:
            return float(np.sqrt(right**2 + below**2).sum())
        return float(np.abs(right).sum() + np.abs(below).sum())

    def encode(self, builder: ModelBuilder, box: Box) -> Expression:
        """Columns d, and a column above each difference or each pair of differences."""
        change = change_within(builder, box)
        self.encode_of(builder, change, box, cost=1.0)
        return change

    def encode_of(self, builder: ModelBuilder, change: Expression, box: Box, cost: float) -> None:
        """Add cost times the total variation of a perturbation that is already encoded."""
        shown = change if self.image is None else change + self.image
        if self.isotropic:
            pairs = [shown.mapped(matrix) for matrix in _differences(box.layout)]
            self._encode_cones(builder, pairs, _widest(box), cost)
            return
        for matrix in _real_differences(box.layout):
            parts = builder.add_columns(2 * matrix.shape[0], 0.0, _widest(box), objective=cost)
            rising, falling = (Expression.of(half) for half in np.split(parts, 2))
            builder.add_rows(shown.mapped(matrix) - rising + falling, 0.0, 0.0)

    def _encode_cones(
        self, builder: ModelBuilder, differences: list[Expression], most: float, cost: float
    ) -> None:
        pixels = len(differences[0])
        lengths = builder.add_columns(pixels, 0.0, np.sqrt(2.0) * most, objective=cost)
        columns = [builder.add_columns(pixels, -most, most) for _ in differences]
        for column, difference in zip(columns, differences, strict=True):
            builder.add_rows(Expression.of(column) - difference, 0.0, 0.0)
        for pixel in range(pixels):
            builder.add_cone(np.array([column[pixel] for column in columns]), int(lengths[pixel]))

    def absolute_values(self, box: Box) -> AbsoluteValues | None:
        """Those of the differences; none of the isotropic ones, which are lengths."""
        if self.isotropic:
            return None
        differences = Matrix(sparse.vstack(_real_differences(box.layout)))
        count = differences.shape[0]
        still = np.zeros(count) if self.image is None else differences @ self.image
        return AbsoluteValues(differences, still, np.ones(count))

    @property
    def linear(self) -> Distance:
        """The anisotropic one."""
        return TotalVariation(False, self.image) if self.isotropic else self

    def largest(self, weights: Vector, box: Box, radius: float) -> Vector:
        """The whole box: a change that is the same everywhere has no variation."""
        return interval_largest(weights, box)

    def shrunken(self, box: Box, radius: float) -> Box:
        """The box itself, for the same reason."""
        return box


class L1PlusTotalVariation(Distance):
    """L1 + weight * TV: few changes that lie together (Ben Mhenni, Section 3).

    Args:
        weight: Of the total variation, at least 0.
        variation: The total variation.
    """

    closed_form = False

    def __init__(self, weight: float = 1.0, variation: TotalVariation | None = None) -> None:
        self._weight = weight
        self._variation = variation or TotalVariation()
        self._l1 = L1()
        self.name = "l1+tv"

    def value(self, perturbation: Vector, box: Box) -> float:
        """The sum."""
        variation = self._variation.value(perturbation, box)
        return self._l1.value(perturbation, box) + self._weight * variation

    def encode(self, builder: ModelBuilder, box: Box) -> Expression:
        """The columns of L1, and those of the total variation."""
        change = signed_parts(builder, box, 1.0, 1.0)
        self._variation.encode_of(builder, change, box, self._weight)
        return change

    def absolute_values(self, box: Box) -> AbsoluteValues | None:
        """Those of the changes and of the total variation."""
        variation = self._variation.absolute_values(box)
        if variation is None:
            return None
        return self._l1.absolute_values(box).joined(variation, self._weight)

    @property
    def linear(self) -> Distance:
        """The same with the anisotropic variation."""
        variation = self._variation.linear
        assert isinstance(variation, TotalVariation)
        return L1PlusTotalVariation(self._weight, variation)

    @property
    def sifted(self) -> Distance:
        """With sets of pixels in place of differences, where those are the perturbation's."""
        if self._variation.isotropic or self._variation.image is not None:
            return self
        return L1PlusVariationColumn(self._weight)

    def largest(self, weights: Vector, box: Box, radius: float) -> Vector:
        """The L1 ball of this radius holds the set."""
        return self._l1.largest(weights, box, radius)


class L1PlusVariationColumn(L1PlusTotalVariation):
    """L1 + weight * TV for `LevelSetProgram`: p and n, and one column for the variation of both.

    That the column is at least the variation is no row, but what the program knows.
    """

    sparse = True

    @property
    def sifted(self) -> Distance:
        """Itself."""
        return self

    def encode(self, builder: ModelBuilder, box: Box) -> Expression:
        """The columns of L1, and behind them that of the total variation."""
        change = signed_parts(builder, box, 1.0, 1.0)
        pairs = sum(len(first) for first, _ in neighbours(box.layout))
        builder.add_columns(1, 0.0, _widest(box) * pairs, objective=self._weight)
        return change

    def program(
        self, model: Model, change: Expression, box: Box, simplex: Literal["primal", "dual"]
    ) -> LinearProgram:
        """A program of sets of pixels."""
        first, second = (np.concatenate(ends) for ends in zip(*neighbours(box.layout), strict=True))
        entries = sparse.coo_array(change.matrix)
        pixels, columns = entries.coords
        # A falling part's place is behind those of all rising ones.
        places = pixels + len(box.lower) * (entries.data < 0)
        behind = np.array([0, len(box.lower)])[:, None]
        parts = SignedParts.of(
            columns.astype(np.intp),
            places.astype(np.intp),
            (first + behind).ravel(),
            (second + behind).ravel(),
        )
        return LevelSetProgram(model, simplex, parts, variation=int(columns.max()) + 1)


def neighbours(layout: Layout) -> list[tuple[Indices, Indices]]:
    """The pairs of pixels that lie beside each other, and those that lie above each other.

    Pixels of two channels are no neighbours.
    """
    places = layout.planes
    return [
        (places[:, :, :-1].ravel(), places[:, :, 1:].ravel()),
        (places[:, :-1, :].ravel(), places[:, 1:, :].ravel()),
    ]


def _real_differences(layout: Layout) -> list[Matrix]:
    """The same matrices for the pixels alone that have that neighbour."""
    return [Matrix(each[np.flatnonzero(np.diff(each.indptr))]) for each in _differences(layout)]


def _differences(layout: Layout) -> tuple[Matrix, Matrix]:
    """Matrices (pixels, pixels) to the differences with the right and lower neighbour.

    A pixel without that neighbour has an empty row.
    """
    width = layout.planes.size
    matrices = []
    for first, second in neighbours(layout):
        rows = np.concatenate([first, first])
        columns = np.concatenate([first, second])
        values = np.repeat([1.0, -1.0], first.size)
        matrices.append(Matrix(sparse.coo_array((values, (rows, columns)), shape=(width, width))))
    return matrices[0], matrices[1]


def _widest(box: Box) -> float:
    """By how much the changes of two pixels of a box may differ."""
    return max(_UNIT, float(box.upper.max() - box.lower.min()))
