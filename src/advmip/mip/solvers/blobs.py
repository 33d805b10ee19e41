"""Linear programs over changes whose total variation costs: what comes in are sets of pixels.

Let c >= 0 be the rising or the falling parts of a change and v a column with v >= TV(c), the sum of
|c_i - c_j| over neighbours. Such a c is a mixture of sets of pixels,

    c = sum_S a_S 1_S,   a_S >= 0,   with   TV(c) = sum_S a_S cut(S)

for its level sets S, where cut(S) counts the neighbours of which S holds one (coarea formula). So
one column for each set that is wanted takes the place of all differences between neighbours. With
reduced costs r of the parts and r_v of v, that of a set is r(S) + r_v cut(S); the cheapest set is a
minimum cut, and its connected parts come in. Rows c_i <= u_i join where they are violated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from advmip.mip.model import Indices, Matrix, Model, Vector
from advmip.mip.solvers.minimum_cut import Graph
from advmip.mip.solvers.sifting import Patterns, SiftedProgram

# A set is wanted if its reduced cost is below this, for each of its pixels.
_NEGATIVE = -1e-6
# A part is too large if it exceeds its bound by this.
_TOO_LARGE = 1e-7
# With more sets than this, the half with the largest reduced costs goes again.
_MANY = 400


@dataclass(frozen=True)
class Parts:
    """The rising or the falling parts of a change.

    Attributes:
        columns: Their columns (pixels,), of those that can change so.
        border: How many neighbours of each cannot (pixels,).
        graph: The pixels that can, and which of them are neighbours.
    """

    columns: Indices
    border: Vector
    graph: Graph

    @staticmethod
    def of(columns: Indices, places: Indices, first: Indices, second: Indices) -> Parts:
        """Those of some pixels of an image.

        Args:
            columns: The columns (count,).
            places: The pixels (count,).
            first: One pixel of each pair of neighbours (pairs,).
            second: The other one (pairs,).
        """
        number = np.full(max(first.max(initial=-1), second.max(initial=-1), *places) + 1, -1)
        number[places] = np.arange(len(places))
        ends = np.stack([number[first], number[second]])
        both = (ends >= 0).all(axis=0)
        alone = ends[:, (ends >= 0).sum(axis=0) == 1].max(axis=0, initial=-1)
        border = np.bincount(alone, minlength=len(places)).astype(np.float64)
        return Parts(columns, border, Graph(len(places), *ends[:, both]))


class BlobProgram(SiftedProgram):
    """A linear program whose columns for changes come in as sets of pixels.

    Args:
        model: As for `LinearProgram`, with the lower bound 0 of all parts and a finite upper one of
            the variation.
        simplex: The simplex method.
        parts: Those that rise and those that fall.
        variation: The column v that is at least their total variation, and so stated nowhere else.
    """

    def __init__(
        self,
        model: Model,
        simplex: Literal["primal", "dual"],
        parts: Sequence[Parts],
        variation: int,
    ) -> None:
        self._parts = parts
        self._variation = variation
        self._changing = np.concatenate([each.columns for each in parts])
        super().__init__(model, simplex, self._changing)

    def _enlarged(self, value: float) -> bool:
        """Bring in rows that the point violates, else sets that would lower the optimum."""
        if value == -np.inf:
            return False
        if value < np.inf:
            if self._limit_parts():
                return True
            self._forget_sets()
        costs = self._all_reduced_costs()
        if costs is None:
            found = [self._single_pixels(parts) for parts in self._parts]
            self._resting = self._resting[:0]
        else:
            found = [self._wanted_sets(parts, costs) for parts in self._parts]
        patterns = Patterns(sparse.vstack(found))
        if not patterns.shape[0]:
            return False
        self._bring_in(patterns, np.full(patterns.shape[0], np.inf))
        return True

    def _forget_sets(self) -> None:
        """Let the sets go that cost most, where there are many; they may come in again."""
        others = len(self._places) - len(self._changing)
        if self.taking_part - others <= _MANY:
            return
        costs = self._inner.getSolution().col_dual[others:]
        order = others + np.argsort(costs)[_MANY // 2 :]
        gone = order[np.array(costs)[order - others] > 0.0]
        self._drop_patterns(gone)

    def _limit_parts(self) -> bool:
        """Add the bounds of parts that the point exceeds, as rows; whether there were any."""
        changed = self.point()[self._changing]
        most = self._limits[1, self._changing]
        exceeded = np.flatnonzero(changed > most + _TOO_LARGE)
        if not exceeded.size:
            return False
        width = len(self._places)
        rows = sparse.csr_array(
            (np.ones(len(exceeded)), self._changing[exceeded], np.arange(len(exceeded) + 1)),
            shape=(len(exceeded), width),
        )
        self.add_rows(Matrix(rows), most[exceeded])
        return True

    def _single_pixels(self, parts: Parts) -> Patterns:
        """Each pixel that still rests as a pattern."""
        every = np.arange(len(parts.columns))
        cut = np.asarray(parts.graph.degree + parts.border, np.float64)
        return self._as_patterns(
            parts, ConnectedSets(every, every, cut), np.isin(parts.columns, self._resting)
        )

    def _wanted_sets(self, parts: Parts, costs: Vector) -> Patterns:
        """The connected sets of the cheapest one that are wanted, as patterns."""
        price = max(float(costs[self._variation]), 0.0)
        own = costs[parts.columns] + price * parts.border
        if own.min(initial=0.0) >= 0.0:
            return Patterns((0, len(self._places)))
        inside, _ = parts.graph.cheapest(own, price)
        sets = ConnectedSets.of(parts, inside)
        reduced = sets.sum(costs[parts.columns]) + price * sets.cut
        return self._as_patterns(parts, sets, reduced < _NEGATIVE * sets.size)

    def _as_patterns(
        self, parts: Parts, sets: ConnectedSets, wanted: NDArray[np.bool_]
    ) -> Patterns:
        """Some of the sets, each with the variation that it has."""
        count = int(wanted.sum())
        kept = wanted[sets.which]
        number = np.cumsum(wanted) - 1
        pixels = parts.columns[sets.members[kept]]
        columns = np.concatenate([pixels, np.full(count, self._variation)])
        patterns = np.concatenate([number[sets.which[kept]], np.arange(count)])
        values = np.concatenate([np.ones(kept.sum()), sets.cut[wanted]])
        return Patterns((values, (patterns, columns)), shape=(count, len(self._places)))

    def _least_costs(self, reduced: Vector) -> Vector:
        """The same costs, with that of the variation spread over its parts."""
        price = float(reduced[self._variation])
        if price <= 0.0:
            return reduced
        multipliers = self.multipliers()
        spread = reduced.copy()
        spread[self._variation] = 0.0
        bounding = multipliers[len(self._model.row_lower) :]
        limiting = self._coefficients[:, len(self._model.row_lower) :] @ bounding
        for parts in self._parts:
            own = reduced[parts.columns] + price * parts.border
            _, flow = parts.graph.cheapest(own - limiting[parts.columns], price)
            flow = np.clip(flow, -price, price)
            np.add.at(own, parts.graph.first, flow)
            np.subtract.at(own, parts.graph.second, flow)
            spread[parts.columns] = own
        return spread


@dataclass(frozen=True)
class ConnectedSets:
    """The connected parts of a set of pixels.

    Attributes:
        members: The pixels of the set (members,).
        which: The part that each is in (members,).
        cut: How many pairs of neighbours have one pixel in a part (parts,).
    """

    members: Indices
    which: Indices
    cut: Vector

    @staticmethod
    def of(parts: Parts, inside: NDArray[np.bool_]) -> ConnectedSets:
        """Those of a set (pixels,)."""
        first, second = parts.graph.first, parts.graph.second
        within = inside[first] & inside[second]
        shape = (len(inside), len(inside))
        ones = np.ones(int(within.sum()), np.int8)
        joined = sparse.coo_array((ones, (first[within], second[within])), shape=shape)
        _, label = connected_components(joined, directed=False)
        members = np.flatnonzero(inside)
        names, which = np.unique(label[members], return_inverse=True)
        part = np.full(len(inside), -1)
        part[members] = which
        leaving = np.maximum(part[first], part[second])[inside[first] != inside[second]]
        cut = np.bincount(leaving, minlength=len(names)) + np.bincount(
            which, parts.border[members], len(names)
        )
        return ConnectedSets(members, which, cut.astype(np.float64))

    @property
    def size(self) -> Vector:
        """How many pixels each part has (parts,)."""
        return self.sum(np.ones(int(self.members.max(initial=-1)) + 1))

    def sum(self, values: Vector) -> Vector:
        """The sum of values (pixels,) over each part (parts,)."""
        sums = np.bincount(self.which, values[self.members], len(self.cut))
        return np.asarray(sums, np.float64)
