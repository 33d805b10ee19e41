"""The pool of candidate solutions, its Pareto front, and the weighted choice (19)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

POOL_COLUMNS = ["iteration", "alpha", "violation", "loss", "complete", "pareto"]


def pareto_front(violation: NDArray[np.float64], loss: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points no other point dominates (Definition 6); both objectives are minimised.

    Of points equal in both objectives the first one stays.

    Args:
        violation: V(w) of each candidate, shape (k,).
        loss: l(w) of each candidate, shape (k,).
    """
    order = np.lexsort((loss, violation))
    front = np.zeros(len(order), dtype=bool)
    lowest = np.inf
    for index in order:
        if loss[index] < lowest:
            front[index] = True
            lowest = loss[index]
    return front


def smallest_dominating_loss(pool: pd.DataFrame, violation: float) -> float:
    """The lowest loss among candidates with no larger violation; infinite if there is none."""
    rivals = pool.loc[(pool["violation"] <= violation) & pool["complete"], "loss"]
    return float(rivals.min()) if len(rivals) else float("inf")


def choose(pool: pd.DataFrame, omega: float) -> int:
    """Index of the Pareto point that minimises ``omega loss~ + (1 - omega) V~``, equation (19).

    Both objectives are scaled to [0, 1] over the Pareto points.

    Args:
        pool: rows of candidates with columns ``violation``, ``loss``, ``pareto``.
        omega: weight of the training loss, in [0, 1].
    """
    front = pool[pool["pareto"]]
    score = omega * _scaled(front["loss"]) + (1.0 - omega) * _scaled(front["violation"])
    return int(front.index[int(np.argmin(score))])


def _scaled(values: pd.Series[float]) -> NDArray[np.float64]:
    span = values.max() - values.min()
    array = values.to_numpy(dtype=np.float64)
    return (array - array.min()) / span if span > 0 else np.zeros_like(array)
