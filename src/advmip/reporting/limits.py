"""What a time limit leaves open of a value that a source took under a longer one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

# From the attacks that were stopped and the source's limit: between what a value may come to lie.
_Limit = float | pd.Series
_Ends = Callable[[pd.DataFrame, _Limit], tuple[Any, Any]]

_MORE_TIME: Mapping[str, _Ends] = {
    # Costs go on from what was spent.
    "seconds_total": lambda rows, limit: (
        rows["seconds_total"],
        rows["seconds_total"].clip(lower=limit),
    ),
    "nodes": lambda rows, limit: (rows["nodes"], np.inf),
    # What is unsettled may be settled, or stay so.
    "solved": lambda rows, limit: (rows["solved"], 100.0),
    "at_limit": lambda rows, limit: (0.0, rows["at_limit"]),
    "unfinished": lambda rows, limit: (0.0, rows["unfinished"]),
    "gap_left": lambda rows, limit: (0.0, rows["gap_left"]),
    "objective": lambda rows, limit: (rows["lower_bound"], rows["distance"]),
}


def _anything(rows: pd.DataFrame, limit: _Limit) -> tuple[Any, Any]:
    return -np.inf, np.inf


# A change is open, too, where the attack that it is measured from was stopped.
_STOPPED = {"change": "pair_stopped", "distance_change": "pair_stopped"}


def ends_under(
    chosen: pd.DataFrame, quantity: str, time_limit: _Limit | None
) -> tuple[pd.Series[float], pd.Series[float]]:
    """Between what each row's value would lie under the source's time limit.

    A row that ended within the shorter of both limits is what it is, and so is one that the same
    limit stopped.

    Args:
        chosen: Rows with the column `quantity`; with a limit also `time_limit`, `seconds_total`,
            `stopped` (whether it was, before an answer was proved) and `pair_stopped`.
        quantity: A column of numbers.
        time_limit: The source's, in seconds, or that of each row; None where it has none.

    Returns:
        The least and the most that each value may be; infinite where nothing bounds it.
    """
    value = chosen[quantity].astype(float)
    if time_limit is None:
        return value, value
    own = chosen["time_limit"].astype(float)
    stopped = chosen[_STOPPED.get(quantity, "stopped")].astype(bool) & (own < time_limit)
    least, most = _MORE_TIME.get(quantity, _anything)(chosen, time_limit)
    # Ours had longer, and used it: the source's limit would have stopped it.
    late = (own > time_limit) & (chosen["seconds_total"].astype(float) > time_limit)
    return (
        value.where(~stopped, least).where(~late, -np.inf),
        value.where(~stopped, most).where(~late, np.inf),
    )
