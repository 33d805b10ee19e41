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

from dataclasses import dataclass
from typing import Literal

import numpy as np

from advmip.mip.model import Flags, Indices, Matrix, Model, Vector
from advmip.mip.programs.minimum_cut import Graph
from advmip.mip.programs.sifting import Patterns, SiftedProgram, unit_patterns

# A set is wanted if its reduced cost is below this, for each of its pixels.
_NEGATIVE = -1e-6
# A part is too large if it exceeds its bound by this.
_TOO_LARGE = 1e-7
# With more sets than this, the half with the largest reduced costs goes again.
_MANY = 400


@dataclass(frozen=True)
class SignedParts:
    """The rising and the falling parts of a change, none of which is a neighbour of the others.

    Attributes:
        columns: Their columns (pixels,), of those that can change so.
        border: How many neighbours of each cannot (pixels,).
        graph: The pixels that can, and which of them are neighbours.
    """

    columns: Indices
    border: Vector
    graph: Graph

    @staticmethod
    def of(columns: Indices, places: Indices, first: Indices, second: Indices) -> SignedParts:
        """Those at some places.

        Args:
            columns: The columns (count,).
            places: Their places (count,).
            first: One place of each pair of neighbours (pairs,).
            second: The other one (pairs,).
        """
        number = np.full(max(first.max(initial=-1), second.max(initial=-1), *places) + 1, -1)
        number[places] = np.arange(len(places))
        ends = np.stack([number[first], number[second]])
        both = (ends >= 0).all(axis=0)
        alone = ends[:, (ends >= 0).sum(axis=0) == 1].max(axis=0, initial=-1)
        border = np.bincount(alone, minlength=len(places)).astype(np.float64)
        return SignedParts(columns, border, Graph(len(places), *ends[:, both]))


class LevelSetProgram(SiftedProgram):
    """A linear program whose columns for changes come in as sets of pixels.

    Args:
        model: As for `LinearProgram`, with the lower bound 0 of all parts and a finite upper one of
            the variation.
        simplex: The simplex method.
        parts: Where changes are.
        variation: The column v that is at least their total variation, and so stated nowhere else.
    """

    def __init__(
        self,
        model: Model,
        simplex: Literal["primal", "dual"],
        parts: SignedParts,
        variation: int,
    ) -> None:
        self._parts = parts
        self._variation = variation
        # Whether the last solve found no point and has no ray to ask sets by.
        self._unasked = False
        super().__init__(model, simplex, parts.columns)

    def resolve(self) -> float:
        """The smallest value of the objective as it is, over all sets.

        Returns:
            As `LinearProgram.resolve`; -inf too where sets that were not asked may lead to a point.
        """
        value = super().resolve()
        return -np.inf if self._unasked else value

    def _enlarged(self, value: float) -> bool:
        """Bring in rows that the point violates, else sets that would lower the optimum."""
        self._unasked = False
        if value == -np.inf:
            return False
        if value < np.inf:
            if self._limit_parts():
                return True
            self._forget_sets()
        costs = self._all_reduced_costs()
        if costs is None:
            patterns = self._single_pixels()
            self._resting = self._resting[:0]
        else:
            patterns = self._wanted_sets(costs)
        if not patterns.shape[0]:
            self._unasked = costs is None
            return False
        self._bring_in(patterns, np.full(patterns.shape[0], np.inf))
        return True

    def _forget_sets(self) -> None:
        """Let the sets go that cost most, where there are many; they may come in again."""
        others = len(self._places) - len(self._parts.columns)
        sets = np.arange(others, self.taking_part)
        gone = sets[self._dearest(sets, _MANY)]
        if gone.size:
            self._drop_patterns(gone)

    def _limit_parts(self) -> bool:
        """Add the bounds of parts that the point exceeds, as rows; whether there were any."""
        changed = self.point()[self._parts.columns]
        most = self._limits[1, self._parts.columns]
        exceeded = np.flatnonzero(changed > most + _TOO_LARGE)
        if not exceeded.size:
            return False
        rows = unit_patterns(self._parts.columns[exceeded], len(self._places))
        self.add_rows(Matrix(rows), most[exceeded])
        return True

    def _single_pixels(self) -> Patterns:
        """Each pixel that still rests as a pattern."""
        parts = self._parts
        every = np.arange(len(parts.columns))
        cut = np.asarray(parts.graph.degree + parts.border, np.float64)
        return self._as_patterns(
            ConnectedSets(every, every, cut), np.isin(parts.columns, self._resting)
        )

    def _wanted_sets(self, costs: Vector) -> Patterns:
        """The connected sets of the cheapest one that are wanted, as patterns."""
        parts = self._parts
        price = max(float(costs[self._variation]), 0.0)
        own = costs[parts.columns] + price * parts.border
        if own.min(initial=0.0) >= 0.0:
            return Patterns((0, len(self._places)))
        inside, _ = parts.graph.cheapest(own, price)
        sets = ConnectedSets.of(parts, inside)
        reduced = sets.sum(costs[parts.columns]) + price * sets.cut
        return self._as_patterns(sets, reduced < _NEGATIVE * sets.size)

    def _as_patterns(self, sets: ConnectedSets, wanted: Flags) -> Patterns:
        """Some of the sets, each with the variation that it has."""
        count = int(wanted.sum())
        kept = wanted[sets.which]
        number = np.cumsum(wanted) - 1
        columns = np.append(
            self._parts.columns[sets.members[kept]], np.full(count, self._variation)
        )
        patterns = np.append(number[sets.which[kept]], np.arange(count))
        values = np.append(np.ones(int(kept.sum())), sets.cut[wanted])
        order = np.argsort(patterns, kind="stable")
        starts = np.searchsorted(patterns[order], np.arange(count + 1))
        rows = values[order], columns[order], starts
        return Patterns(rows, shape=(count, len(self._places)))

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
        parts = self._parts
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
    def of(parts: SignedParts, inside: Flags) -> ConnectedSets:
        """Those of a set (pixels,)."""
        first, second = parts.graph.first, parts.graph.second
        members = np.flatnonzero(inside)
        place = np.full(len(inside), -1)
        place[members] = np.arange(len(members))
        within = inside[first] & inside[second]
        which = _connected(len(members), place[first[within]], place[second[within]])
        ends = np.maximum(place[first], place[second])[inside[first] != inside[second]]
        count = int(which.max(initial=-1)) + 1
        cut = np.bincount(which[ends], minlength=count) + np.bincount(
            which, parts.border[members], count
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


def _connected(count: int, first: Indices, second: Indices) -> Indices:
    """The number of the connected part of each of some vertices (count,).

    For the few dozen vertices that there are, many times as fast as scipy's own way.
    """
    label = np.arange(count)
    while True:
        least = np.minimum(label[first], label[second])
        np.minimum.at(label, first, least)
        np.minimum.at(label, second, least)
        label = label[label]
        if (label[first] == label[second]).all():
            return np.unique(label, return_inverse=True)[1]
