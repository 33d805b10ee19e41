"""The competition's claims in words as small functions over the rows."""

from __future__ import annotations

import pandas as pd

from advmip.reporting.predicates import Case, Evidence, Predicate, at_most, entering
from advmip.reporting.rows import MissingRowsError, where
from advmip.reporting.vnncomp.answers import all_answers, beside_ours
from advmip.reporting.vnncomp.names import EXPERIMENT, OURS, in_order
from advmip.vnncomp import SOLVED

PREDICATES: dict[str, Predicate] = {}


class Answered(Evidence):
    """Evidence with the questions that the competition's claims ask."""

    def answers(self, benchmarks: list[str]) -> pd.DataFrame:
        """All answers to the instances of benchmarks.

        Raises:
            MissingRowsError: This scale answers none of them.
        """
        found = where(all_answers(self.rows), {"network": benchmarks})
        if found.empty:
            match = {"experiment": EXPERIMENT, "paper_network": benchmarks[0]}
            raise MissingRowsError("answers", match, self.rows.folder)
        return found


predicate = entering(PREDICATES, Answered)


@predicate
def published_answers_stand(evidence: Answered, *, benchmarks: list[str]) -> list[Case]:
    """Of each tool: no answer is refuted by a counterexample of ours that was replayed."""
    answers = evidence.answers(benchmarks)
    points = answers[answers["replayed"]][["network", "instance"]].drop_duplicates()
    given = answers[answers["answer"].isin(SOLVED)]
    cases = []
    for tool in in_order(given["tool"]):
        if not tool.startswith(OURS):
            own = where(given, {"tool": tool})
            refuted = own[own["answer"] == "unsat"].merge(points, on=["network", "instance"])
            cases.append(_none(tool, refuted, f" of {len(own)} answers refuted"))
    return cases


@predicate
def ours_agree_with_several(evidence: Answered, *, benchmarks: list[str], tools: int) -> list[Case]:
    """Of each benchmark: no answer of ours is the opposite of what so many tools share alone."""
    beside = beside_ours(evidence.answers(benchmarks))
    cases = []
    for benchmark, own in beside.groupby("network", sort=False):
        against = own.assign(
            opposite=own["sat"].where(own["ours"] == "unsat", own["unsat"]),
            same=own["unsat"].where(own["ours"] == "unsat", own["sat"]),
        )
        against = against[against["ours"].isin(SOLVED)]
        alone = against[(against["opposite"] >= tools) & (against["same"] == 0)]
        cases.append(_none(str(benchmark), alone, f" of {len(against)} answers of ours"))
    return cases


def _none(label: str, found: pd.DataFrame, unit: str) -> Case:
    """That there is none of something; the label says which there are."""
    places = [
        f"{benchmark} {', '.join(f'{number:g}' for number in own['instance'])}"
        for benchmark, own in found.groupby("network", sort=False)
    ]
    named = f"{label} ({' and '.join(places)})" if places else label
    return at_most(named, [len(found)], 0, not len(found), unit)
