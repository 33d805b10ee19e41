"""What a shorter time limit leaves open, against attacks that are known."""

from __future__ import annotations

import math

import pandas as pd
from thesis_rows import attack

from advmip.reporting.limits import ends_under
from advmip.reporting.zhu.instances import counted


def ends(quantity: str, limit: float | None, **found: object) -> tuple[float, float]:
    """The least and the most of one attack that was stopped after 60 seconds."""
    stopped = {"outcome": "feasible", "distance": 8.0, "lower_bound": 6.0, "nodes": 40}
    row = attack("DNN1", "basic", "l1", 0, time_limit=60.0, seconds_total=60.5, **stopped) | found
    least, most = ends_under(counted(pd.DataFrame([row])), quantity, limit)
    return float(least[0]), float(most[0])


def test_a_stopped_attack_is_bounded_by_what_is_known() -> None:
    assert ends("solved", 300.0) == (0.0, 100.0)
    assert ends("gap_left", 300.0) == (0.0, 25.0)
    assert ends("objective", 300.0) == (6.0, 8.0)
    assert ends("nodes", 300.0) == (40.0, math.inf)
    assert ends("seconds_total", 300.0) == (60.5, 300.0)
    assert ends("total_change", 300.0) == (-math.inf, math.inf)


def test_without_an_attack_only_the_lower_bound_is_known() -> None:
    assert ends("objective", 300.0, distance=math.inf) == (6.0, math.inf)


def test_an_attack_that_ended_is_what_it_is() -> None:
    solved = {"outcome": "optimal", "lower_bound": 8.0, "seconds_total": 3.0}
    assert ends("seconds_total", 300.0, **solved) == (3.0, 3.0)
    assert ends("objective", 300.0, **solved) == (8.0, 8.0)


def test_the_same_limit_or_none_leaves_nothing_open() -> None:
    for limit in (60.0, None):
        assert ends("solved", limit) == (0.0, 0.0)
        assert ends("seconds_total", limit) == (60.5, 60.5)


def test_a_longer_limit_leaves_open_what_took_longer_than_the_shorter() -> None:
    solved = {"outcome": "optimal", "time_limit": 600.0}
    assert ends("solved", 30.0, **solved) == (-math.inf, math.inf)
    assert ends("solved", 300.0, **solved) == (100.0, 100.0)


def test_a_change_is_open_where_either_attack_was_stopped() -> None:
    pair = [
        attack("DNN1", "test_examples", "l1", 0, time_limit=60.0, outcome="feasible", distance=4.0),
        attack("DNN1", "retrained", "l1", 0, time_limit=60.0, trained_on="l0", distance=5.0),
    ]
    rows = counted(pd.DataFrame(pair))
    least, most = ends_under(rows, "change", 300.0)
    assert (least[1], most[1]) == (-math.inf, math.inf)
    least, most = ends_under(rows, "objective", 300.0)
    assert (least[1], most[1]) == (5.0, 5.0)
