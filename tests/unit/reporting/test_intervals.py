"""Means over seeds, against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest

from advmip.reporting.intervals import measure, measure_share


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


def test_equal_seeds_have_an_interval_of_no_width():
    measured = measure([4.0, 4.0])
    assert (measured.lower, measured.upper) == (4.0, 4.0)


@pytest.mark.parametrize("values", [[], [1.0, float("nan")]])
def test_missing_values_are_refused(values: list[float]):
    with pytest.raises(ValueError, match="numbers"):
        measure(values)


def test_an_infinite_value_leaves_nothing_finite():
    measured = measure([1.0, math.inf])
    assert (measured.mean, measured.lower, measured.upper) == (math.inf,) * 3


def test_all_of_a_few_is_not_all_of_many():
    three = measure_share([100.0] * 3, 100.0)
    assert (three.mean, three.upper) == (100.0, 100.0)
    # All of n: the lower end is the n-th root of 2.5 %.
    assert three.lower == pytest.approx(100 * 0.025 ** (1 / 3))
    none = measure_share([0.0] * 4, 50.0)
    assert (none.lower, none.upper) == (0.0, pytest.approx(50 * (1 - 0.025**0.25)))
    half = measure_share([0.0, 100.0], 100.0)
    assert half.lower == pytest.approx(100 - half.upper)


def test_the_share_of_all_that_there_are_is_no_estimate():
    three = measure_share([100.0, 0.0, 100.0], 100.0, population=3)
    assert three.lower == three.mean == three.upper == pytest.approx(200 / 3)
    some = measure_share([100.0, 0.0, 100.0], 100.0, population=9)
    assert some.lower < three.mean < some.upper


def test_a_share_is_of_wholes():
    with pytest.raises(ValueError, match="0 or 100"):
        measure_share([50.0], 100.0)
