"""Convex quadratic programs in a row: bounds or rows change, and the multipliers stay.

minimise    c'x + x'Qx      (Q positive semidefinite)
subject to  l_r <= A x <= u_r,   l <= x <= u

by a dual active-set method (Goldfarb & Idnani 1983). Equalities are used up first: each makes one
column without cost a form in the others. Columns without a square get e (x - x')^2 / 2, where x' is
the last solution, until that hardly matters (proximal points). With H = 2 Q + e I, the multipliers
y of all rows and bounds have the concave dual

    max  s'y - y' G y / 2,    G = A H^-1 A',    y_i >= 0 at a lower side s_i, <= 0 at an upper one,

whose G is the same in every solve. Violated rows come in, a few at a time; on the way to the best
multipliers of those that are in, a row goes as soon as its multiplier is 0. The dual rises with
every step, and from a parent's multipliers a child is a few steps away.

Q is the model's squares, and what `price_products` adds to them. Any multipliers prove a bound. It
is what a solve returns, and as soon as it passes the cutoff the solve ends.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from advmip.mip.deadline import OutOfTimeError, dense_checkpoint, time_is_up
from advmip.mip.model import Indices, Matrix, Model, Vector
from advmip.mip.programs.elimination import Elimination
from advmip.mip.programs.gram_system import solved
from advmip.mip.programs.product_prices import Products, best_prices

# The curvature of columns without a square, as a share of the largest one.
_PROXIMAL = 1e-4
_PROXIMAL_STEPS = 10
# A row is violated from here on, in units in which G's diagonal is 1.
_FEASIBILITY = 1e-10
# So many violated rows come in at a time.
_BLOCK = 3
_STEPS = 1000
_ACCURACY = 1e-6
_NOTHING = 1e-12
_TOLERANCE = 1e-3
# So may this share of the way to the cutoff, where a little more would prune nothing.
_ON_THE_WAY = 0.01
# Where cuts gain hardly anything, the bound is returned as it is after so many rounds.
_CUT_ROUNDS = 50
# Cuts that do not bind go once there are more than so many.
_MANY_CUTS = 50

# Of a row: at its lower side, at its upper one, at both since they are the same, or loose.
_LOWER, _UPPER, _FIXED, _LOOSE = 1, -1, 2, 0


class QuadraticProgram:
    """The relaxation of a model with squares, solved for one set of bounds after another.

    Args:
        model: A model with finite bounds of its columns; integrality is relaxed. Rows of its
            separators are added where a solution violates them.
        accuracy: What a solve may leave between bound and solution, as a share of the objective.
    """

    def __init__(self, model: Model, accuracy: float = _ACCURACY) -> None:
        self._accuracy = accuracy
        self._separators = model.separators
        self._constant = 0.0
        self._cutoff = np.inf
        equal = model.row_lower == model.row_upper
        self._elimination = Elimination(model, equal)
        self._kept = self._elimination.kept
        width = len(self._kept)
        self._quadratic = np.diag(model.squares[self._kept])
        self._product_costs, self._product_constant = np.zeros(width), 0.0
        self._costs = model.objective[self._kept]
        self._curve()
        self._solution, self._near = np.zeros(width), np.zeros(width)
        # First the columns that are kept, then those that are used up, then rows.
        columns = np.concatenate([self._kept, self._elimination.gone])
        self._places = np.argsort(columns)
        self._rows, self._shift = np.empty((0, width)), np.empty(0)
        self._gram = np.empty((0, 0))
        self._lower, self._upper = np.empty(0), np.empty(0)
        self._sides: NDArray[np.int8] = np.empty(0, np.int8)
        self._multipliers = np.empty(0)
        forms = np.vstack([np.eye(width), self._elimination.forms])
        constants = np.concatenate([np.zeros(width), self._elimination.constants])
        self._append(forms, constants, model.lower[columns], model.upper[columns])
        # The numbers of rows, as the model counts them.
        self._numbers = np.flatnonzero(~equal)
        self._cuts = np.zeros(len(self._numbers), bool)
        self._count = len(equal)
        inequalities = model.matrix[~equal].toarray()
        self._append(
            *self._elimination.reduced(inequalities),
            model.row_lower[~equal],
            model.row_upper[~equal],
        )

    def _curve(self) -> None:
        """Take note of the quadratic part: what is flat in it, and its inverse."""
        curvature = 2.0 * np.diag(self._quadratic)
        flat = _PROXIMAL * float(curvature.max(initial=0.0) or 1.0)
        self._proximal = np.where(curvature > 0, 0.0, flat)
        dense_checkpoint(2.0 * len(curvature) ** 3)
        self._inverse = np.linalg.inv(2.0 * self._quadratic + np.diag(self._proximal))
        self._magnitudes = np.abs(self._quadratic)

    def _append(self, rows: Vector, constants: Vector, lower: Vector, upper: Vector) -> None:
        """More rows: lower <= rows @ x + constants <= upper."""
        dense_checkpoint(2.0 * len(rows) * rows.shape[1] * (rows.shape[1] + len(self._rows)))
        weighted = rows @ self._inverse
        beside = self._rows @ weighted.T
        self._gram = np.block([[self._gram, beside], [beside.T, rows @ weighted.T]])
        self._rows = np.vstack([self._rows, rows])
        self._shift = np.append(self._shift, constants)
        self._lower = np.append(self._lower, lower - constants)
        self._upper = np.append(self._upper, upper - constants)
        self._sides = np.append(self._sides, np.full(len(rows), _LOOSE, np.int8))
        self._multipliers = np.append(self._multipliers, np.zeros(len(rows)))
        self._lengths = np.sqrt(np.diag(self._gram))

    def minimise(self, objective: Vector) -> tuple[float, Vector | None]:
        """The smallest value of objective @ x and the squares, and where; (inf, None) without one.

        The squares are those of the model.
        """
        self.set_costs(objective)
        if not np.isfinite(self.resolve()):
            return np.inf, None
        point = self.point()
        return self._value(point[self._kept]), point

    def set_costs(self, objective: Vector) -> None:
        """Another linear part of the objective (columns,)."""
        costs, constant = self._elimination.reduced(objective)
        self._costs = costs + self._product_costs
        self._constant = float(constant) + self._product_constant

    def price_products(self, first: Indices, second: Indices) -> None:
        """Add multiples of products of columns that are 0 at every point that is sought.

        The multiples are those that raise the optimum most, as the bounds are now
        (`product_prices.py`). Upper bounds of these columns are left out: rows imply them.

        Args:
            first: A column of each product.
            second: The other one.
        """
        if not first.size:
            return
        products = Products(*self._forms_of(first), *self._forms_of(second))
        columns = np.append(self._places[first], self._places[second])
        width = len(self._kept)
        try:
            prices = best_prices(
                self._quadratic,
                self._costs,
                products,
                *self._one_sided(columns),
                self._upper[:width] - self._lower[:width],
            )
        except OutOfTimeError:
            return
        quadratic, costs, constant = products.priced(prices)
        self._quadratic = self._quadratic + quadratic
        self._product_costs = self._product_costs + costs
        self._product_constant += constant
        self._costs = self._costs + costs
        self._constant += constant
        self._curve()
        self._gram = self._rows @ self._inverse @ self._rows.T
        self._lengths = np.sqrt(np.diag(self._gram))
        self.forget_basis()

    def _forms_of(self, columns: Indices) -> tuple[Vector, Vector]:
        """Columns as forms in those that are kept, and their constants."""
        places = self._places[columns]
        return self._rows[places], self._shift[places]

    def _one_sided(self, endless: Indices) -> tuple[Vector, Vector]:
        """Bounds and rows, as rows @ x <= sides, in the columns that are kept.

        Args:
            endless: Rows whose upper sides are left out.
        """
        below, above = np.isfinite(self._lower), np.isfinite(self._upper)
        above[endless] = False
        rows = np.vstack([self._rows[above], -self._rows[below]])
        return rows, np.concatenate([self._upper[above], -self._lower[below]])

    def resolve(self) -> float:
        """A lower bound of the objective, within a small share of its smallest value.

        Returns:
            inf if there is no point, or none below what `stop_above` was told; -inf if the time is
            up or rounding spoils the solve.
        """
        try:
            return self._with_cuts()
        except OutOfTimeError:
            return -np.inf

    def _with_cuts(self) -> float:
        """The same, or no answer in time."""
        for _ in range(_CUT_ROUNDS):
            bound = self._solve()
            if not np.isfinite(bound):
                return bound
            point = self.point()
            missing, found = 0.0, []
            for separator in self._separators:
                cuts = separator(point)
                missing += float(np.sum(cuts.matrix @ point - cuts.upper))
                found.append(cuts)
            if missing <= self._allowed(bound):
                return bound
            if self._cuts.sum() > _MANY_CUTS:
                self.drop_rows(np.intersect1d(self.loose_rows(), self._numbers[self._cuts]))
            for cuts in found:
                self._add(cuts.matrix, cuts.upper, cut=True)
        return bound

    def point(self) -> Vector:
        """Where the last solve ended (columns,)."""
        width = len(self._kept)
        kept = np.clip(self._solution, self._lower[:width], self._upper[:width])
        return self._elimination.point(kept)

    def reduced_costs(self) -> Vector:
        """The multiplier of each column's bounds in the last solve."""
        return self._multipliers[self._places]

    def set_bounds(self, lower: Vector, upper: Vector, columns: Indices | None = None) -> None:
        """Other bounds of all columns, or of some."""
        places = self._places if columns is None else self._places[columns]
        self._lower[places] = lower - self._shift[places]
        self._upper[places] = upper - self._shift[places]

    def add_rows(self, matrix: Matrix, upper: Vector) -> None:
        """More rows: matrix @ x <= upper."""
        self._add(matrix, upper, cut=False)

    def _add(self, matrix: Matrix, upper: Vector, *, cut: bool) -> None:
        rows, constants = self._elimination.reduced(matrix.toarray())
        self._append(rows, constants, np.full(len(upper), -np.inf), upper)
        self._numbers = np.append(self._numbers, self._count + np.arange(len(upper)))
        self._cuts = np.append(self._cuts, np.full(len(upper), cut))
        self._count += len(upper)

    def loose_rows(self) -> Indices:
        """The rows that do not bind in the last solve."""
        loose: Indices = self._numbers[self._sides[len(self._places) :] == _LOOSE]
        return loose

    def drop_rows(self, rows: Indices) -> None:
        """Remove rows."""
        stay = ~np.isin(self._numbers, rows)
        kept = np.concatenate([np.ones(len(self._places), bool), stay])
        left = self._numbers[stay]
        self._cuts = self._cuts[stay]
        self._numbers = left - np.searchsorted(np.sort(rows), left)
        self._count -= len(rows)
        self._gram = self._gram[np.ix_(kept, kept)]
        self._rows, self._shift, self._lengths = (
            values[kept] for values in (self._rows, self._shift, self._lengths)
        )
        self._lower, self._upper = self._lower[kept], self._upper[kept]
        self._sides, self._multipliers = self._sides[kept], self._multipliers[kept]

    def stop_above(self, value: float) -> None:
        """Let a solve stop as soon as the optimum is known to exceed a value."""
        self._cutoff = value

    def forget_basis(self) -> None:
        """Let the next solve start from nothing."""
        self._multipliers[:] = 0.0
        self._sides[:] = _LOOSE
        self._near[:] = 0.0

    def _allowed(self, value: float) -> float:
        """What a solve may leave between its bound and its solution."""
        way = self._cutoff - value if np.isfinite(self._cutoff) else 0.0
        return max(self._accuracy * abs(value), _ON_THE_WAY * way, _NOTHING)

    def _solve(self) -> float:
        """The bound with the rows as they are."""
        # No point has a larger objective than the largest one: a bound above it says that none is.
        enough = min(self._cutoff, self._largest() + _TOLERANCE)
        for _ in range(_PROXIMAL_STEPS):
            if not self._ascend(enough):
                return -np.inf
            bound = self._bound()
            if bound >= enough:
                return np.inf
            value = self._value(self._solution)
            self._near = self._solution
            if value - bound <= self._allowed(value):
                break
        return bound

    def _ascend(self, enough: float) -> bool:
        """Let the dual rise to its top, or until it proves enough; whether it got there."""
        free = self._inverse @ (self._proximal * self._near - self._costs)
        without = self._rows @ free
        self._refresh()
        sides, multipliers = self._sides, self._multipliers
        for _ in range(_STEPS):
            if time_is_up():
                return False
            binding = np.flatnonzero(sides)
            if not self._step(binding, without[binding]):
                continue
            self._solution = free + self._inverse @ (multipliers @ self._rows)
            if self._bound() >= enough:
                return True
            activity = self._rows @ self._solution
            loose = sides == _LOOSE
            below = np.where(loose, self._lower - activity, 0.0) / self._lengths
            above = np.where(loose, activity - self._upper, 0.0) / self._lengths
            violation = np.maximum(below, above)
            worst = np.argsort(-violation)[:_BLOCK]
            worst = worst[violation[worst] > _FEASIBILITY]
            if not worst.size:
                return True
            sides[worst] = np.where(below[worst] > above[worst], _LOWER, _UPPER)
        return False

    def _refresh(self) -> None:
        """Sides and multipliers that are of the right sign under the bounds as they are."""
        fixed = self._lower == self._upper
        signs = np.sign(self._multipliers).astype(np.int8)
        self._sides = np.where(fixed, np.int8(_FIXED), signs)
        endless = np.where(signs == _LOWER, self._lower, self._upper)
        self._sides[~np.isfinite(endless) & ~fixed] = _LOOSE
        self._multipliers[self._sides == _LOOSE] = 0.0

    def _step(self, binding: Indices, without: Vector) -> bool:
        """Move towards the best multipliers of binding rows, until one of them is 0.

        Args:
            binding: The rows.
            without: Their activities without multipliers (rows,).

        Returns:
            Whether it came to the best ones; if not, rows were let go.
        """
        if not binding.size:
            return True
        sides = self._sides[binding]
        wanted = np.where(sides == _UPPER, self._upper[binding], self._lower[binding]) - without
        best = solved(self._gram[binding[:, None], binding], wanted)
        wrong = (sides != _FIXED) & (sides * best < 0)
        if not wrong.any():
            self._multipliers[binding] = best
            return True
        now = self._multipliers[binding]
        shares = np.full(len(binding), np.inf)
        shares[wrong] = now[wrong] / (now[wrong] - best[wrong])
        share = float(shares.min())
        self._multipliers[binding] = now + share * (best - now)
        gone = binding[shares <= share]
        self._multipliers[gone], self._sides[gone] = 0.0, _LOOSE
        return False

    def _value(self, kept: Vector) -> float:
        """The objective at values of the columns that are kept."""
        return self._constant + float((self._costs + self._quadratic @ kept) @ kept)

    def _bound(self) -> float:
        """What the multipliers of the rows prove, over the bounds of the columns that are kept.

        The quadratic part is above its tangent at the solution.
        """
        width = len(self._kept)
        multipliers = self._multipliers[width:]
        used = np.flatnonzero(multipliers)
        multipliers = multipliers[used]
        sides = np.where(multipliers > 0, self._lower[width + used], self._upper[width + used])
        curved = self._quadratic @ self._solution
        slope = self._costs - multipliers @ self._rows[width + used] + 2.0 * curved
        ends = np.where(slope > 0, self._lower[:width], self._upper[:width])
        least = float(slope @ ends) - float(curved @ self._solution)
        return self._constant + float(multipliers @ sides) + least

    def _largest(self) -> float:
        """The objective is at most this, over the bounds of the columns that are kept."""
        width = len(self._kept)
        lower, upper = self._lower[:width], self._upper[:width]
        linear = np.maximum(self._costs * lower, self._costs * upper)
        reach = np.maximum(np.abs(lower), np.abs(upper))
        return self._constant + float(linear.sum() + reach @ self._magnitudes @ reach)
