"""Performance profiles of two solvers whose times are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from advmip.reporting.performance_profile import draw_profiles, profiles


def test_a_profile_counts_instances_within_a_factor_of_the_fastest() -> None:
    times = pd.DataFrame({"one": [1.0, 4.0, np.inf, np.inf], "other": [2.0, 1.0, 3.0, np.inf]})
    steps = profiles(times)
    one, other = (steps[steps["solver"] == name] for name in times)
    # "one" is fastest on the first, 4 times slower on the second, and never finishes two.
    assert list(zip(one["ratio"], one["share"], strict=True)) == [(1.0, 25.0), (4.0, 50.0)]
    assert list(zip(other["ratio"], other["share"], strict=True)) == [(1.0, 50.0), (2.0, 75.0)]


def test_a_solver_that_finishes_nothing_stays_at_zero() -> None:
    steps = profiles(pd.DataFrame({"one": [1.0, 2.0], "none": [np.inf, np.inf]}))
    assert steps[steps["solver"] == "none"]["share"].tolist() == [0.0]
    axis = Figure().subplots()
    draw_profiles(axis, steps, {"one": "One"})
    assert [line.get_label() for line in axis.get_lines()] == ["One", "none"]
