"""Verdicts on single values, by numbers alone."""

from __future__ import annotations

import math

import pytest

from advmip.reporting.intervals import measure
from advmip.reporting.judging import (
    Cell,
    Obstacle,
    Verdict,
    judge,
    sampling_allowance,
    tally,
    two_digits,
)
from advmip.reporting.obstacles import left_out
from advmip.reporting.sources import Better, Tolerance

TWO_POINTS = Tolerance(2.0, False, "a reason")
TWICE = Tolerance(2.0, True, "a reason")


def cell(
    *values: float,
    least: float | None = None,
    most: float | None = None,
    obstacle: Obstacle | None = None,
    repeated: str = "seeds",
) -> Cell:
    measured = measure(values)
    ends = [measured if end is None else measure([end] * len(values)) for end in (least, most)]
    return Cell(measured, *ends, 0, 20, obstacle, repeated)


def test_within_the_tolerance_is_reproduced():
    assert judge(60.0, cell(58.0), TWO_POINTS, 0.0, None)[0] is Verdict.REPRODUCED


def test_inside_the_interval_over_seeds_is_reproduced():
    verdict, reason = judge(60.0, cell(50.0, 60.0, 55.0), TWO_POINTS, 0.0, None)
    assert verdict is Verdict.REPRODUCED
    assert "3 seeds" in reason


def test_outside_both_but_moved_the_published_way():
    assert judge(60.0, cell(40.0), TWO_POINTS, 0.0, (12.0, 11.0))[0] is Verdict.DIRECTION


def test_moved_the_other_way_is_contradicted():
    verdict, reason = judge(60.0, cell(8.0), TWO_POINTS, 0.0, (12.0, 11.0))
    assert verdict is Verdict.CONTRADICTED
    assert "-52" in reason


def test_a_change_where_the_source_has_none_is_contradicted():
    assert judge(98.0, cell(94.0), TWO_POINTS, 0.0, (98.5, 98.5))[0] is Verdict.CONTRADICTED


def test_an_obstacle_comes_before_any_number():
    for obstacle in (Obstacle("other data", "a stand-in"), left_out()):
        verdict, reason = judge(60.0, cell(60.0, obstacle=obstacle), TWO_POINTS)
        assert (verdict, reason) == (obstacle.verdict, str(obstacle))


def test_times_are_compared_as_ratios_and_may_improve():
    def verdict(ours: float) -> Verdict:
        return judge(100.0, cell(ours), TWICE, better=Better.SMALLER)[0]

    assert verdict(51.0) is Verdict.REPRODUCED
    assert verdict(199.0) is Verdict.REPRODUCED
    assert verdict(0.6) is Verdict.IMPROVED
    assert verdict(201.0) is Verdict.CONTRADICTED
    reason = judge(100.0, cell(0.6), TWICE, better=Better.SMALLER)[1]
    assert reason == "0.6 in place of 100, 0.006 times as much"


def test_more_solved_improves_and_fewer_contradict():
    def verdict(ours: float) -> Verdict:
        return judge(44.0, cell(ours), TWO_POINTS, better=Better.LARGER)[0]

    assert verdict(100.0) is Verdict.IMPROVED
    assert verdict(20.0) is Verdict.CONTRADICTED


def test_what_has_no_better_does_not_improve():
    assert judge(44.0, cell(100.0), TWO_POINTS)[0] is Verdict.CONTRADICTED


def test_what_is_open_decides_only_where_it_is_all_on_one_side():
    def verdict(least: float, most: float) -> Verdict:
        ours = cell(least, least, least=least, most=most, repeated="images")
        return judge(60.0, ours, TWO_POINTS, better=Better.LARGER)[0]

    assert verdict(40.0, 100.0) is Verdict.UNRESOLVED
    assert verdict(61.9, 70.0) is Verdict.UNRESOLVED, "the tolerance reaches in"
    assert verdict(59.0, 61.0) is Verdict.REPRODUCED
    assert verdict(70.0, 100.0) is Verdict.IMPROVED
    assert verdict(10.0, 40.0) is Verdict.CONTRADICTED
    assert verdict(10.0, math.inf) is Verdict.UNRESOLVED


def test_the_interval_over_images_widens_what_is_open():
    low, high = measure([40.0, 50.0]), measure([60.0, 70.0])
    ours = Cell(low, low, high, 0, math.nan, repeated="images")
    assert judge(100.0, ours, TWO_POINTS)[0] is Verdict.UNRESOLVED


def test_one_image_alone_decides_nothing_beyond_the_tolerance():
    one = cell(1.0, repeated="images")
    assert judge(100.0, one, TWICE, better=Better.SMALLER)[0] is Verdict.UNRESOLVED
    assert judge(1.5, one, TWICE, better=Better.SMALLER)[0] is Verdict.REPRODUCED


def test_fewer_test_images_widen_the_tolerance():
    allowance = sampling_allowance(50.0, 2500, 10000)
    assert allowance == pytest.approx(2 * 50 / math.sqrt(2500) * math.sqrt(0.75))
    assert sampling_allowance(50.0, 10000, 10000) == 0.0
    assert judge(60.0, cell(57.0), TWO_POINTS, allowance, None)[0] is Verdict.REPRODUCED


def test_two_digits_count_and_none_is_an_exponent() -> None:
    shown = [two_digits(each) for each in (0.068, 0.99, 5.85, 17.0, 99.4, 99.6, 110.2, 1313.7)]
    assert shown == ["0.068", "0.99", "5.8", "17", "99", "100", "110", "1,314"]


def test_verdicts_are_tallied_in_their_order_and_old_ones_last():
    found = ["unresolved", "not comparable at this scale", "reproduced", "unresolved"]
    assert list(tally(found).items()) == [
        ("reproduced", 1),
        ("unresolved", 2),
        ("not comparable at this scale", 1),
    ]
