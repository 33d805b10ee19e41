"""Verdicts on single values."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_rows import Example, ExampleRows, written

from advmip.reporting.comparisons import compare_block
from advmip.reporting.rows import MissingRowsError, where
from advmip.reporting.sources import Source


def test_the_papers_own_numbers_are_reproduced(as_printed: Example, sources: dict[str, Source]):
    source = sources["zk"]
    compared = compare_block(as_printed.rows, source, source.blocks["cnn_finetuned"], "published")
    assert len(compared) == 15 * 4
    assert set(compared["verdict"]) == {"reproduced"}
    assert (compared["difference"] == 0).all()


def test_stand_ins_are_not_comparable(demo: Example, sources: dict[str, Source]):
    source = sources["zk"]
    compared = compare_block(demo.rows, source, source.blocks["cnn_initial"], "published")
    assert set(compared["verdict"]) == {"not comparable"}
    assert set(compared["reason"]) == {"other data: digits_cnn on digits stands in for CNN"}


def test_other_iterations_are_not_comparable(tmp_path: Path, sources: dict[str, Source]):
    example = written(ExampleRows(iterations=8), tmp_path)
    block = sources["zk"].blocks["cnn_projection_time"]
    compared = compare_block(example.rows, sources["zk"], block, "published")
    assert set(compared["reason"]) == {"with as many iterations: 8 instead of 20"}
    last = where(compared, {"adversarial_count": 50, "iteration": "last"})
    assert last["ours"].item() == pytest.approx(0.08)


def test_left_out_on_purpose_is_no_error_but_missing_is(
    tmp_path: Path, demo: Example, sources: dict[str, Source]
):
    block = sources["zk"].blocks["cnn_finetuned"]
    twenty = where(
        compare_block(demo.rows, sources["zk"], block, "published"), {"adversarial_count": 20}
    )
    assert set(twenty["verdict"]) == {"not run at this scale"}
    assert set(twenty["reason"]) == {"left out"}
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
