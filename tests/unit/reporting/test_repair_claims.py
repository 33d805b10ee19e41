"""Extension 5: what repairs prove, carry over and cost, as a table, as a figure, and as claims."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from example_repairs import CLEAN, COUNTS, REPAIRED
from example_rows import Example, ExampleRows, judged, written

from advmip.reporting.figures import FIGURES
from advmip.reporting.judging import Verdict
from advmip.reporting.rows import MissingRowsError, where
from advmip.reporting.sources import Source
from advmip.reporting.tables import TABLES
from advmip.reporting.verdicts import judge_source
from advmip.reporting.zhao_kronqvist.method_means import over_seeds

CLAIMS = {
    "images are repaired with a ball around each",
    "repair of points leaves the balls around them open",
    "repair costs no accuracy",
    "repair carries over to other images",
}


def test_a_line_for_each_kind_of_image_and_each_way_to_repair(
    five_seeds: Example, sources: dict[str, Source]
) -> None:
    kind = TABLES["zk_extension5"]
    tidy = kind.data(five_seeds.rows, sources)
    assert list(tidy["task"].unique()) == ["misclassified", "fog"]
    assert len(tidy) == 2 * (1 + len(COUNTS) * len(REPAIRED))
    assert list(tidy["method"][:5]) == ["initial", *REPAIRED], "those of the same images together"
    ours = where(tidy, {"task": "fog", "training_images": 50, "method": "certificates"}).iloc[0]
    assert ours["others_right"] == pytest.approx(30 + 10 + 4), "the mean over five seeds"
    assert ours["accuracy_lost"] == pytest.approx(0.1)
    assert ours["stopped"] == "converged"
    printed = kind.printed(tidy)
    words = [[entry.text for entry in line] for line in printed.rows]
    assert words[0][:6] == ["MNIST-3x100", "0.01", "misclassified", "as it is", "", ""]
    assert words[0][7] == f"{CLEAN:.2f}"
    assert words[1][2:7] == ["10 misclassified", "cuts of certificates", "100", "100", "34.0"]
    assert words[3][3:11] == [
        *["last layer, program in L1", "100", "0", "19.0", "86.50", "10.00", "0.30", "optimal"]
    ]
    best = {line[3].text for line in printed.rows if line[5].bold or line[6].bold}
    assert best == {"cuts of certificates"}
    assert "5 seeds" in printed.notes[0]


def test_the_note_says_how_many_seeds_stand_behind_means() -> None:
    tidy = pd.DataFrame({"training_images": [0, 10, 10], "seeds": [1, 2, 2]})
    assert over_seeds(tidy, "").startswith("means over 2 seeds")
    assert over_seeds(tidy.assign(seeds=[1, 1, 2]), "").startswith("means over 1 to 2 seeds")
    assert over_seeds(tidy.assign(seeds=1), "") == "one seed, which draws the training images"


def test_the_figure_has_three_measures_with_their_range_over_seeds(
    five_seeds: Example, sources: dict[str, Source]
) -> None:
    data = FIGURES["zk_extension5"].data(five_seeds.rows, sources)
    assert len(data) == 2 * 3 * len(COUNTS) * len(REPAIRED)
    others = where(data, {"measure": "others_right"})
    assert (others["most"] - others["least"]).tolist() == pytest.approx([8.0] * len(others))
    lost = where(data, {"measure": "accuracy_lost", "method": "last_layer_linf"})
    assert lost["mean"].tolist() == pytest.approx([15.0] * 4)


def test_claims_about_repairs_are_judged(as_printed: Example, sources: dict[str, Source]) -> None:
    claims = judged(as_printed, sources["zk"], CLAIMS)
    assert set(claims.index) == CLAIMS
    assert set(claims["protocol"]) == {"described"}
    assert set(claims["verdict"]) == {Verdict.REPRODUCED}
    open_balls = claims.loc["repair of points leaves the balls around them open", "found"]
    assert "MNIST-3x100, fog, ε = 0.01, 50 images: 20 %" in open_balls


def test_a_stand_in_shows_the_direction_alone(demo: Example, sources: dict[str, Source]) -> None:
    claims = judged(demo, sources["zk"], CLAIMS)
    assert set(claims["verdict"]) == {Verdict.DIRECTION}


def test_repairs_that_contradict_the_claims(tmp_path: Path, sources: dict[str, Source]) -> None:
    rows = ExampleRows()
    repaired = {"experiment": "extension5"}
    rows.change(
        "robustness",
        repaired | {"method": "certificates"},
        training_proved=30.0,
        clean_accuracy=80.0,
    )
    rows.change("robustness", repaired | {"method": "last_layer_l1"}, training_proved=90.0)
    rows.change("robustness", repaired | {"method": "gradient_with_training"}, others_right=90.0)
    claims = judged(written(rows, tmp_path), sources["zk"], CLAIMS)
    assert set(claims["verdict"]) == {Verdict.CONTRADICTED}


def test_repairs_that_are_missing_are_told_from_those_left_out(
    tmp_path: Path, sources: dict[str, Source]
) -> None:
    rows = ExampleRows().change("robustness", {"method": "certificates", "task": "fog"})
    rows.change("robustness", {"method": "certificates", "task": "misclassified"})
    example = written(rows, tmp_path)
    planned = {key: value for key, value in rows.plan.distances.items() if "extension5" in key[0]}
    assert planned
    left_out = {key: value for key, value in rows.plan.distances.items() if key not in planned}
    without = Example(example.folder, replace(example.plan, distances=left_out))
    claims = judged(without, sources["zk"], CLAIMS)
    assert set(claims["verdict"]) == {Verdict.NOT_RUN}
    with pytest.raises(MissingRowsError, match="extension5, certificates"):
        judge_source(example.rows, sources["zk"])
