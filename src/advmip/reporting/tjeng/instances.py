"""Verifications as the poster counts them: one row each, in the poster's units."""

from __future__ import annotations

import numpy as np
import pandas as pd

_BY_LINEAR_BOUNDS = ("interval", "linear")
_ALIKE = ["experiment", "paper_network", "variant", "epsilon"]


def counted_verifications(rows: pd.DataFrame) -> pd.DataFrame:
    """Verifications with the quantities that the poster averages.

    Args:
        rows: Rows of kind "verifications".

    Returns:
        The same rows. In percent (0 or 100): `test_error` (misclassified), and bounds of the
        adversarial error, from below `pgd_error` (PGD finds an attack) and `lower_error` (any was
        found), from above `linear_error` (not proved by linear bounds) and `upper_error` (not
        proved); `undecided` (neither). Of correctly classified images alone: `seconds_bounds`,
        `seconds_solver`, `seconds` (all of it), `explored` (nodes) and `median_explored`, which is
        the same in all rows that differ by image. The column `seed` holds the image: a mean is
        one over images.
    """
    outcome = rows["outcome"]
    wrong = outcome == "misclassified"
    correct = ~wrong
    robust = outcome == "robust"
    attacked = wrong | (rows["pgd_attacked"].astype(str) == "True")
    by_linear = robust & rows["evidence"].isin(_BY_LINEAR_BOUNDS)
    phases = ["seconds_interval", "seconds_linear", "seconds_lp"]
    # Rows from before there was a tree of our own have no time of it.
    searches = [each for each in ("seconds_tree", "seconds_mip") if each in rows]
    explored = rows["nodes"].astype(float).where(correct)
    medians = explored.groupby([rows[column] for column in _ALIKE]).transform("median")
    return rows.assign(
        seed=rows["image"],
        test_error=100.0 * wrong,
        pgd_error=100.0 * attacked,
        lower_error=100.0 * (attacked | (outcome == "attackable")),
        linear_error=100.0 * ~by_linear,
        upper_error=100.0 * ~robust,
        undecided=100.0 * (outcome == "unknown"),
        seconds_bounds=rows[phases].astype(float).sum(axis=1).where(correct),
        seconds_solver=rows[searches].astype(float).sum(axis=1).where(correct),
        seconds=rows["seconds_total"].astype(float).where(correct),
        explored=explored,
        median_explored=medians.where(correct, np.nan),
    )
