"""Attacks and neurons as the thesis counts them: one row each, in the thesis's units."""

from __future__ import annotations

import numpy as np
import pandas as pd

_PROVED = ("optimal", "infeasible")


def counted(attacks: pd.DataFrame) -> pd.DataFrame:
    """Attacks with the quantities that the thesis averages.

    Args:
        attacks: Rows of kind "attacks".

    Returns:
        The same rows, with `solved` and `at_limit` (0 or 100, in percent), `gap_left` (percent;
        100 without an attack), `objective` (the distance; empty without an attack), and
        `bound_gap` (by how much percent the distance lies above the Euclidean length). The column
        `seed` holds the rank of the image: a mean is one over images.
    """
    distance, lower = attacks["distance"].astype(float), attacks["lower_bound"].astype(float)
    solved = attacks["outcome"].isin(_PROVED)
    attacked = np.isfinite(distance)
    gap = (100.0 * (distance - lower) / distance.where(distance > 0)).where(attacked, 100.0)
    euclidean = attacks["euclidean"].astype(float)
    return attacks.assign(
        seed=attacks["rank"],
        solved=100.0 * solved,
        at_limit=100.0 * ~solved,
        gap_left=gap.where(~solved, 0.0),
        objective=distance.where(attacked),
        bound_gap=100.0 * (distance.where(attacked) - euclidean) / euclidean,
    )


def counted_neurons(neurons: pd.DataFrame) -> pd.DataFrame:
    """Neurons with the quantity that the thesis speaks of.

    Args:
        neurons: Rows of kind "neurons".

    Returns:
        The same rows, with `within_a_second` (0 or 100, in percent): whether the solver found
        and proved its strongest input so fast. The column `seed` numbers the rows: a mean is one
        over neurons.
    """
    fast = (neurons["outcome"] == "optimal") & (neurons["seconds_solver"].astype(float) < 1.0)
    return neurons.assign(seed=np.arange(len(neurons)), within_a_second=100.0 * fast)
