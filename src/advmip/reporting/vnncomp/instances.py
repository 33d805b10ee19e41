"""Our answers with what the competition counts of them."""

from __future__ import annotations

import pandas as pd

from advmip.vnncomp import SOLVED


def counted_answers(rows: pd.DataFrame) -> pd.DataFrame:
    """Answers with the quantities that are averaged.

    Args:
        rows: Rows of kind "answers".

    Returns:
        The same rows with `solved` (0 or 100 percent), and `stopped` and `pair_stopped` (whether
        the time limit ended it). The column `seed` holds the instance: a mean is one over
        instances.
    """
    stopped = rows["answer"] == "timeout"
    return rows.assign(
        seed=rows["instance"],
        solved=100.0 * rows["answer"].isin(SOLVED),
        stopped=stopped,
        pair_stopped=stopped,
    )
