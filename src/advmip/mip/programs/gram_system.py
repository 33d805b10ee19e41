"""Linear systems of Gram matrices, of rows that may depend on each other or contradict."""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from advmip.mip.model import Vector

# Added to the diagonal, relative to it, so that dependent rows are no special case.
_SHIFT = 1e-11
# Rows that miss their sides by this, in units in which the diagonal is 1, contradict each other.
_CONTRADICTION = 1e-8
_FAR = 1e6


def solved(gram: Vector, wanted: Vector) -> Vector:
    """The solution y of gram @ y = wanted, gram being positive semidefinite.

    Where there is none, what is missing has a part that gram takes to 0. The dual rises along it
    without end, so the answer goes far along it.
    """
    diagonal = np.diag(gram).copy()
    shift = _SHIFT
    while True:
        np.fill_diagonal(gram, diagonal * (1.0 + shift))
        factor, failed = dpotrf(gram, lower=1, clean=0)
        if not failed:
            break
        shift *= 10.0
    np.fill_diagonal(gram, diagonal)
    solution: Vector = dpotrs(factor, wanted, lower=1)[0]
    solution += dpotrs(factor, wanted - gram @ solution, lower=1)[0]
    missing = wanted - gram @ solution
    if np.any(np.abs(missing) > _CONTRADICTION * np.sqrt(diagonal)):
        solution += _FAR * dpotrs(factor, missing, lower=1)[0]
    return solution
