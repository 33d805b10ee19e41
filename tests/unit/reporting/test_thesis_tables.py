"""The thesis's tables: means over attacks, beside the printed values."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from example_rows import PAPERS
from thesis_rows import SOURCE, ThesisRows, accuracy, attack, written

from advmip.experiments.rows import COLUMNS
from advmip.reporting.formats import DASH
from advmip.reporting.judging import Verdict
from advmip.reporting.plan import Plan
from advmip.reporting.rows import MissingRowsError, Rows
from advmip.reporting.sources import read_sources
from advmip.reporting.tables import TABLES
from advmip.reporting.zhu.instances import counted

IMAGES = 5


def plan(distances: dict[tuple[str, str], frozenset[str]]) -> Plan:
    return Plan({}, {}, {}, True, distances)


def test_an_attack_is_counted_as_the_thesis_counts() -> None:
    rows = pd.DataFrame(
        [
            attack("DNN1", "basic", "l1", 0, distance=8.0, lower_bound=8.0, euclidean=2.0),
            attack("DNN1", "basic", "l1", 1, outcome="feasible", distance=8.0, lower_bound=6.0),
            attack("DNN1", "basic", "l1", 2, outcome="unknown", distance=math.inf, lower_bound=1.0),
        ]
    )
    counts = counted(rows)
    assert counts["solved"].tolist() == [100.0, 0.0, 0.0]
    assert counts["at_limit"].tolist() == [0.0, 100.0, 100.0]
    assert counts["gap_left"].tolist() == [0.0, 25.0, 100.0]
    assert counts["objective"].tolist()[:2] == [8.0, 8.0]
    assert math.isnan(counts["objective"][2]), "a timeout without an attack is no distance"
    assert counts["bound_gap"][0] == 300.0
    assert counts["seed"].tolist() == [0, 1, 2]


def test_table_2_puts_models_beside_each_other(tmp_path: Path) -> None:
    attacks = [
        attack("DNN1", experiment, "l1", rank)
        for experiment in ("basic", "exact", "weaker", "progressive")
        for rank in range(IMAGES)
    ]
    bounds = [
        {**attack("DNN1", "bounds", "l1", 0), "bounds": "exact", "seconds": 6.0, "unstable": 24}
    ]
    kept = [{key: row[key] for key in COLUMNS["bounds"] if key in row} for row in bounds]
    chosen = plan(
        {(name, "DNN1"): frozenset(["l1"]) for name in ("basic", "exact", "weaker", "progressive")}
    )
    rows = Rows(written(tmp_path, {"attacks": attacks, "bounds": kept}), chosen)
    tidy = TABLES["zhu_table2"].data(rows, read_sources(PAPERS))
    first = tidy[tidy["network"] == "DNN1"].set_index(["model", "quantity"])
    exact = first.loc[("exact bounds", "nodes")]
    assert (exact["ours"], exact["published"], exact["seeds"]) == (313, 313, IMAGES)
    assert exact["verdict"] == Verdict.REPRODUCED.value
    assert first.loc[("exact bounds", "seconds"), "ours"] == 6.0
    assert first.loc[("ball around the image", "solved"), "ours"] == 100.0
    others = tidy[(tidy["network"] == "DNN5") & (tidy["model"] != "ball around the image")]
    assert set(others["verdict"]) == {Verdict.NOT_RUN.value}
    printed = TABLES["zhu_table2"].printed(tidy)
    assert [line[1].text for line in printed.rows[:4]] == [
        "basic model",
        "exact bounds",
        "weaker bounds",
        "ball around the image",
    ]
    assert [line[0].text for line in printed.rows[:5]] == ["DNN1", "", "", "", "DNN2"]


def test_the_printed_l2_objective_stands_beside_the_sum_of_changes(tmp_path: Path) -> None:
    attacks = [attack("DNN1", "progressive", "l2-5", rank, distance=2.0) for rank in range(IMAGES)]
    chosen = plan({("progressive", "DNN1"): frozenset(["l2-5"])})
    rows = Rows(written(tmp_path, {"attacks": attacks}), chosen)
    tidy = TABLES["zhu_table5"].data(rows, read_sources(PAPERS))
    first = tidy[(tidy["network"] == "DNN1") & (tidy["distance_name"] == "l2-5")]
    values = first.set_index("quantity")
    assert values.loc["total_change", ["ours", "published"]].tolist() == [11.12, 11.12]
    assert values.loc["euclidean", "ours"] == pytest.approx(1.9)
    assert values.loc["objective", "ours"] == pytest.approx(2.0)
    assert math.isnan(values.loc["euclidean", "published"])
    printed = TABLES["zhu_table5"].printed(tidy)
    assert printed.rows[0][0].text == "L2, 5 breakpoints"
    assert printed.rows[-1][1].text == "DNN4"


def test_attacks_that_the_scale_ought_to_have_must_be_there(tmp_path: Path) -> None:
    chosen = plan({("progressive", "DNN1"): frozenset(["l0"])})
    rows = Rows(written(tmp_path, {}), chosen)
    with pytest.raises(MissingRowsError, match="DNN1"):
        TABLES["zhu_table4"].data(rows, read_sources(PAPERS))


def basic_of_dnn2(folder: Path, attacks: list[dict[str, Any]]) -> pd.DataFrame:
    """The values of the basic model on DNN2 beside attacks, by quantity."""
    chosen = plan({("basic", "DNN2"): frozenset(["l1"])})
    rows = Rows(written(folder, {"attacks": attacks}), chosen)
    tidy = TABLES["zhu_table2"].data(rows, read_sources(PAPERS))
    own = tidy[(tidy["network"] == "DNN2") & (tidy["block"] == "basic")]
    return own.set_index("quantity")


def test_a_shorter_limit_that_stopped_nothing_is_no_obstacle(tmp_path: Path) -> None:
    attacks = [attack("DNN2", "basic", "l1", rank, time_limit=5.0) for rank in range(20)]
    values = basic_of_dnn2(tmp_path, attacks)
    assert values["verdict"].to_dict() == {
        "solved": "reproduced",
        "gap_left": "reproduced",
        "nodes": "improved",
        "seconds_total": "improved",
    }
    assert (values["least"] == values["most"]).all()
    assert values.loc["nodes", "reason"] == "313 in place of 1.084e+05, 0.0029 times as much"


def test_attacks_that_a_shorter_limit_stopped_leave_an_interval(tmp_path: Path) -> None:
    stopped = {"outcome": "feasible", "distance": 8.0, "lower_bound": 6.0, "seconds_total": 5.0}
    attacks = [
        attack("DNN2", "basic", "l1", rank, time_limit=5.0, **(stopped if rank < 5 else {}))
        for rank in range(20)
    ]
    values = basic_of_dnn2(tmp_path, attacks)
    ends = values[["least", "most"]].to_dict("index")
    assert ends["solved"] == {"least": 75.0, "most": 100.0}
    assert ends["gap_left"] == {"least": 0.0, "most": pytest.approx(25 * 5 / 20)}
    assert ends["nodes"] == {"least": 313.0, "most": math.inf}
    assert ends["seconds_total"]["most"] > 5 * 300 / 20
    assert set(values["verdict"]) == {"unresolved"}, "99 %, 108,412 nodes and 38 s are possible"


def test_what_the_limit_leaves_open_may_still_decide(tmp_path: Path) -> None:
    stopped = {"outcome": "feasible", "distance": 8.0, "lower_bound": 6.0, "seconds_total": 5.0}
    attacks = [
        attack("DNN2", "basic", "l1", rank, time_limit=5.0, **(stopped if rank < 1 else {}))
        for rank in range(100)
    ]
    values = basic_of_dnn2(tmp_path, attacks)
    assert values.loc["seconds_total", "verdict"] == "improved", "a few seconds, even with 300 s"
    assert values.loc["seconds_total", "reason"].startswith("at most ")
    assert values.loc["solved", "verdict"] == "reproduced", "99 or 100 %"


def test_attacks_that_all_ran_out_of_time_leave_a_value_unresolved(tmp_path: Path) -> None:
    nothing = {"outcome": "unknown", "distance": math.inf, "lower_bound": 2.0, "euclidean": None}
    attacks = [attack("DNN1", "progressive", "l0", rank, **nothing) for rank in range(IMAGES)]
    chosen = plan({("progressive", "DNN1"): frozenset(["l0"])})
    tidy = TABLES["zhu_table4"].data(
        Rows(written(tmp_path, {"attacks": attacks}), chosen), read_sources(PAPERS)
    )
    found = tidy[(tidy["network"] == "DNN1") & (tidy["distance_name"] == "l0")]
    values = found.set_index("quantity")
    assert values.loc["objective", "verdict"] == Verdict.UNRESOLVED.value
    assert values.loc["solved", "ours"] == 0.0
    printed = TABLES["zhu_table4"].printed(tidy)
    line = next(line for line in printed.rows if line[1].text == "DNN1")
    heads = [name for name, width in printed.groups for _ in range(width)]
    ours = {name: line[heads.index(name)].text for name in ("Time (s)", "Nodes", "% solved")}
    assert ours["Time (s)"].startswith("≥ ")
    assert ours["Nodes"].startswith("≥ ")
    assert ours["% solved"] == "0"


def test_a_change_is_of_the_mean_over_the_images_that_both_answer() -> None:
    first = [attack("DNN1", "test_examples", "l1", rank, distance=4.0) for rank in range(3)]
    lengths = [5.0, 4.0, math.inf]
    again = [
        attack("DNN1", "retrained", "l1", rank, trained_on="l0", distance=length)
        for rank, length in enumerate(lengths)
    ]
    alone = attack("DNN1", "retrained", "l1", 7, trained_on="l0", distance=9.0)
    other = attack("DNN1", "retrained", "l1", 0, trained_on="none", distance=2.0)
    counts = counted(pd.DataFrame([*first, *again, alone, other]))
    changes = counts["change"].tolist()
    assert all(math.isnan(changes[place]) for place in (0, 1, 2, 5, 6)), "nothing to compare with"
    assert changes[3:5] == [25.0, 0.0]
    assert changes[7] == -50.0


def test_the_change_of_l2_is_that_of_what_the_thesis_prints() -> None:
    lengths = {"test_examples": (2.0, 16.0), "retrained": (3.0, 12.0)}
    rows = [
        attack("DNN1", experiment, "l2-17", 0, distance=distance, total_change=total)
        | {"trained_on": "l1" if experiment == "retrained" else None}
        for experiment, (distance, total) in lengths.items()
    ]
    counts = counted(pd.DataFrame(rows))
    assert (counts["change"][1], counts["distance_change"][1]) == (-25.0, 50.0)


def test_table_7_sets_accuracies_beside_those_of_a_control(tmp_path: Path) -> None:
    thesis = ThesisRows()
    thesis.rows["accuracies"].append(accuracy("none", "l0", 60.0, 0))
    tidy = TABLES["zhu_table7"].data(thesis.read(tmp_path), {"zhu": SOURCE})
    own = tidy[(tidy["trained_on"] == "l0") & (tidy["distance_name"] == "l0")].iloc[0]
    assert (own["ours"], own["published"]) == (12.3, 12.3)
    assert set(tidy.loc[tidy["trained_on"] != "none", "verdict"]) == {Verdict.REPRODUCED.value}
    printed = TABLES["zhu_table7"].printed(tidy)
    assert [line[0].text for line in printed.rows] == [
        *("L0", "L1", "L2, 17 breakpoints", "L-infinity"),
        *("none, as first trained", "none, trained anew"),
    ]
    assert [label for label, _ in printed.groups] == [
        *("", "L0", "L1", "L2, 17 breakpoints", "L-infinity", "Test images"),
    ]
    assert [entry.text for entry in printed.rows[-1]][:4] == [
        "none, trained anew",
        "60.0",
        "",
        DASH,
    ]
    assert [entry.text for entry in printed.rows[4]][-2:] == ["93.2", "93.2"]


def test_fewer_examples_than_the_thesis_added_are_not_comparable(tmp_path: Path) -> None:
    thesis = ThesisRows().change("accuracies", {"examples_added": 1000}, examples_added=200)
    tidy = TABLES["zhu_table7"].data(thesis.read(tmp_path), {"zhu": SOURCE})
    retrained = tidy[tidy["trained_on"] == "l1"]
    assert set(retrained["reason"]) == {"with as many examples added: 200 instead of 0 or 1000"}
    assert set(tidy.loc[tidy["trained_on"].isna(), "verdict"]) == {Verdict.REPRODUCED.value}


def test_table_8_shows_lengths_and_how_they_changed(tmp_path: Path) -> None:
    thesis = ThesisRows()
    for rank in range(3):
        row = attack("DNN1", "retrained", "l1", rank, trained_on="none", distance=7.7 * 1.1)
        thesis.rows["attacks"].append(row)
    tidy = TABLES["zhu_table8"].data(thesis.read(tmp_path), {"zhu": SOURCE})
    values = tidy.set_index(["trained_on", "distance_name", "quantity"])
    for distance, change in (("l0", -19.41), ("l1", -16.49), ("l2-17", -17.54), ("linf", -14.29)):
        found = values.loc[("l0", distance, "change")]
        assert found["ours"] == pytest.approx(change, abs=0.005)
        assert found["verdict"] == Verdict.REPRODUCED.value
    assert values.loc[("none", "l1", "change"), "ours"] == pytest.approx(10.0)
    printed = TABLES["zhu_table8"].printed(tidy)
    labels = [label for label, _ in printed.groups]
    assert labels[1:5] == ["L0", "L1", "L2, 17 breakpoints: sum of changes", "L-infinity"]
    assert labels[-2:] == ["% L2, 17 breakpoints: distance", "% L-infinity"]
    assert printed.rows[-1][0].text == "none, trained anew"


def test_a_change_the_other_way_contradicts(tmp_path: Path) -> None:
    longer = {"experiment": "retrained", "trained_on": "l0", "distance_name": "l1"}
    thesis = ThesisRows().change("attacks", longer, distance=9.0)
    shorter = {**longer, "trained_on": "l1"}
    thesis.change("attacks", shorter, distance=6.0)
    tidy = TABLES["zhu_table8"].data(thesis.read(tmp_path), {"zhu": SOURCE})
    values = tidy.set_index(["trained_on", "distance_name", "quantity"])["verdict"]
    assert values.loc[("l0", "l1", "change")] == Verdict.CONTRADICTED.value
    assert values.loc[("l1", "l1", "change")] == Verdict.DIRECTION.value


def test_an_ingredient_is_worth_what_the_same_images_take_without_it(tmp_path: Path) -> None:
    attacks = [
        *(attack("DNN3", "progressive", "l1", rank, seconds_total=1.0) for rank in range(3)),
        attack("DNN3", "without_ball", "l1", 0, seconds_total=2.0, seconds_bounds=0.5),
        attack("DNN3", "without_ball", "l1", 1, seconds_total=8.0, seconds_bounds=1.5),
    ]
    rows = Rows(written(tmp_path, {"attacks": attacks}), plan({}))
    tidy = TABLES["zhu_extension1"].data(rows, read_sources(PAPERS))
    assert tidy["left_out"].tolist() == ["nothing", "the ball"]
    without = tidy.iloc[1]
    assert without["images"] == 2, "only images that both attacked"
    assert without["seconds_total"] == 5.0
    assert without["seconds_bounds"] == 1.0
    assert without["times_the_whole"] == pytest.approx(4.0)
    printed = TABLES["zhu_extension1"].printed(tidy)
    assert [line[0].text for line in printed.rows] == ["DNN3", ""]
    assert printed.rows[1][-1].text == "4.00"
