"""Means over seeds and how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit


@dataclass(frozen=True)
class Measured:
    """One quantity measured once per seed.

    Attributes:
        mean: Mean over the seeds.
        lower: Lower end of the 95 % t-interval of the mean; NaN for a single seed.
        upper: Upper end of it; NaN for a single seed.
        further_lower: Lower end of the 95 % prediction interval of one further seed; NaN for one.
        further_upper: Upper end of it; NaN for a single seed.
        seeds: Number of seeds.
    """

    mean: float
    lower: float
    upper: float
    further_lower: float
    further_upper: float
    seeds: int

    def holds(self, value: float) -> bool:
        """Whether the interval of the mean holds a value; never with a single seed."""
        return bool(self.lower <= value <= self.upper)


def measure(values: ArrayLike, confidence: float = 0.95) -> Measured:
    """Mean, t-interval of the mean and prediction interval of one further value.

    A published number is one run, so it is the prediction interval that it should lie in; the
    interval of the mean is the narrower of the two.

    Args:
        values: One finite number per seed, at least one.
        confidence: Share of the distribution that the intervals hold, in (0, 1).

    Raises:
        ValueError: There is no value, or one is not finite.
    """
    sample = np.asarray(values, dtype=float).ravel()
    if sample.size == 0 or not np.isfinite(sample).all():
        raise ValueError(f"a mean needs finite values, and at least one: {sample.tolist()}")
    mean = float(sample.mean())
    if sample.size == 1:
        nan = float("nan")
        return Measured(mean, nan, nan, nan, nan, 1)
    quantile = float(stdtrit(sample.size - 1, 0.5 + confidence / 2))
    deviation = float(sample.std(ddof=1))
    half = quantile * deviation / float(np.sqrt(sample.size))
    further = quantile * deviation * float(np.sqrt(1 + 1 / sample.size))
    return Measured(
        mean, mean - half, mean + half, mean - further, mean + further, int(sample.size)
    )
