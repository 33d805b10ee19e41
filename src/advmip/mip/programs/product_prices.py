"""Prices of products that are 0: how a convex quadratic program learns of complementarity.

In

    minimise    c'v + v'Qv      (Q positive semidefinite)
    subject to  A v <= b

let the products x_j s_j of forms x = F v + f, s = G v + g be 0 at every point that is sought, such
as the output and the slack of a ReLU. Then prices y of any sign may be added to the objective,

    c'v + v'Qv + sum_j y_j x_j s_j,

as long as it stays convex: the points that are sought keep their objective, and the others may lose
their advantage. The prices of the highest optimum come from the semidefinite program

    max t   such that   c'v + v'Qv + sum_j y_j x_j s_j + z'(A v - b) >= t   for all v,   z >= 0,

whose condition is that a matrix of one row more than v has is positive semidefinite. Its dual is
Shor's relaxation, over moments V >= 0 of (v, 1) in which the products are 0 (ReLUs: Raghunathan,
Steinhardt & Liang 2018; in search trees this is the quadratic convex reformulation, QCR, of
Billionnet, Elloumi & Plateau 2009).

The method is primal-dual, with a predictor and a corrector (Helmberg, Rendl, Vanderbei & Wolkowicz
1996). The matrix of each variable has rank two, (p q' + q p') / 2, so that the linear system of a
step comes from a few products of dense matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from advmip.mip.deadline import dense_checkpoint, time_is_up
from advmip.mip.model import Vector

# The prices are good enough when the gap is this share of the optimum, or so much less of what the
# squares can be ...
_ACCURACY, _NEGLIGIBLE = 5e-3, 1e-6
# ... and the matrix is what its variables make it, up to rounding.
_FEASIBILITY = 1e-8
# Over its whole range, a column bends the priced objective by this share of what those with squares
# do: without, the quadratic programs that follow would be ill-conditioned.
_CURVATURE = 1e-5
# The least eigenvalue with prices, as a share of the largest one.
_DEFINITE = 1e-10
_STEPS = 60
# Matrices start as so many times the unit matrix.
_START = 10.0
# How far towards the edge of the cone a step goes.
_SHARE = 0.95
# Added to the diagonal of the linear system, relative to it.
_SHIFT = 1e-13
# Prices are taken back by this factor until rounding leaves the objective convex.
_RETREAT = 0.9
_RETREATS = 20


@dataclass(frozen=True)
class Products:
    """Products x_j s_j of forms in some columns.

    Attributes:
        first: F (products, columns).
        first_constant: f (products,).
        second: G (products, columns).
        second_constant: g (products,).
    """

    first: Vector
    first_constant: Vector
    second: Vector
    second_constant: Vector

    def priced(self, prices: Vector) -> tuple[Vector, Vector, float]:
        """The sum of the products times prices: quadratic part, linear part, constant."""
        half = self.first.T @ (prices[:, None] * self.second)
        linear = (prices * self.first_constant) @ self.second
        linear += (prices * self.second_constant) @ self.first
        constant = float((prices * self.first_constant) @ self.second_constant)
        return 0.5 * (half + half.T), linear, constant


def best_prices(
    quadratic: Vector,
    costs: Vector,
    products: Products,
    rows: Vector,
    sides: Vector,
    spread: Vector,
) -> Vector:
    """Prices of products, such that the optimum of what is to be minimised is as high as can be.

    Args:
        quadratic: Q (columns, columns), positive semidefinite.
        costs: c (columns,).
        products: Products that are 0 at every point that is sought.
        rows: A (rows, columns).
        sides: b (rows,).
        spread: How far the bounds of each column are apart (columns,).

    Returns:
        The prices (products,), all 0 if none are found in time. The objective stays convex with
        them, also in floating point.
    """
    squared = np.diag(quadratic) > 0
    curved = squared | (products.first != 0).any(axis=0) | (products.second != 0).any(axis=0)
    # Rows of other columns say nothing of these alone.
    inside = ~(rows[:, ~curved] != 0).any(axis=1) & (rows != 0).any(axis=1)
    bounds = np.column_stack([rows[inside][:, curved], -sides[inside]])
    first = np.column_stack([products.first[:, curved], products.first_constant])
    second = np.column_stack([products.second[:, curved], products.second_constant])
    sizes = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    bounds /= np.linalg.norm(bounds, axis=1)[:, None]
    one = np.append(np.zeros(int(curved.sum())), 1.0)
    left = np.vstack([first / sizes[:, None], bounds, one])
    right = np.vstack([second, np.tile(one, (len(bounds), 1)), -one])
    signed = slice(len(sizes), len(sizes) + len(bounds))

    objective = np.zeros((len(one), len(one)))
    objective[:-1, :-1] = quadratic[np.ix_(curved, curved)]
    objective[:-1, -1] = objective[-1, :-1] = 0.5 * costs[curved]
    scale = float(np.mean(np.diag(quadratic)[squared] * spread[squared] ** 2))
    # Where a column hardly moves it needs no curvature.
    typical = np.maximum(spread[curved], np.median(spread[curved]))
    for share in (_CURVATURE, 0.0):
        least = np.append(share * scale / typical**2, 0.0)
        program = _SemidefiniteProgram(objective - np.diag(least), left, right, signed)
        found = program.solved(_NEGLIGIBLE * scale)
        if found is not None:
            break
    else:
        return np.zeros(len(sizes))
    prices: Vector = found[: len(sizes)] / sizes
    for _ in range(_RETREATS):
        if _convex((quadratic + products.priced(prices)[0])[np.ix_(curved, curved)]):
            return prices
        prices *= _RETREAT
    # Columns without squares of their own are curved by prices alone.
    return np.zeros(len(sizes))


def _convex(matrix: Vector) -> bool:
    """Whether a matrix is positive definite, whatever rounding did to it."""
    values = np.linalg.eigvalsh(matrix)
    return bool(values[0] >= _DEFINITE * values[-1])


class _SemidefiniteProgram:
    """Maximise the last y, subject to Z = B + sum_i y_i (p_i q_i' + q_i p_i') / 2 >= 0.

    Args:
        objective: B (size, size).
        left: p (variables, size).
        right: q (variables, size).
        signed: The variables that may not be negative.
    """

    def __init__(self, objective: Vector, left: Vector, right: Vector, signed: slice) -> None:
        self._objective, self._left, self._right, self._signed = objective, left, right, signed
        size, limited = len(objective), signed.stop - signed.start
        self._wanted = np.zeros(len(left))
        self._wanted[-1] = -1.0
        self._order = size + limited
        self._variables = np.zeros(len(left))
        # Z and its multiplier V; the signed variables' slacks and multipliers.
        self._matrix, self._moments = _START * np.eye(size), _START * np.eye(size)
        self._slacks, self._weights = np.full(limited, _START), np.full(limited, _START)

    def solved(self, negligible: float) -> Vector | None:
        """The variables (variables,) at the optimum, or where progress ends; None without any.

        Args:
            negligible: A gap that is of no interest, however small the optimum is.
        """
        for _ in range(_STEPS):
            missing = self._matrix - self._objective - self._combined(self._variables)
            gap = float(np.vdot(self._moments, self._matrix) + self._weights @ self._slacks)
            enough = max(_ACCURACY * abs(float(self._variables[-1])), negligible)
            feasible = bool(np.abs(missing).max() < _FEASIBILITY)
            if (feasible and gap < enough) or time_is_up():
                break
            # The system alone; its factors take a sixth of that.
            dense_checkpoint(6.0 * len(self._left) ** 2 * len(missing))
            try:
                self._step(missing, gap)
            except np.linalg.LinAlgError:
                break
        return self._variables if feasible else None

    def _combined(self, variables: Vector) -> Vector:
        """sum_i y_i (p_i q_i' + q_i p_i') / 2."""
        half = self._left.T @ (variables[:, None] * self._right)
        combined: Vector = 0.5 * (half + half.T)
        return combined

    def _traces(self, matrix: Vector) -> Vector:
        """The trace of each variable's matrix with another one (variables,)."""
        symmetric = 0.5 * (matrix + matrix.T)
        traces: Vector = np.einsum("ij,ij->i", self._left @ symmetric, self._right)
        return traces

    def _step(self, missing: Vector, gap: float) -> None:
        """Predict, correct, and go most of the way to the edge."""
        signed = self._signed
        inverse = np.linalg.inv(self._matrix)
        inverse = 0.5 * (inverse + inverse.T)
        system = self._system(inverse)
        ratio = self._weights / self._slacks
        limited = np.arange(signed.start, signed.stop)
        system[limited, limited] += ratio
        np.fill_diagonal(system, np.diag(system) * (1.0 + _SHIFT))
        factors = cho_factor(system)
        short = self._slacks - self._variables[signed]
        fixed = self._traces(self._moments @ missing @ inverse) - self._wanted
        fixed[signed] += ratio * short
        centre = self._traces(inverse)
        centre[signed] += 1.0 / self._slacks

        def direction(target: float, second: Vector, second_signed: Vector) -> list[Vector]:
            wanted = fixed + target * centre - self._traces(second @ inverse)
            wanted[signed] -= second_signed / self._slacks
            variables = cho_solve(factors, wanted)
            matrix = self._combined(variables) - missing
            slacks = variables[signed] - short
            moments = target * inverse - self._moments
            with np.errstate(over="ignore", invalid="ignore"):
                moments -= (self._moments @ matrix + second) @ inverse
            if not np.isfinite(moments).all():
                raise np.linalg.LinAlgError("singular, but for rounding")
            weights = (target - self._weights * slacks - second_signed) / self._slacks
            return [variables, matrix, slacks, 0.5 * (moments + moments.T), weights - self._weights]

        mean = gap / self._order
        nothing, none = np.zeros_like(self._matrix), np.zeros_like(self._slacks)
        _, matrix, slacks, moments, weights = direction(0.0, nothing, none)
        there, here = self._reach(matrix, slacks, moments, weights, 1.0)
        left = float(np.vdot(self._moments + here * moments, self._matrix + there * matrix))
        left += float((self._weights + here * weights) @ (self._slacks + there * slacks))
        target = mean * min(1.0, max((left / gap) ** 2, 1e-3))
        variables, matrix, slacks, moments, weights = direction(
            target, moments @ matrix, weights * slacks
        )
        there, here = self._reach(matrix, slacks, moments, weights, _SHARE)
        self._variables = self._variables + there * variables
        self._matrix = self._matrix + there * matrix
        self._slacks = self._slacks + there * slacks
        self._moments = self._moments + here * moments
        self._weights = self._weights + here * weights

    def _system(self, inverse: Vector) -> Vector:
        """The traces of A_i V A_j Z^-1 (variables, variables), A_i being a variable's matrix."""
        left, right, moments = self._left, self._right, self._moments
        mixed, mixed_inverse = left @ moments @ right.T, left @ inverse @ right.T
        system: Vector = mixed.T * mixed_inverse + mixed * mixed_inverse.T
        system += (right @ moments @ right.T) * (left @ inverse @ left.T)
        system += (left @ moments @ left.T) * (right @ inverse @ right.T)
        return 0.125 * (system + system.T)

    def _reach(
        self, matrix: Vector, slacks: Vector, moments: Vector, weights: Vector, share: float
    ) -> tuple[float, float]:
        """How much of a step Z and V may take, at most 1."""
        there = min(_longest_step(self._matrix, matrix), _longest_signed_step(self._slacks, slacks))
        here = min(
            _longest_step(self._moments, moments), _longest_signed_step(self._weights, weights)
        )
        return min(1.0, share * there), min(1.0, share * here)


def _longest_step(matrix: Vector, direction: Vector) -> float:
    """How far a positive definite matrix may go in a direction."""
    factor = np.linalg.cholesky(matrix)
    half = solve_triangular(factor, direction, lower=True)
    least = float(np.linalg.eigvalsh(solve_triangular(factor, half.T, lower=True))[0])
    return -1.0 / least if least < 0 else np.inf


def _longest_signed_step(values: Vector, direction: Vector) -> float:
    """How far positive values may go in a direction."""
    falling = direction < 0
    return float(np.min(-values[falling] / direction[falling], initial=np.inf))
