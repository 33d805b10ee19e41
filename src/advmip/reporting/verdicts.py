"""Verdicts on every published value and every claim in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from advmip.durability.storage import write_atomically
from advmip.errors import InputError, looked_up
from advmip.reporting.ben_mhenni import predicates as ben_mhenni
from advmip.reporting.comparisons import compare_block
from advmip.reporting.intervals import measure
from advmip.reporting.judging import Obstacle, Verdict, tally
from advmip.reporting.kept_rows import rows_of
from advmip.reporting.obstacles import left_out, stand_in
from advmip.reporting.plan import Plan
from advmip.reporting.predicates import Case, Evidence, Predicate
from advmip.reporting.rows import MissingRowsError, Rows, where
from advmip.reporting.sources import Claim, Source, read_sources
from advmip.reporting.tjeng import predicates as tjeng
from advmip.reporting.vnncomp import predicates as vnncomp
from advmip.reporting.zhao_kronqvist import predicates as zhao_kronqvist
from advmip.reporting.zhu import predicates as zhu

PREDICATES: dict[str, Predicate] = {
    **zhao_kronqvist.PREDICATES,
    **zhu.PREDICATES,
    **ben_mhenni.PREDICATES,
    **tjeng.PREDICATES,
    **vnncomp.PREDICATES,
}

VERDICT_COLUMNS = [
    *["source", "kind", "output", "where", "name", "protocol", "quantity"],
    *["published", "ours", "lower", "upper", "seeds", "least", "most", "difference", "tolerance"],
    *["verdict", "found", "reason", "machine"],
]


def write_verdicts(
    source: str,
    rows_dir: Path,
    papers_dir: Path,
    out_path: Path,
    plan: Plan | None = None,
) -> pd.DataFrame:
    """Judge every published value and claim of a source, and write the verdicts as CSV.

    Args:
        source: The source's short name, such as "zk".
        rows_dir: Folder of the row files of its experiments, or of kept ones.
        papers_dir: Folder of the sources' YAML files.
        out_path: The CSV file to write.
        plan: What the scale sets out to run, as in `Rows`.

    Returns:
        The verdicts, as in `judge_source`.

    Raises:
        InputError: There is no such source, or rows or published values are missing or unreadable.
    """
    judged = looked_up("source", source, read_sources(papers_dir))
    with rows_of(rows_dir, source) as folder:
        verdicts = judge_source(Rows(folder, plan), judged)
    with write_atomically(out_path) as temporary:
        verdicts.to_csv(temporary, index=False)
    return verdicts


def read_verdicts(path: Path) -> pd.DataFrame:
    """The verdicts that `write_verdicts` or `join_verdicts` wrote.

    Raises:
        InputError: The file is missing.
    """
    if not path.is_file():
        raise InputError(
            subject=f"verdicts {path}",
            found="no such file",
            expected="the verdicts of one scale",
            mend="make them first: advmip verdicts; the workflow does so by itself",
        )
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def join_verdicts(paths: Sequence[Path], out_path: Path) -> None:
    """Put the verdicts of several sources into one file.

    Raises:
        InputError: A file is missing.
    """
    joined = pd.concat([read_verdicts(path) for path in paths], ignore_index=True)
    with write_atomically(out_path) as temporary:
        joined.to_csv(temporary, index=False)


def judge_source(rows: Rows, source: Source) -> pd.DataFrame:
    """Verdicts on the values and claims of one source.

    Values are judged under the protocol as published, claims under every one of the source if they
    do not name theirs.

    Args:
        rows: The rows of the source's experiments.
        source: Its published values and claims.

    Returns:
        One row per verdict, with the columns `VERDICT_COLUMNS`.

    Raises:
        MissingRowsError: Rows that this scale ought to have are not there.
        InputError: A claim names an unknown predicate.
    """
    values = [compare_block(rows, source, block, "published") for block in source.blocks.values()]
    printed = pd.concat(values, ignore_index=True)
    printed["kind"] = "value"
    printed["name"] = (printed["network"] + ", " + printed["keys"]).str.rstrip(", ")
    claims = pd.DataFrame(
        [
            judge_claim(rows, source, claim, protocol)
            for claim in source.claims
            for protocol in claim.protocols or source.protocols
        ]
    )
    both = [frame.reindex(columns=VERDICT_COLUMNS) for frame in (printed, claims)]
    return pd.concat([frame for frame in both if len(frame)], ignore_index=True)


def judge_claim(rows: Rows, source: Source, claim: Claim, protocol: str) -> dict[str, object]:
    """The verdict on one claim in words.

    Args:
        rows: The rows of the source's experiments.
        source: The source of the claim.
        claim: The claim.
        protocol: "published" or "described".

    Raises:
        MissingRowsError: Rows that this scale ought to have are not there.
        InputError: The predicate is unknown.
    """
    predicate = looked_up("predicate", claim.predicate, PREDICATES)
    evidence = Evidence(rows, source, protocol)
    record: dict[str, object] = {
        "source": source.name,
        "kind": "claim",
        "output": "",
        "where": claim.where,
        "name": claim.name,
        "protocol": protocol,
        "quantity": claim.words,
        "found": "",
    }
    other = stand_in(_rows_behind(rows, source, claim), source)
    if other is not None and claim.paper_networks_only:
        return record | _obstructed(other)
    try:
        cases = predicate(evidence, **claim.arguments)
    except MissingRowsError as missing:
        if _left_out(rows, protocol, missing):
            return record | _obstructed(left_out())
        raise
    verdict = judge_cases(cases)
    if other is not None:
        verdict = _by_direction(verdict, cases)
    found = "; ".join(describe(case) for case in sorted(cases, key=_margin))
    return record | {"verdict": verdict.value, "found": found, "reason": claim.reason}


def judge_cases(cases: list[Case]) -> Verdict:
    """The verdict on a claim from the numbers it covers, on the paper's own networks.

    With several seeds the 95 % interval of the mean decides: all of it must satisfy the bound.
    Without any case, nothing is decided.
    """
    outcomes = [_outcome(case) for case in cases]
    if outcomes and all(outcome is True for outcome in outcomes):
        return Verdict.REPRODUCED
    if any(outcome is False for outcome in outcomes):
        return Verdict.DIRECTION if all(case.direction for case in cases) else Verdict.CONTRADICTED
    return Verdict.UNRESOLVED


def describe(case: Case) -> str:
    """A case in words: what was measured, its interval over seeds, and the bound."""
    relation = "≥" if case.at_least else "≤"
    bound = f"({relation}\u00a0{_shown(case.bound)})"
    if not np.isfinite(case.measured).all():
        return f"{case.label}: never {bound}"
    measured = measure(case.measured)
    number = _shown(measured.mean)
    if measured.seeds > 1:
        number += f" [{_shown(measured.lower)}, {_shown(measured.upper)}]"
    return f"{case.label}: {number}{case.unit} {bound}"


def count_verdicts(verdicts: pd.DataFrame) -> pd.DataFrame:
    """How many verdicts of each kind, per source, kind and protocol.

    Args:
        verdicts: As from `judge_source`.

    Returns:
        One row per source, kind and protocol; one column per verdict, in the order of `Verdict`,
        and one for any that an older version has had in its place.
    """
    names = list(
        dict.fromkeys([*(verdict.value for verdict in Verdict), *tally(verdicts["verdict"])])
    )
    counts = (
        verdicts.groupby(["source", "kind", "protocol", "verdict"], sort=False)
        .size()
        .unstack(fill_value=0)
        .reindex(columns=names, fill_value=0)
    )
    return counts.reset_index()


def _shown(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def _outcome(case: Case) -> bool | None:
    """True if the bound is met, False if it is missed, None if the interval holds both."""
    sign = 1.0 if case.at_least else -1.0
    margins = sign * (case.measured - case.bound)
    if len(margins) == 1 or not np.isfinite(margins).all():
        return bool(margins.min() >= 0)
    measured = measure(margins)
    if measured.lower >= 0:
        return True
    return False if measured.upper < 0 else None


def _margin(case: Case) -> float:
    """How far the bound is met, relative to its size; the decisive case has the least."""
    sign = 1.0 if case.at_least else -1.0
    return float(sign * (case.measured.mean() - case.bound) / max(abs(case.bound), 1e-9))


def _by_direction(verdict: Verdict, cases: list[Case]) -> Verdict:
    """A stand-in network can show the direction of a claim, never its numbers."""
    if not cases:
        return verdict
    if verdict is Verdict.REPRODUCED or all(case.direction for case in cases):
        return Verdict.DIRECTION
    return Verdict.CONTRADICTED


def _obstructed(obstacle: Obstacle) -> dict[str, object]:
    return {"verdict": obstacle.verdict.value, "reason": str(obstacle)}


def _rows_behind(rows: Rows, source: Source, claim: Claim) -> pd.DataFrame:
    """All runs on the networks that a claim speaks of, possibly none."""
    named = _networks(claim)
    match = {"paper_network": named} if named else {}
    return where(rows.frame(claim.runs or source.runs), match)


def _networks(claim: Claim) -> list[str]:
    arguments = claim.arguments
    single = [arguments[name] for name in ("network", "better", "worse") if name in arguments]
    return [*single, *arguments.get("networks", []), *arguments.get("others", [])]


def _left_out(rows: Rows, protocol: str, missing: MissingRowsError) -> bool:
    """Whether the rows that a claim lacks are left out of this scale on purpose."""
    network = missing.match.get("paper_network")
    if rows.is_attacked(network):
        return not rows.expects(missing.match)
    experiments: Any = missing.match.get("experiment", "tables")
    count: Any = missing.match.get("adversarial_count")
    return isinstance(network, str) and not any(
        rows.planned(network, protocol, each, experiment)
        for each in (count if isinstance(count, list) else [count])
        for experiment in (experiments if isinstance(experiments, list) else [experiments])
    )
