"""The thesis's claims in words, judged by its own numbers and by others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from thesis_rows import IMAGES, SOURCE, ThesisRows

from advmip.reporting.plan import Plan
from advmip.reporting.rows import MissingRowsError, Rows
from advmip.reporting.verdicts import judge_claim, judge_source

OWN_KIND = "retrained networks are best on examples of their own kind"
ROBUST = "L-infinity examples make networks more robust"
SOLVED = "exact bounds solve more than the basic model"


def verdict_on(rows: Rows, name: str) -> dict[str, Any]:
    (claim,) = [claim for claim in SOURCE.claims if claim.name == name]
    return judge_claim(rows, SOURCE, claim, "published")


def test_the_thesis_bears_out_all_its_claims_but_one(tmp_path: Path) -> None:
    verdicts = judge_source(ThesisRows().read(tmp_path), SOURCE)
    values = verdicts[verdicts["kind"] == "value"]
    assert set(values["verdict"]) == {"reproduced"}, values[values["verdict"] != "reproduced"]
    claims = verdicts[verdicts["kind"] == "claim"].set_index("name")
    assert set(claims["protocol"]) == {"published"}, "exact attacks have one protocol"
    # Its conclusion says so; in its Table 7 that network has the lowest mean of the four.
    own = claims["verdict"].to_dict()
    assert own.pop("L-infinity examples give the highest accuracies") == "contradicted"
    assert set(own.values()) == {"reproduced"}, claims[claims["verdict"] != "reproduced"]["found"]


def test_a_network_that_is_best_on_another_kind_contradicts(tmp_path: Path) -> None:
    rows = ThesisRows().change(
        "accuracies", {"trained_on": "l1", "distance_name": "l1"}, accuracy=9.0
    )
    assert verdict_on(rows.read(tmp_path), OWN_KIND)["verdict"] == "contradicted"


def test_images_that_disagree_leave_a_change_unresolved(tmp_path: Path) -> None:
    rows = ThesisRows()
    for rank in range(IMAGES):
        rows.change(
            "attacks",
            {"experiment": "retrained", "trained_on": "linf", "distance_name": "l1", "rank": rank},
            distance=5.0 if rank % 2 else 10.5,
        )
    assert verdict_on(rows.read(tmp_path), ROBUST)["verdict"] == "unresolved"


def test_a_time_limit_that_stops_the_exact_bounds_contradicts(tmp_path: Path) -> None:
    rows = ThesisRows().change(
        "attacks", {"experiment": "exact", "paper_network": "DNN1"}, outcome="feasible"
    )
    judged = verdict_on(rows.read(tmp_path), SOLVED)
    assert judged["verdict"] == "contradicted"
    assert "DNN1, basic model less exact bounds: 100 % solved" in judged["found"]


def test_a_scale_without_the_runs_has_nothing_to_say(tmp_path: Path) -> None:
    rows = ThesisRows()
    kept = {key: names for key, names in rows.plan.distances.items() if key[0] == "progressive"}
    rows.rows["attacks"] = [
        row for row in rows.rows["attacks"] if row["experiment"] == "progressive"
    ]
    rows.rows["accuracies"] = []
    read = Rows(rows.read(tmp_path).folder, Plan({}, {}, {}, True, kept))
    for name in (SOLVED, OWN_KIND, ROBUST):
        judged = verdict_on(read, name)
        assert judged["verdict"] == "not run at this scale", name
        assert judged["reason"] == "left out"


def test_runs_that_the_scale_ought_to_have_must_be_there(tmp_path: Path) -> None:
    rows = ThesisRows()
    plan = rows.plan
    rows.rows["attacks"] = [row for row in rows.rows["attacks"] if row["experiment"] != "retrained"]
    with pytest.raises(MissingRowsError, match="retrained"):
        verdict_on(Rows(rows.read(tmp_path).folder, plan), ROBUST)


def test_stand_ins_show_directions_only(tmp_path: Path) -> None:
    rows = ThesisRows()
    for kind in ("attacks", "accuracies"):
        rows.change(kind, {}, network="digits_dnn", dataset="digits")
    verdicts = judge_source(rows.read(tmp_path), SOURCE)
    claims = verdicts[verdicts["kind"] == "claim"]
    assert "reproduced" not in set(claims["verdict"])
    assert claims.set_index("name").loc[OWN_KIND, "verdict"] == "direction holds"
