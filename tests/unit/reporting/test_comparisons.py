"""Verdicts on single values."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from example_rows import Example, ExampleRows, written

from advmip.reporting.comparisons import (
    Cell,
    Verdict,
    compare_block,
    judge,
    sampling_allowance,
    two_digits,
)
from advmip.reporting.intervals import measure
from advmip.reporting.rows import MissingRowsError, where
from advmip.reporting.sources import Source, Tolerance

TWO_POINTS = Tolerance(2.0, False, "a reason")
TWICE = Tolerance(2.0, True, "a reason")


def cell(*values: float, obstacle: str = "") -> Cell:
    return Cell(measure(values), test_images=0, iterations=20, obstacle=obstacle)


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
    verdict, reason = judge(60.0, cell(60.0, obstacle="a stand-in"), TWO_POINTS, 0.0, None)
    assert verdict is Verdict.NOT_COMPARABLE
    assert reason == "a stand-in"


def test_times_are_compared_as_ratios():
    assert judge(100.0, cell(51.0), TWICE, 0.0, None)[0] is Verdict.REPRODUCED
    assert judge(100.0, cell(49.0), TWICE, 0.0, (10.0, 1.0))[0] is Verdict.DIRECTION
    assert judge(100.0, cell(1.0), TWICE, 0.0, (10.0, 2.0))[0] is Verdict.CONTRADICTED
    assert judge(100.0, cell(1.0), TWICE, 0.0, None)[0] is Verdict.NOT_COMPARABLE


def test_fewer_test_images_widen_the_tolerance():
    allowance = sampling_allowance(50.0, 2500, 10000)
    assert allowance == pytest.approx(2 * 50 / math.sqrt(2500) * math.sqrt(0.75))
    assert sampling_allowance(50.0, 10000, 10000) == 0.0
    assert judge(60.0, cell(57.0), TWO_POINTS, allowance, None)[0] is Verdict.REPRODUCED


def test_the_papers_own_numbers_are_reproduced(as_printed: Example, sources: dict[str, Source]):
    source = sources["zk"]
    compared = compare_block(as_printed.rows, source, source.blocks["cnn_finetuned"], "published")
    assert len(compared) == 15 * 4
    assert set(compared["verdict"]) == {"reproduced"}
    assert (compared["difference"] == 0).all()


def test_stand_ins_are_not_comparable(demo: Example, sources: dict[str, Source]):
    source = sources["zk"]
    compared = compare_block(demo.rows, source, source.blocks["cnn_initial"], "published")
    assert set(compared["verdict"]) == {"not comparable at this scale"}
    assert set(compared["reason"]) == {"digits_cnn on digits stands in for CNN"}


def test_other_iterations_are_not_comparable(tmp_path: Path, sources: dict[str, Source]):
    example = written(ExampleRows(iterations=8), tmp_path)
    block = sources["zk"].blocks["cnn_projection_time"]
    compared = compare_block(example.rows, sources["zk"], block, "published")
    assert set(compared["reason"]) == {"iterations: 8 instead of 20"}
    last = where(compared, {"adversarial_count": 50, "iteration": "last"})
    assert last["ours"].item() == pytest.approx(0.08)


def test_left_out_on_purpose_is_no_error_but_missing_is(
    tmp_path: Path, demo: Example, sources: dict[str, Source]
):
    block = sources["zk"].blocks["cnn_finetuned"]
    twenty = where(
        compare_block(demo.rows, sources["zk"], block, "published"), {"adversarial_count": 20}
    )
    assert set(twenty["reason"]) == {"not run at this scale"}
    assert twenty["ours"].isna().all()
    lost = {"paper_network": "CNN", "adversarial_count": 20, "experiment": "tables"}
    example = written(ExampleRows().change("evaluations", lost), tmp_path)
    with pytest.raises(MissingRowsError, match="adversarial_count=20"):
        compare_block(example.rows, sources["zk"], block, "published")


def test_the_described_protocol_has_no_published_values(
    as_printed: Example, sources: dict[str, Source]
):
    block = sources["zk"].blocks["cnn_initial"]
    compared = compare_block(as_printed.rows, sources["zk"], block, "described")
    assert compared["ours"].notna().all()
    assert compared[["published", "difference", "verdict"]].isna().all(axis=None)


def test_two_digits_count_and_none_is_an_exponent() -> None:
    shown = [two_digits(each) for each in (0.068, 0.99, 5.85, 17.0, 99.4, 99.6, 110.2, 1313.7)]
    assert shown == ["0.068", "0.99", "5.8", "17", "99", "100", "110", "1,314"]
