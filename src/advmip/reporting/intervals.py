"""Means over seeds and how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, stdtrit

# Share of the distribution that intervals hold.
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Measured:
    """One quantity measured once per seed.

    Attributes:
        mean: Mean over the seeds.
        lower: Lower end of the 95 % interval of the mean; NaN for a single seed.
        upper: Upper end of it; NaN for a single seed.
        further_lower: Lower end of the 95 % prediction interval of one further seed; NaN for one,
            and for shares.
        further_upper: Upper end of it.
        seeds: Number of seeds.
    """

    mean: float
    lower: float
    upper: float
    further_lower: float
    further_upper: float
    seeds: int


def measure(values: ArrayLike) -> Measured:
    """Mean, t-interval of the mean and prediction interval of one further value.

    A published number is one run, so it is the prediction interval that it should lie in; the
    interval of the mean is the narrower of the two.

    Args:
        values: One number per seed, at least one; an infinite one makes all ends infinite.

    Raises:
        ValueError: There is no value, or one is not a number.
    """
    sample = _sample(values)
    mean = float(sample.mean())
    if not np.isfinite(mean):
        return Measured(mean, mean, mean, mean, mean, sample.size)
    nan = float("nan")
    if sample.size == 1:
        return Measured(mean, nan, nan, nan, nan, 1)
    quantile = float(stdtrit(sample.size - 1, 0.5 + _CONFIDENCE / 2))
    deviation = float(sample.std(ddof=1))
    half = quantile * deviation / float(np.sqrt(sample.size))
    further = quantile * deviation * float(np.sqrt(1 + 1 / sample.size))
    return Measured(
        mean, mean - half, mean + half, mean - further, mean + further, int(sample.size)
    )


def measure_share(values: ArrayLike, whole: float, population: int | None = None) -> Measured:
    """How often something is so, with the interval of Clopper and Pearson.

    All of three instances are no proof that all of a hundred would be, though they do not differ.

    Args:
        values: `whole` or 0 for each instance, at least one.
        whole: What an instance counts, such as 100 for percent.
        population: How many instances there are in all; None for any number. The share of all
            of them is no estimate: its interval is the share itself.

    Raises:
        ValueError: There is no value, or one is neither of both.
    """
    sample = _sample(values)
    if not np.isin(sample, (0.0, whole)).all():
        raise ValueError(f"a share needs values of 0 or {whole:g}: {sample.tolist()}")
    count, hits = sample.size, int(np.count_nonzero(sample))
    tail = (1.0 - _CONFIDENCE) / 2
    lower = betaincinv(hits, count - hits + 1, tail) if hits else 0.0
    upper = betaincinv(hits + 1, count - hits, 1.0 - tail) if hits < count else 1.0
    mean, nan = float(sample.mean()), float("nan")
    if count == population:
        return Measured(mean, mean, mean, nan, nan, count)
    return Measured(mean, whole * float(lower), whole * float(upper), nan, nan, count)


def _sample(values: ArrayLike) -> NDArray[np.float64]:
    sample = np.asarray(values, dtype=np.float64).ravel()
    if sample.size == 0 or np.isnan(sample).any():
        raise ValueError(f"a mean needs numbers, and at least one: {sample.tolist()}")
    return sample
