"""Attacks and neurons as the thesis counts them: one row each, in the thesis's units."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from advmip.reporting.zhu.names import RETRAINED, TEST_EXAMPLES

_PROVED = ("optimal", "infeasible")
_SAME_ATTACK = ["paper_network", "distance_name", "rank"]


def counted(attacks: pd.DataFrame) -> pd.DataFrame:
    """Attacks with the quantities that the thesis averages.

    Args:
        attacks: Rows of kind "attacks".

    Returns:
        The same rows, with `solved` and `at_limit` (0 or 100, in percent), `gap_left` (percent;
        100 without an attack), `objective` (the distance; empty without an attack),
        `bound_gap` (by how much percent the distance lies above the Euclidean length), and for
        attacks on retrained networks `change` and `distance_change`, of what the thesis prints and
        of the distance (see `_change`). `stopped` is whether the time limit ended it,
        `pair_stopped` whether it did so here or on the network that a change is measured from.
        The column `seed` holds the rank of the image: a mean is one over images.
    """
    distance, lower = attacks["distance"].astype(float), attacks["lower_bound"].astype(float)
    solved = attacks["outcome"].isin(_PROVED)
    attacked = np.isfinite(distance)
    gap = (100.0 * (distance - lower) / distance.where(distance > 0)).where(attacked, 100.0)
    euclidean = attacks["euclidean"].astype(float)
    objective = distance.where(attacked)
    # What the thesis calls the objective of L2 is the sum of changes (see docs/deviations.md).
    is_l2 = attacks["distance_name"].astype(str).str.startswith("l2")
    printed = attacks["total_change"].astype(float).where(is_l2 & attacked, objective)
    return attacks.assign(
        seed=attacks["rank"],
        solved=100.0 * solved,
        at_limit=100.0 * ~solved,
        stopped=~solved,
        pair_stopped=~solved | _first_among(attacks, ~solved),
        gap_left=gap.where(~solved, 0.0),
        objective=objective,
        change=_change(attacks, printed),
        distance_change=_change(attacks, objective),
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


def _first_among(attacks: pd.DataFrame, chosen: pd.Series[bool]) -> NDArray[np.bool_]:
    """Whether the same attack on the network as first trained is among some chosen ones."""
    firsts = attacks.loc[(attacks["experiment"] == TEST_EXAMPLES) & chosen, _SAME_ATTACK]
    keys = pd.MultiIndex.from_frame(attacks[_SAME_ATTACK])
    return np.asarray(keys.isin(pd.MultiIndex.from_frame(firsts)), dtype=bool)


def _change(attacks: pd.DataFrame, values: pd.Series[float]) -> pd.Series[float]:
    """By how much an attack on a retrained network is longer than that on the first network.

    In percent of the mean over the images that both networks are attacked on, so that the mean of
    the changes is the change of the mean.

    Args:
        attacks: Rows of kind "attacks".
        values: The length of each attack; empty without one.

    Returns:
        One number for each row, empty but for the experiment "retrained".
    """
    keys = attacks[_SAME_ATTACK].assign(value=values, trained_on=attacks["trained_on"])
    first = keys[attacks["experiment"] == TEST_EXAMPLES].drop(columns="trained_on")
    pairs = keys[attacks["experiment"] == RETRAINED].reset_index()
    pairs = pairs.merge(first, on=_SAME_ATTACK, suffixes=("", "_first")).dropna(
        subset=["value", "value_first"]
    )
    groups = pairs.groupby(["paper_network", "distance_name", "trained_on"])
    means = groups["value_first"].transform("mean")
    change = 100.0 * (pairs["value"] - pairs["value_first"]) / means
    return change.set_axis(pairs["index"]).reindex(attacks.index).astype(float)
