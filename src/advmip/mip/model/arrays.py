"""The arrays that models are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Vector = NDArray[np.float64]
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]
Matrix = sparse.csr_array
