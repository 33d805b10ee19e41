"""Networks made robust by several methods: means over seeds, and how they are printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from advmip.reporting.cells import one_per_seed
from advmip.reporting.intervals import measure
from advmip.reporting.judging import two_digits
from advmip.reporting.zhao_kronqvist.names import CERTIFIED_METHODS, NETWORKS, TASKS

# By quantity the decimals that are printed; None for two digits that count.
Decimals = Mapping[str, int | None]

_PLACES = {name: place for place, name in enumerate([*NETWORKS, *TASKS, *CERTIFIED_METHODS])}


def method_means(
    found: pd.DataFrame,
    keys: Sequence[str],
    quantities: Iterable[str],
    *,
    others: Sequence[str] = (),
    interval: str | None = None,
) -> pd.DataFrame:
    """The mean over the seeds of each quantity.

    Args:
        found: Rows of networks made robust.
        keys: The columns that tell settings apart, the last of them `method`.
        quantities: The columns that means are taken of.
        others: Columns of which the least is kept.
        interval: A quantity, a share in percent, of which the 95 % interval of the mean is added.

    Returns:
        A row for each setting, in the order of networks, tasks and methods: the keys, `seeds`, the
        others and the quantities, None where no row has any; `lower` and `upper` of the interval.
    """
    records = []
    for values, part in found.groupby(list(keys), sort=False):
        record: dict[str, Any] = dict(zip(keys, values, strict=True))
        record["seeds"] = part["seed"].nunique()
        record |= {name: part[name].min() for name in others}
        for quantity in quantities:
            per_seed = one_per_seed(part, quantity)
            record[quantity] = per_seed.mean() if len(per_seed) else None
        if interval is not None:
            measured = measure(one_per_seed(part, interval))
            ends = {"lower": measured.lower, "upper": measured.upper}
            record |= {name: np.clip(end, 0.0, 100.0) for name, end in ends.items()}
        records.append(record)
    ends_of_interval = [] if interval is None else ["lower", "upper"]
    columns = [*keys, "seeds", *others, *quantities, *ends_of_interval]
    tidy = pd.DataFrame(records, columns=columns)
    return tidy.sort_values(
        list(keys),
        ignore_index=True,
        key=lambda column: column.map(lambda key: _PLACES.get(key, key)),
    )


def number(row: pd.Series[Any], quantity: str, decimals: Decimals) -> str:
    """A quantity as it is printed; nothing where there is none."""
    if pd.isna(row[quantity]):
        return ""
    places = decimals[quantity]
    return two_digits(row[quantity]) if places is None else f"{row[quantity]:.{places}f}"


def over_seeds(tidy: pd.DataFrame, several: str) -> str:
    """What stands behind the numbers, in words.

    Args:
        tidy: As from `method_means`.
        several: What is said of several seeds besides.
    """
    tuned = tidy[tidy["training_images"] > 0]
    if tuned.empty:
        return "one seed"
    least, most = (int(getattr(tuned["seeds"], end)()) for end in ("min", "max"))
    if most == 1:
        return "one seed, which draws the training images"
    seeds = f"{most}" if least == most else f"{least} to {most}"
    return f"means over {seeds} seeds, each of which draws the training images{several}"
