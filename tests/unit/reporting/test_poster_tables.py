"""The poster's tables and claims: verifications beside the printed values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from example_rows import PAPERS

from advmip.experiments.rows import COLUMNS, write_rows
from advmip.reporting.judging import Verdict
from advmip.reporting.plan import Plan
from advmip.reporting.rows import Rows
from advmip.reporting.sources import read_sources
from advmip.reporting.tables import TABLES
from advmip.reporting.tjeng.instances import counted_verifications
from advmip.reporting.verdicts import judge_source

SECONDS = {"control": 2.0, "without_progressive": 5.0, "without_ball": 40.0, "whole": 0.5}


def verification(network: str, image: int, **found: Any) -> dict[str, Any]:
    """The row of a robust image."""
    return {
        "source": "tjeng",
        "experiment": "adversarial_error",
        "network": "verified_cnn",
        "paper_network": network,
        "dataset": "mnist",
        "protocol": "published",
        "variant": "whole",
        "image": image,
        "epsilon": 0.1,
        "time_limit": 60.0,
        "pgd_attacked": False,
        "outcome": "robust",
        "evidence": "linear",
        "nodes": 0,
        "seconds_interval": 0.1,
        "seconds_linear": 0.3,
        "seconds_lp": 0.0,
        "seconds_mip": 0.0,
        "seconds_total": 0.5,
        "status": "ok",
        "checked": True,
        **found,
    }


IMAGES = [
    {"outcome": "misclassified"},
    {"outcome": "attackable", "pgd_attacked": True},
    {"outcome": "attackable", "nodes": 5},
    {"outcome": "robust", "evidence": "mip", "nodes": 3, "seconds_mip": 2.0},
    {"outcome": "unknown"},
    {"outcome": "robust"},
]


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    """Six images on one network, and the ablation, one verifier of which is stopped."""
    written = [verification("LPd-cnn-0.1", image, **each) for image, each in enumerate(IMAGES)]
    for variant, seconds in (SECONDS | {"without_tight": 60.0}).items():
        ablated = {"experiment": "ablation", "variant": variant, "seconds_total": seconds}
        if variant == "without_tight":
            ablated["outcome"] = "unknown"
        written += [verification("MNIST-classifier", image, **ablated) for image in range(3)]
    for stage, outcome in (("before", "attackable"), ("after", "robust")):
        tuned = {"experiment": "finetuned", "variant": stage, "outcome": outcome}
        written += [verification("CNNLight", image, **tuned) for image in range(2)]
    for kind in COLUMNS:
        write_rows(kind, written if kind == "verifications" else [], tmp_path / f"{kind}.csv")
    verified = [("ablation", "MNIST-classifier"), ("adversarial_error", "LPd-cnn-0.1")]
    return Rows(tmp_path, Plan({}, {}, {}, True, dict.fromkeys(verified, frozenset({"linf"}))))


def test_errors_are_an_interval_that_unfinished_images_widen() -> None:
    counted = counted_verifications(
        pd.DataFrame([verification("LPd-cnn-0.1", n, **each) for n, each in enumerate(IMAGES)])
    )
    names = ["test_error", "pgd_error", "lower_error", "upper_error", "linear_error"]
    shares = [round(float(counted[name].mean() * 6 / 100)) for name in names]
    assert shares == [1, 2, 3, 4, 5]
    assert counted["explored"].isna().tolist() == [True, *[False] * 5]
    assert set(counted["median_explored"].dropna()) == {0.0}


def test_multiples_of_the_control_are_printed_and_what_was_stopped_is_marked(rows: Rows) -> None:
    kind = TABLES["tjeng_table1"]
    printed = kind.printed(kind.data(rows, read_sources(PAPERS)))
    lines = {line[0].text: [entry.text for entry in line[1:]] for line in printed.rows}
    assert lines["progressive tightening"][4:6] == ["5.0", "7.8"]
    assert lines["progressive tightening"][-3:] == ["2.5", "2.2", "0"]
    assert lines["tight ReLU formulation"][4] == "≥ 60.0"
    assert lines["tight ReLU formulation"][-3:] == ["≥ 30", "1,314", "100"]
    assert len(lines) == 5


def test_networks_that_are_not_run_keep_their_published_values(rows: Rows) -> None:
    kind = TABLES["tjeng_table2"]
    printed = kind.printed(kind.data(rows, read_sources(PAPERS)))
    lines = {line[0].text: [entry.text for entry in line[1:]] for line in printed.rows}
    assert list(lines) == ["LPd-cnn-0.1", "Adv-mlp-0.1", "LPd-cnn-0.3", "LPd-res"]
    assert lines["LPd-res"][0] == "not run"
    assert lines["LPd-res"][3] == "72.93"
    assert lines["LPd-cnn-0.1"][:4] == ["verified_cnn, mnist", "0.1", "16.67", "1.19"]


def test_claims_are_judged_by_their_direction(rows: Rows) -> None:
    verdicts = judge_source(rows, read_sources(PAPERS)["tjeng"]).set_index("name")
    values = verdicts[verdicts["kind"] == "value"]
    assert set(values["verdict"]) == {Verdict.NOT_COMPARABLE, Verdict.NOT_RUN}
    kinds = values["reason"].str.partition(": ")[0]
    assert set(kinds) == {"network not published", "left out"}
    claims = verdicts[verdicts["kind"] == "claim"]["verdict"]
    assert set(claims) == {Verdict.DIRECTION}
    assert "30" in verdicts.loc["a tight formulation is critical", "found"]


def test_networks_are_compared_before_and_after_fine_tuning(rows: Rows) -> None:
    kind = TABLES["tjeng_extension1"]
    tidy = kind.data(rows, read_sources(PAPERS))
    assert tidy[["stage", "certified"]].values.tolist() == [
        ["as trained", 0.0],
        ["fine-tuned", 100],
    ]
    assert [entry.text for entry in kind.printed(tidy).rows[1]][:4] == [
        *("CNNLight", "fine-tuned", "0.1", "2")
    ]


def test_a_network_that_is_always_wrong_has_no_mean_time(tmp_path: Path) -> None:
    wrong = {"dataset": "cifar10", "outcome": "misclassified"}
    written = [verification("LPd-res", image, **wrong) for image in range(3)]
    for kind in COLUMNS:
        write_rows(kind, written if kind == "verifications" else [], tmp_path / f"{kind}.csv")
    verified = {("adversarial_error", "LPd-res"): frozenset({"linf"})}
    rows = Rows(tmp_path, Plan({}, {}, {}, True, verified))
    tidy = TABLES["tjeng_table2"].data(rows, read_sources(PAPERS))
    judged = tidy[tidy["network"] == "LPd-res"].set_index("quantity")
    assert judged.loc["test_error", "ours"] == 100.0
    assert judged.loc["seconds", "verdict"] == Verdict.UNRESOLVED.value
    assert judged.loc["seconds", "reason"] == "no image is classified correctly"
