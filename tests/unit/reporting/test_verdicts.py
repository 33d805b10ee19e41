"""Claims in words, and the verdicts as a whole."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_rows import PAPERS, Example, ExampleRows, written

from advmip.errors import InputError
from advmip.reporting.judging import Verdict
from advmip.reporting.predicates import Case
from advmip.reporting.rows import MissingRowsError
from advmip.reporting.sources import Claim, Source
from advmip.reporting.verdicts import (
    VERDICT_COLUMNS,
    count_verdicts,
    describe,
    join_verdicts,
    judge_cases,
    judge_claim,
    judge_source,
    read_verdicts,
    write_verdicts,
)


def case(*values: float, bound: float, at_least: bool = True, direction: bool = True) -> Case:
    return Case("a number", np.array(values), bound, at_least, direction, " points")


def claim_of(source: Source, name: str) -> Claim:
    return next(claim for claim in source.claims if claim.name == name)


def verdict_on(example: Example, source: Source, name: str, protocol: str = "published") -> Any:
    return judge_claim(example.rows, source, claim_of(source, name), protocol)["verdict"]


def test_one_seed_meets_the_bound_or_not():
    assert judge_cases([case(40.0, bound=40.0)]) is Verdict.REPRODUCED
    assert judge_cases([case(39.9, bound=40.0)]) is Verdict.DIRECTION
    assert judge_cases([case(39.9, bound=40.0, direction=False)]) is Verdict.CONTRADICTED
    assert judge_cases([case(1.1, bound=1.0, at_least=False)]) is Verdict.DIRECTION


def test_an_interval_that_holds_both_is_unresolved():
    assert judge_cases([case(39.0, 42.0, bound=40.0)]) is Verdict.UNRESOLVED
    assert judge_cases([case(41.0, 41.2, 41.1, bound=40.0)]) is Verdict.REPRODUCED
    assert judge_cases([case(30.0, 30.2, 30.1, bound=40.0)]) is Verdict.DIRECTION


def test_every_case_of_a_claim_must_hold():
    cases = [case(45.0, bound=40.0), case(35.0, bound=40.0)]
    assert judge_cases(cases) is Verdict.DIRECTION
    cases = [case(45.0, bound=40.0), case(-1.0, bound=40.0, direction=False)]
    assert judge_cases(cases) is Verdict.CONTRADICTED


def test_a_case_is_described_with_its_interval_and_bound():
    assert describe(case(41.5, bound=40.0)) == "a number: 41.5 points (≥\u00a040)"
    assert describe(case(41.0, 42.0, bound=40.0)).startswith("a number: 41.5 [35.1, 47.9] points")


def test_the_papers_own_numbers_bear_out_its_own_claims(
    as_printed: Example, sources: dict[str, Source]
):
    verdicts = judge_source(as_printed.rows, sources["zk"])
    claims = verdicts[(verdicts["kind"] == "claim") & (verdicts["protocol"] == "published")]
    # The example's QPs take 3 % of the time, as no solver of the paper's did.
    share = "the QPs take 20 to 65 % of the time on the CNNs"
    borne_out = claims[claims["name"] != share]
    assert set(borne_out["verdict"]) == {"reproduced"}, borne_out[["name", "verdict", "found"]]
    assert verdict_on(as_printed, sources["zk"], share) == "contradicted"


def test_stand_ins_show_directions_only(demo: Example, sources: dict[str, Source]):
    verdicts = judge_source(demo.rows, sources["zk"])
    claims = verdicts[verdicts["kind"] == "claim"]
    assert "reproduced" not in set(claims["verdict"])
    assert verdict_on(demo, sources["zk"], "forty points from ten examples") == "direction holds"
    dual = "a dual algorithm solves the QPs faster"
    assert verdict_on(demo, sources["zk"], dual) == "not comparable"


def test_examples_that_harm_contradict_even_on_stand_ins(
    tmp_path: Path, sources: dict[str, Source]
):
    rows = ExampleRows()
    rows.change(
        "evaluations",
        {"paper_network": "CNN", "adversarial_count": 10, "method": "fine-tuned"},
        pgd_accuracy=1.0,
    )
    example = written(rows, tmp_path)
    assert verdict_on(example, sources["zk"], "forty points from ten examples") == "contradicted"


def test_radius_that_helps_only_at_times(tmp_path: Path, sources: dict[str, Source]):
    rows = ExampleRows()
    for iteration in (3, 4, 5):
        rows.change(
            "pool",
            {"experiment": "figure3", "radius": 0.05, "iteration": iteration},
            violation=1000.0,
        )
    example = written(rows, tmp_path)
    name = "radius 0.05 always gives less violation"
    assert verdict_on(example, sources["zk"], name) == "direction holds"


def test_missing_rows_are_an_error_and_left_out_ones_are_not(
    tmp_path: Path, sources: dict[str, Source]
):
    figure3 = {"experiment": "figure3", "protocol": "described"}
    rows = ExampleRows().change("iterations", figure3).change("pool", figure3)
    example = written(rows, tmp_path)
    name = "violation falls in three iterations"
    with pytest.raises(MissingRowsError, match="figure3"):
        verdict_on(example, sources["zk"], name, "described")
    counts = {
        key: runs
        for key, runs in example.plan.counts.items()
        if key[:2] != ("figure3", "described")
    }
    example = dataclasses.replace(example, plan=dataclasses.replace(example.plan, counts=counts))
    assert verdict_on(example, sources["zk"], name, "described") == "not run at this scale"


def test_an_unknown_predicate_names_the_nearest(as_printed: Example, sources: dict[str, Source]):
    claim = dataclasses.replace(sources["zk"].claims[0], predicate="improvement_at_lest")
    with pytest.raises(InputError, match="improvement_at_least"):
        judge_claim(as_printed.rows, sources["zk"], claim, "published")


def test_verdicts_of_all_sources_are_written_and_counted(as_printed: Example, tmp_path: Path):
    names = ["zk", "kronqvist", "zhu", "benmhenni", "tjeng", "vnncomp"]
    paths = [tmp_path / f"{name}.csv" for name in names]
    for name, path in zip(names, paths, strict=True):
        write_verdicts(name, as_printed.folder, PAPERS, path, as_printed.plan)
    join_verdicts(paths, tmp_path / "verdicts.csv")
    read = read_verdicts(tmp_path / "verdicts.csv")
    assert list(read.columns) == VERDICT_COLUMNS
    assert read["verdict"].notna().all()
    counts = count_verdicts(read)
    assert counts[[verdict.value for verdict in Verdict]].to_numpy().sum() == len(read)
    assert list(dict.fromkeys(counts["source"])) == names


def test_verdicts_of_an_unknown_source_name_the_nearest(as_printed: Example, tmp_path: Path):
    with pytest.raises(InputError, match="tjeng"):
        write_verdicts("tjong", as_printed.folder, PAPERS, tmp_path / "verdicts.csv")
