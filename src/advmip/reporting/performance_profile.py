"""Performance profiles: how often each solver is within a factor of the fastest one.

Dolan & Moré (2002): with t_ps the time of solver s on instance p, and infinite where it did not
finish, the ratio is r_ps = t_ps / min_s t_ps, and the profile of s at a factor x is the share of
instances with r_ps <= x. An instance that no solver finishes counts in the whole, for none.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from advmip.reporting import style


def profiles(times: pd.DataFrame) -> pd.DataFrame:
    """The steps of each solver's profile.

    Args:
        times: Seconds (instances, solvers), inf where a solver did not finish; every solver on
            every instance.

    Returns:
        One row for each step of each solver: solver, ratio (from 1), and share of the instances
        (percent) up to that ratio.
    """
    ratios = times.div(times.min(axis=1), axis=0).where(np.isfinite(times), np.inf)
    steps = []
    for solver in times.columns:
        own = np.sort(ratios[solver].to_numpy(dtype=float))
        reached = np.unique(np.concatenate([[1.0], own[np.isfinite(own)]]))
        shares = 100.0 * np.searchsorted(own, reached, side="right") / len(own)
        steps.append(pd.DataFrame({"solver": solver, "ratio": reached, "share": shares}))
    return pd.concat(steps, ignore_index=True)


def draw_profiles(axis: Axes, steps: pd.DataFrame, names: Mapping[str, str]) -> None:
    """Draw the profiles, one line for each solver, over the logarithm of the ratio.

    Args:
        axis: Where.
        steps: What `profiles` returned.
        names: The solvers as the legend writes them.
    """
    end = 1.15 * max(float(steps["ratio"].max()), 1.5)
    groups = steps.groupby("solver", sort=False)
    for (solver, own), (colour, dashes, _) in zip(groups, cycle(style.LINES), strict=False):
        axis.step(
            [*own["ratio"], end],
            [*own["share"], own["share"].iloc[-1]],
            where="post",
            label=names.get(str(solver), str(solver)),
            color=colour,
            linestyle=dashes,
            linewidth=1.6,
        )
    axis.set(xscale="log", xlim=(1.0, end), ylim=(-2.0, 102.0))
    # 1, 2, 5, 10, ...: a few of them if the axis is long.
    decades = range(int(np.log10(end)) + 1)
    leading = (1, 2, 5) if len(decades) <= 2 else (1,)
    ticks = [first * 10**decade for decade in decades for first in leading]
    ticks = [tick for tick in ticks if tick <= end]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    axis.set(xlabel="time / fastest time", ylabel="instances solved (%)")
