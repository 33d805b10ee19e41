"""The Pareto front by its definition, and the weighted choice by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advmip.finetuning.pool import choose, pareto_front, smallest_dominating_loss

points = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=30)


@given(points)
def test_the_front_is_what_no_other_point_dominates(values):
    violation, loss = np.array(values, dtype=float).T
    front = pareto_front(violation, loss)
    for index, (v, f) in enumerate(values):
        dominated = any(a <= v and b <= f and (a, b) != (v, f) for a, b in values)
        first = values.index((v, f)) == index
        assert front[index] == (not dominated and first)


def pool():
    frame = pd.DataFrame(
        {
            "iteration": [0, 1, 1, 2, 2],
            "alpha": [0.0, 0.5, 1.0, 0.5, 1.0],
            "violation": [10.0, 6.0, 2.0, 5.0, 0.0],
            "loss": [0.10, 0.11, 0.16, 0.12, 0.20],
            "complete": True,
        }
    )
    frame["pareto"] = pareto_front(frame["violation"].to_numpy(), frame["loss"].to_numpy())
    return frame


@pytest.mark.parametrize(
    ("omega", "expected"),
    # Scaled objectives: V~ = .0 .2 .5 .6 1 (from the last), l~ = 0 .1 .6 .2 1. By hand:
    [(0.0, 4), (1.0, 0), (0.45, 3), (0.34, 2)],
)
def test_the_weight_moves_the_choice_along_the_front(omega, expected):
    frame = pool()
    scores = omega * (frame.loss - 0.1) / 0.1 + (1 - omega) * frame.violation / 10
    assert choose(frame, omega) == scores.idxmin() == expected


def test_a_dominated_point_is_never_chosen_and_does_not_stretch_the_scale():
    frame = pool()
    worse = {"iteration": 3, "alpha": 1.0, "violation": 900.0, "loss": 9.0, "complete": True}
    longer = pd.concat([frame, pd.DataFrame([worse | {"pareto": False}])], ignore_index=True)
    for omega in (0.0, 0.2, 0.4, 0.6, 1.0):
        assert choose(longer, omega) == choose(frame, omega)


def test_only_finished_losses_of_no_larger_violation_can_dominate():
    frame = pool()
    assert smallest_dominating_loss(frame, 5.5) == 0.12
    assert smallest_dominating_loss(frame, -1.0) == float("inf")
    frame.loc[3, "complete"] = False
    assert smallest_dominating_loss(frame, 5.5) == 0.16
