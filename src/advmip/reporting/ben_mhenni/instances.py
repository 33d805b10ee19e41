"""Attacks by several solvers, and attacks to be looked at, as the paper counts them."""

from __future__ import annotations

import numpy as np
import pandas as pd

EFFICIENCY = "efficiency"
# The paper counts among fifty instances.
INSTANCES = 50
_SAME_ATTACK = ["paper_network", "distance_name", "rank"]
# A proof allows for the solvers' gaps.
_SLACK = 1e-3


def compared(attacks: pd.DataFrame) -> pd.DataFrame:
    """Attacks with what solvers are compared by.

    A solver whose proved bound lies above an attack that another solver found, and that the
    network itself has confirmed, has proved what is not so: its attack counts as unfinished.

    Args:
        attacks: Rows of kind "attacks", with `solved`.

    Returns:
        The same rows, with `refuted` (whether it was so), `unfinished` (0, or 50: its mean is a
        number of fifty instances), and `solved` corrected.
    """
    mine = attacks["experiment"] == EFFICIENCY
    distance = attacks["distance"].astype(float)
    nearest = (
        distance.where(mine).groupby([attacks[name] for name in _SAME_ATTACK]).transform("min")
    )
    bound = attacks["lower_bound"].astype(float)
    refuted = mine & (bound > nearest * (1.0 + _SLACK))
    solved = attacks["solved"].where(~refuted, 0.0)
    return attacks.assign(
        refuted=refuted, solved=solved, unfinished=INSTANCES * (1.0 - solved / 100.0)
    )


def counted_perturbations(perturbations: pd.DataFrame) -> pd.DataFrame:
    """Attacks to be looked at; the column `seed` holds the rank of the image.

    A mean is one over images. `distance` is empty where no attack was found.

    Args:
        perturbations: Rows of kind "perturbations".
    """
    distance = perturbations["distance"].astype(float)
    return perturbations.assign(
        seed=perturbations["rank"], distance=distance.where(np.isfinite(distance))
    )
