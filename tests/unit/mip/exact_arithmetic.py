"""Layers without rounding."""

from __future__ import annotations

from fractions import Fraction

import numpy as np


def exactly(matrix: np.ndarray, bias: np.ndarray, values: list[Fraction]) -> list[Fraction]:
    """What enters a layer of neurons, from what leaves the one before it."""
    return [
        sum((Fraction(w) * x for w, x in zip(row, values, strict=True)), Fraction(constant))
        for row, constant in zip(matrix, bias, strict=True)
    ]
