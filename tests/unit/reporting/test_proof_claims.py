"""Extension 4: what is proved of test images, as a table, as a figure, and as claims."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from example_robustness import METHODS
from example_rows import Example, ExampleRows, judged, written

from advmip.reporting.figures import FIGURES
from advmip.reporting.judging import Verdict
from advmip.reporting.rows import where
from advmip.reporting.sources import Source
from advmip.reporting.tables import TABLES

CLAIMS = {
    "finitely many points suffice",
    "fine-tuning for PGD buys no certificates",
    "certified cuts need fewer images than points",
}


def test_a_line_for_each_network_and_each_way_to_make_it_robust(
    five_seeds: Example, sources: dict[str, Source]
) -> None:
    kind = TABLES["zk_extension4"]
    tidy = kind.data(five_seeds.rows, sources)
    assert list(tidy["paper_network"].unique()) == ["CNNLight", "CNN"]
    assert len(tidy) == 2 * (1 + 2 * len(METHODS))
    assert list(tidy["method"][:5]) == ["initial", *METHODS], "those with the same images together"
    few = where(tidy, {"paper_network": "CNNLight", "training_images": 10})
    certified = few.iloc[0]
    assert certified["proved"] == pytest.approx(47.0), "the mean over five seeds"
    assert certified["lower"] < 47.0 < certified["upper"]
    printed = kind.printed(tidy)
    words = [[entry.text for entry in line] for line in printed.rows]
    assert words[0][:4] == ["CNNLight", "0.05", "as it is", ""]
    assert words[1][2:5] == ["cuts of certificates", "100 % of 10", "47.0 (45.0 to 49.0)"]
    best = [line[2].text for line in printed.rows if line[4].bold]
    assert best == 2 * ["cuts of certificates", "training on linear bounds"]
    assert "5 seeds" in printed.notes[0]


def test_the_figure_has_the_network_as_it_is_and_an_interval_over_seeds(
    five_seeds: Example, as_printed: Example, sources: dict[str, Source]
) -> None:
    data = FIGURES["zk_extension4"].data(five_seeds.rows, sources)
    assert set(where(data, {"training_images": 0})["method"]) == {"initial"}
    assert (data["lower"] < data["proved"]).sum() == 2 * 2 * len(METHODS)
    alone = FIGURES["zk_extension4"].data(as_printed.rows, sources)
    assert alone["lower"].isna().all(), "one seed has no interval"


def test_the_claims_are_judged_under_one_protocol(
    as_printed: Example, sources: dict[str, Source]
) -> None:
    claims = judged(as_printed, sources["zk"], CLAIMS)
    assert set(claims.index) == CLAIMS
    assert len(claims) == len(CLAIMS)
    assert set(claims["protocol"]) == {"described"}
    assert set(claims["verdict"]) == {Verdict.REPRODUCED}
    points = claims.loc["finitely many points suffice", "found"]
    assert "30 points for 10 images" in points
    assert "150 points for 50 images" in points
    fewer = claims.loc["certified cuts need fewer images than points", "found"]
    assert "10 images against 50 points: 23" in fewer


def test_claims_that_rows_contradict(tmp_path: Path, sources: dict[str, Source]) -> None:
    rows = ExampleRows()
    rows.change("robustness", {"method": "points"}, training_proved=40.0)
    rows.change("robustness", {"method": "pgd_points"}, proved=90.0)
    claims = judged(written(rows, tmp_path), sources["zk"], CLAIMS)
    assert set(claims["verdict"]) == {Verdict.CONTRADICTED}


def test_a_method_that_a_scale_leaves_out(tmp_path: Path, sources: dict[str, Source]) -> None:
    rows = ExampleRows().change("robustness", {"method": "points"})
    example = written(rows, tmp_path)
    counts = {key: runs for key, runs in rows.plan.counts.items() if "points" not in key[0]}
    kept = Example(example.folder, replace(example.plan, counts=counts))
    claims = judged(kept, sources["zk"], CLAIMS)
    assert claims.loc["finitely many points suffice", "verdict"] == Verdict.NOT_RUN
