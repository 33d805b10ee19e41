"""Tables, figures and claims of Ben Mhenni et al., from rows whose answer is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from example_ben_mhenni import SOURCE, Found, ben_mhenni_rows, planned, planned_solvers
from thesis_rows import written

from advmip.reporting.figures import FIGURES
from advmip.reporting.plan import Plan
from advmip.reporting.rows import Rows, where
from advmip.reporting.tables import TABLES
from advmip.reporting.verdicts import judge_claim

SOURCES = {"benmhenni": SOURCE}


def read(folder: Path, rows: Found) -> Rows:
    return Rows(written(folder, rows), Plan({}, {}, {}, True, planned(), planned_solvers()))


def verdict_on(rows: Rows, name: str) -> dict[str, object]:
    (claim,) = [claim for claim in SOURCE.claims if claim.name == name]
    return judge_claim(rows, SOURCE, claim, "published")


def test_table_1_finds_the_misprint_by_counting(tmp_path: Path) -> None:
    rows = ben_mhenni_rows()
    for row in rows["networks"]:
        if row["paper_network"] == "CIFAR-4x100":
            row["units"] = 410
    tidy = TABLES["benmhenni_table1"].data(read(tmp_path, rows), SOURCES)
    wrong = tidy[tidy["verdict"] == "contradicted"]
    assert wrong[["network", "quantity"]].to_numpy().tolist() == [["CIFAR-4x100", "units"]]


def test_table_2_never_claims_to_compare(tmp_path: Path) -> None:
    rows = read(tmp_path, ben_mhenni_rows())
    tidy = TABLES["benmhenni_table2"].data(rows, SOURCES)
    judged = tidy.dropna(subset=["published"])
    assert set(judged["verdict"]) == {"not comparable"}
    assert judged["reason"].str.contains("define|names").all()
    printed = TABLES["benmhenni_table2"].printed(tidy)
    assert [line[0].text for line in printed.rows][:3] == ["FGSM", "PGD", "C&W"]
    assert any("structural similarity" in note for note in printed.notes)


def test_table_3_marks_limits_and_says_who_refused(tmp_path: Path) -> None:
    rows = ben_mhenni_rows()
    for row in rows["attacks"]:
        if (row["solver"], row["distance_name"], row["rank"]) == ("gurobi", "l1", 2):
            row |= {"outcome": "feasible", "lower_bound": 1.0, "seconds_total": 1000.0}
    tidy = TABLES["benmhenni_table3"].data(read(tmp_path, rows), SOURCES)
    late = where(tidy, {"network": "MNIST-3x50", "distance_name": "l1", "solver": "gurobi"})
    ours = late.set_index("quantity")["ours"]
    assert ours["unfinished"] == pytest.approx(50 / 3)
    assert ours["seconds_total"] == pytest.approx((2 + 4 + 1000) / 3)
    printed = TABLES["benmhenni_table3"].printed(tidy)
    texts = [[entry.text for entry in line] for line in printed.rows]
    assert [line[3] for line in texts if line[3].startswith("≥")][:1] == ["≥ 335.33"]
    home = where(tidy, {"solver": "branch-and-bound", "network": "MNIST-3x50"})
    assert home["ours"].notna().sum() == 2 * 3
    assert set(where(tidy, {"network": "MNIST-6x100"})["reason"]) == {"left out"}
    named = [line[2] for line in texts if line[2].startswith("MIP_Verify")]
    assert named[:3] == ["MIP_Verify (SCIP)", "MIP_Verify (SCIP)", "MIP_Verify"], "who solves it"


def test_a_twin_stands_behind_its_network_and_has_no_published_values(tmp_path: Path) -> None:
    rows = ben_mhenni_rows()
    rows["attacks"] += [
        row | {"paper_network": "CIFAR-4x100-undefended", "seconds_total": 7.0}
        for row in rows["attacks"]
        if row["paper_network"] == "CIFAR-4x100" and row["solver"] == "branch-and-bound"
    ]
    found = read(tmp_path, rows)
    tidy = TABLES["benmhenni_table3"].data(found, SOURCES)
    twin = where(tidy, {"network": "CIFAR-4x100-undefended"})
    assert twin["published"].isna().all()
    assert set(where(twin, {"quantity": "seconds_total"})["ours"]) == {7.0}
    printed = TABLES["benmhenni_table3"].printed(tidy)
    named = [line[0].text for line in printed.rows if line[0].text]
    assert named[:3] == ["CIFAR-4x100", "CIFAR-4x100, undefended", "CIFAR-6x100"]
    assert any("does not say which" in note for note in printed.notes)
    figure = FIGURES["benmhenni_figure7"].data(found, SOURCES)
    assert "CIFAR-4x100-undefended" in set(figure["paper_network"])


def test_a_proof_that_another_solver_refutes_is_no_proof(tmp_path: Path) -> None:
    rows = ben_mhenni_rows()
    for row in rows["attacks"]:
        if (row["solver"], row["distance_name"], row["rank"]) == ("highs", "l1", 0):
            row |= {"distance": 6.0, "lower_bound": 6.0}
    read_rows = read(tmp_path, rows)
    attacks = read_rows.select("attacks", {"solver": "highs", "distance_name": "l1", "rank": 0})
    assert attacks["refuted"].all()
    assert set(attacks["unfinished"]) == {50.0}
    tidy = TABLES["benmhenni_table3"].data(read_rows, SOURCES)
    notes = TABLES["benmhenni_table3"].printed(tidy).notes
    assert sum("lie above an attack that another" in note for note in notes) == 2


def test_faster_solvers_are_compared_where_both_run(tmp_path: Path) -> None:
    rows = read(tmp_path, ben_mhenni_rows())
    faster = verdict_on(rows, "the branch and bound is faster than Gurobi")
    assert faster["verdict"] == "reproduced"
    per_node = verdict_on(rows, "a node of the branch and bound costs a quarter of Gurobi's")
    assert per_node["verdict"] == "direction holds"
    assert verdict_on(rows, "MIPVerify is faster than Gurobi")["verdict"] == "contradicted"
    ahead = verdict_on(rows, "the branch and bound is faster than MIPVerify")
    assert ahead["verdict"] == "reproduced"
    unfinished = verdict_on(rows, "the branch and bound leaves no more unfinished than MIPVerify")
    assert unfinished["verdict"] == "reproduced"
    assert verdict_on(rows, "L1 changes a few pixels, L2 many")["verdict"] == "reproduced"


def test_attacks_that_neither_solver_ended_say_nothing_of_who_is_faster(tmp_path: Path) -> None:
    claim = "the branch and bound is faster than MIPVerify"
    rows = ben_mhenni_rows()

    def stopped(row: dict[str, object]) -> bool:
        compared = row["solver"] in ("branch-and-bound", "mipverify")
        if compared and (row["rank"] == 2 or row["distance_name"] == "l2"):
            late = 1000.5 if row["solver"] == "branch-and-bound" else 1000.1
            row |= {"outcome": "feasible", "lower_bound": 1.0, "seconds_total": late}
        return compared

    assert any([stopped(row) for row in rows["attacks"]])
    assert verdict_on(read(tmp_path / "some", rows), claim)["verdict"] == "reproduced"
    for row in rows["attacks"]:
        row |= {"outcome": "feasible", "lower_bound": 1.0}
    judged = verdict_on(read(tmp_path / "none", rows), claim)
    assert (judged["verdict"], judged["found"]) == ("unresolved", "")


def test_a_solver_that_was_given_less_time_is_not_held_to_more(tmp_path: Path) -> None:
    claims = (
        "the branch and bound is faster than MIPVerify",
        "the branch and bound leaves no more unfinished than MIPVerify",
    )
    rows = ben_mhenni_rows()
    for row in rows["attacks"]:
        if row["solver"] == "branch-and-bound":
            row["seconds_total"] = 100.0  # of a thousand
        if row["solver"] == "mipverify":
            row |= {"outcome": "feasible", "lower_bound": 1.0}
            row |= {"seconds_total": 60.1, "time_limit": 60.0}
    late = read(tmp_path / "late", rows)
    faster, fewer = (verdict_on(late, claim) for claim in claims)
    assert (faster["verdict"], faster["found"]) == ("unresolved", ""), "it may have ended as soon"
    assert fewer["verdict"] == "reproduced", "within a minute neither ended"
    assert fewer["found"] != ""
    notes = TABLES["benmhenni_table3"].printed(TABLES["benmhenni_table3"].data(late, SOURCES)).notes
    assert any("MIP_Verify 60," in note or "MIP_Verify 60." in note for note in notes)
    for row in rows["attacks"]:
        if row["solver"] == "branch-and-bound":
            row["seconds_total"] = 5.0
    early = read(tmp_path / "early", rows)
    assert [verdict_on(early, claim)["verdict"] for claim in claims] == ["reproduced"] * 2


def test_the_profile_counts_a_refusal_as_unsolved(tmp_path: Path) -> None:
    data = FIGURES["benmhenni_figure6"].data(read(tmp_path, ben_mhenni_rows()), SOURCES)
    euclidean = where(data, {"distance": "l2", "solver": "gurobi"})
    assert euclidean[["ratio", "share"]].to_numpy().tolist() == [[1.0, 0.0], [2.0, 100.0]]
    assert where(data, {"distance": "all", "solver": "highs"})["share"].max() == 50.0


def test_a_parent_stands_between_its_children(tmp_path: Path) -> None:
    data = FIGURES["benmhenni_figure4"].data(read(tmp_path, ben_mhenni_rows()), SOURCES)
    assert data["x"].tolist() == [0.5, 0.0, 1.0]
    assert data["depth"].tolist() == [0, 1, 1]


def test_time_stands_over_the_number_of_neurons(tmp_path: Path) -> None:
    data = FIGURES["benmhenni_figure7"].data(read(tmp_path, ben_mhenni_rows()), SOURCES)
    own = where(data, {"solver": "gurobi", "distance_name": "l1"}).sort_values("neurons")
    assert own["neurons"].tolist() == [100, 400]
    np.testing.assert_allclose(own["seconds"], 4.0)
    assert not own["at_limit"].any()
