"""Means over seeds, against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest

from advmip.reporting.intervals import measure


def test_interval_of_three_seeds_is_students():
    measured = measure([1.0, 2.0, 3.0])
    half = 4.302652729911275 / math.sqrt(3)  # t quantile 0.975 with 2 degrees, deviation 1
    assert measured.mean == 2.0
    assert measured.lower == pytest.approx(2.0 - half)
    assert measured.upper == pytest.approx(2.0 + half)
    assert measured.seeds == 3


def test_one_further_run_is_less_certain_than_the_mean():
    measured = measure([1.0, 2.0, 3.0])
    assert measured.further_upper - 2.0 == pytest.approx(2.0 * (measured.upper - 2.0))


def test_one_seed_has_a_mean_and_no_interval():
    measured = measure([5.0])
    assert measured.mean == 5.0
    assert math.isnan(measured.lower)
    assert not measured.holds(5.0)


def test_equal_seeds_have_an_interval_of_no_width():
    measured = measure([4.0, 4.0])
    assert measured.holds(4.0)
    assert not measured.holds(4.1)


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]])
def test_missing_and_infinite_values_are_refused(values: list[float]):
    with pytest.raises(ValueError, match="finite"):
        measure(values)
