"""The competition's table, figure and claims: our answers beside those of its tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from example_rows import PAPERS
from example_vnncomp import planned_benchmarks, vnncomp_rows

from advmip.experiments.rows import COLUMNS, write_rows
from advmip.reporting.figures import FIGURES
from advmip.reporting.formats import DASH
from advmip.reporting.judging import Verdict
from advmip.reporting.plan import Plan
from advmip.reporting.rows import Rows
from advmip.reporting.sources import read_source, read_sources
from advmip.reporting.tables import TABLES
from advmip.reporting.verdicts import judge_source
from advmip.reporting.vnncomp.answers import all_answers, beside_ours

SOURCE = read_source(PAPERS / "vnncomp.yaml")


def rows_in(folder: Path, found: dict[str, list[dict[str, Any]]]) -> Rows:
    for kind in COLUMNS:
        write_rows(kind, found.get(kind, []), folder / f"{kind}.csv")
    planned = planned_benchmarks()
    return Rows(folder, Plan({}, {}, {}, True, planned, planned))


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    return rows_in(tmp_path, vnncomp_rows())


def verdicts(rows: Rows) -> pd.DataFrame:
    return judge_source(rows, SOURCE).set_index("name")


def test_a_replayed_counterexample_refutes_a_published_proof(rows: Rows) -> None:
    answers = all_answers(rows)
    (refuted,) = answers[answers["refuted"]].to_dict("records")
    assert (refuted["tool"], refuted["instance"]) == ("Marabou", 1)
    claim = verdicts(rows).loc["no published answer is refuted"]
    assert claim["verdict"] == Verdict.CONTRADICTED
    assert claim["found"].startswith("Marabou (eran_2021 1): 1 of 2 answers refuted")
    assert "VeriNet: 0 of 3 answers refuted" in claim["found"]
    assert "nnenum" not in claim["found"], "which did not take part"


def test_a_counterexample_of_one_other_tool_alone_refutes_nothing(tmp_path: Path) -> None:
    found = vnncomp_rows()
    for row in found["answers"]:
        row |= {"answer": "unknown", "counterexample": None}
    assert not all_answers(rows_in(tmp_path, found))["refuted"].any()


def test_ours_must_not_stand_against_two_tools_that_none_denies(tmp_path: Path) -> None:
    found = vnncomp_rows()
    found["answers"][1] |= {"answer": "sat", "counterexample": "onnxruntime"}
    claim = verdicts(rows_in(tmp_path, found)).loc["no answer of ours stands against two tools"]
    assert claim["verdict"] == Verdict.CONTRADICTED
    assert claim["found"].startswith("eran_2021 (eran_2021 4): 1 of 2 answers of ours")
    # Of the first instance the tools say different things: nothing follows for ours.
    claim = verdicts(rows_in(tmp_path, vnncomp_rows())).loc[claim.name]
    assert claim["verdict"] == Verdict.REPRODUCED


def test_published_numbers_are_judged_over_those_instances_that_ours_was_asked(
    rows: Rows, tmp_path: Path
) -> None:
    judged = verdicts(rows).loc["eran_2021, tool = ERAN"]
    assert judged["published"] == pytest.approx(100 * 27 / 36)
    assert judged["ours"] == pytest.approx(100 * 2 / 3)
    # One was stopped after 60 of 300 seconds: two or three of three.
    assert (judged["least"], judged["most"]) == (pytest.approx(100 * 2 / 3), 100.0)
    assert judged["verdict"] == Verdict.UNRESOLVED
    ended = rows_in(tmp_path / "ended", vnncomp_rows(time_limit=300.0))
    assert verdicts(ended).loc["eran_2021, tool = ERAN", "verdict"] == Verdict.REPRODUCED
    whole = rows_in(tmp_path / "whole", vnncomp_rows(time_limit=300.0, population=3))
    judged = verdicts(whole).loc["eran_2021, tool = ERAN"]
    assert (judged["lower"], judged["upper"]) == (judged["ours"], judged["ours"]), "no estimate"
    assert judged["verdict"] == Verdict.CONTRADICTED
    assert verdicts(whole).loc["eran_2021, tool = OVAL", "verdict"] == Verdict.IMPROVED


def test_what_a_scale_leaves_out_is_not_run(tmp_path: Path) -> None:
    found = rows_in(tmp_path, vnncomp_rows(stand_ins=True))
    planned = planned_benchmarks(stand_ins=True)
    judged = judge_source(Rows(found.folder, Plan({}, {}, {}, True, planned, planned)), SOURCE)
    assert set(judged["verdict"]) == {Verdict.NOT_RUN}


def test_the_table_counts_the_same_instances_and_lists_them(rows: Rows) -> None:
    kind = TABLES["vnncomp_table1"]
    printed = kind.printed(kind.data(rows, read_sources(PAPERS)))
    assert printed.columns[:3] == ["Benchmark", "Instances", "ours"]
    lines = [
        dict(zip(printed.columns, (entry.text for entry in line), strict=True))
        for line in printed.rows
    ]
    eran = next(line for line in lines if line["Benchmark"] == "eran_2021")
    assert eran["Instances"] == "3 of 36"
    assert (eran["ours"], eran["VeriNet"], eran["Marabou"]) == ("2", "3 (28)", "2 (19)")
    assert (eran["ERAN"], eran["nnenum"]) == (f"{DASH} (27)", DASH)
    (shown,) = (line for line in printed.rows if line[1].text == "3 of 36")
    assert [entry.text for entry in shown if entry.bold] == ["3 (28)"]
    left_out = lines[0]
    assert (left_out["Instances"], left_out["ours"]) == ("none of 90", DASH)
    assert left_out["nnenum"] == "59"
    first, _, third = lines[-3:]
    assert (first["ours"], first["Marabou"], first["nnenum"]) == ("sat 0.25", "unsat 4", DASH)
    assert (third["Instances"], third["ours"], third["VeriNet"]) == ("7", "timeout", "unsat 4")
    said = dict(zip(printed.columns, printed.rows[-3], strict=True))
    assert said["Marabou"].verdict is Verdict.CONTRADICTED
    assert "decided 2 by ours and by a tool, 1 by tools alone. On 1 answers" in printed.notes[0]


def test_the_figure_counts_what_is_solved_by_when(rows: Rows) -> None:
    data = FIGURES["vnncomp_figure1"].data(rows, read_sources(PAPERS))
    assert set(data["instances"]) == {3}
    ours = data[data["tool"] == "ours"]
    assert ours[["seconds", "solved"]].to_numpy().tolist() == [[0.25, 1], [1.25, 2]]
    assert data.groupby("tool")["solved"].max().to_dict() == {"Marabou": 1, "VeriNet": 3, "ours": 2}


def test_answers_of_ours_are_counted_beside_those_of_tools(rows: Rows) -> None:
    beside = beside_ours(all_answers(rows))
    assert beside[["ours", "sat", "unsat"]].to_numpy().tolist() == [
        ["sat", 1, 1],
        ["unsat", 0, 2],
        ["timeout", 0, 1],
    ]
