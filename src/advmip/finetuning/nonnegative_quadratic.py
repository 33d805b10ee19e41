"""The dual of a projection: a quadratic program in non-negative multipliers.

::

    min_{lambda >= 0}  1/2 lambda' G lambda - c' lambda,   G = A A'

solved by block principal pivoting (Portugal, Judice & Vicente 1994; Kim & Park 2011): guess which
multipliers are positive, solve one linear system for them, exchange every index whose sign
condition fails, and fall back on Murty's one-at-a-time rule where the exchanges stop improving,
which makes the method finite. A good first guess, the positive multipliers of the last problem,
leaves a handful of Cholesky factorisations.

Not the method of `mip/solvers/quadratic_program.py`: here thousands of dependent rows come and go
at once and only the Gram matrix is known; there bounds change one by one, and any dual point must
prove a bound.
"""

from __future__ import annotations

import torch
from torch import Tensor

from advmip.errors import CheckError

# On rows scaled to unit length. The shift makes every principal minor positive, so that repeated
# or dependent rows (duplicated adversarial points) are no special case; refinement removes what it
# changes in the answer.
_SHIFT = 1e-11
_SIGN_TOLERANCE = 1e-10
# Where rounding leaves no pattern of signs consistent, as among many dependent rows that nearly
# contradict each other, each row may be missed by so much of its multiplier, least first.
_SOFTENED = (0.0, 1e-9, 1e-7, 1e-5, 1e-3)
_FULL_EXCHANGES = 5
_REFINEMENTS = 2
_LARGEST_NUMBER_OF_EXCHANGES = 10_000


def solve_nonnegative(gram: Tensor, linear: Tensor, positive: Tensor) -> Tensor:
    """Minimises ``1/2 l' G l - c' l`` over l >= 0.

    Args:
        gram: G, symmetric positive semidefinite with positive diagonal, shape (m, m), float64.
        linear: c, shape (m,), float64.
        positive: first guess of the indices with l > 0, boolean, shape (m,).

    Returns:
        The multipliers l, shape (m,); unbounded problems return very large ones.
    """
    scale = gram.diagonal().rsqrt()
    scaled = gram * scale[:, None] * scale[None, :]
    target = linear * scale
    magnitude = float(target.abs().max().clamp(min=1.0)) if len(target) else 1.0
    tolerance = _SIGN_TOLERANCE * magnitude

    for softened in _SOFTENED:
        soft = scaled.clone() if softened else scaled
        soft.diagonal().add_(softened)
        multipliers = _pivoted(soft, target, positive, tolerance)
        if multipliers is not None:
            return multipliers.clamp(min=0.0) * scale
    raise CheckError(f"no sign pattern of {len(target)} multipliers is consistent: rounding errors")


def _pivoted(gram: Tensor, target: Tensor, positive: Tensor, tolerance: float) -> Tensor | None:
    """Multipliers whose signs are consistent; None if exchanges come to no end.

    Args:
        gram: Of rows of unit length.
        target: Of these.
        positive: As for `solve_nonnegative`.
        tolerance: Of a residual, and of a multiplier.
    """
    fewest, exchanges = len(target) + 1, _FULL_EXCHANGES
    # A pattern from which one index is exchanged at a time comes again only by rounding, for ever.
    singly: set[bytes] = set()
    for _ in range(_LARGEST_NUMBER_OF_EXCHANGES):
        chosen = positive.nonzero()[:, 0]
        multipliers = _solve_equations(gram, target, chosen)
        residual = gram[:, chosen] @ multipliers[chosen] - target
        wrong = torch.where(positive, multipliers < -tolerance, residual < -tolerance)
        count = int(wrong.sum())
        if count == 0:
            return multipliers
        if count < fewest:
            fewest, exchanges = count, _FULL_EXCHANGES
            singly.clear()
        else:
            exchanges -= 1
        if exchanges < 0:
            pattern = positive.numpy().tobytes()
            if pattern in singly:
                return None
            singly.add(pattern)
            last = wrong.nonzero()[-1]
            wrong = torch.zeros_like(wrong)
            wrong[last] = True
        positive = positive ^ wrong
    return None


def _solve_equations(gram: Tensor, target: Tensor, chosen: Tensor) -> Tensor:
    """Multipliers with ``G_PP l_P = c_P`` on the chosen indices P and zero elsewhere."""
    multipliers = torch.zeros_like(target)
    if len(chosen) == 0:
        return multipliers
    block = gram[chosen][:, chosen]
    shifted = block.clone()
    shift = _SHIFT
    while True:
        shifted.diagonal().copy_(block.diagonal() + shift)
        factor, failed = torch.linalg.cholesky_ex(shifted)
        if not failed:
            break
        shift *= 10.0
    right = target[chosen, None]
    solution = torch.cholesky_solve(right, factor)
    for _ in range(_REFINEMENTS):
        solution = solution + torch.cholesky_solve(right - block @ solution, factor)
    multipliers[chosen] = solution[:, 0]
    return multipliers
