"""All answers to the competition's questions beside each other, ours and those of its tools."""

from __future__ import annotations

import pandas as pd

from advmip.reporting.rows import Rows, where
from advmip.reporting.vnncomp.names import EXPERIMENT, OURS, ours_with
from advmip.vnncomp import SOLVED

_QUESTION = ["network", "instance"]
_COLUMNS = [*_QUESTION, "population", "time_limit", "tool", "answer", "seconds", "replayed"]
# So many counterexamples of others that nobody has replayed refute an answer.
_SEVERAL = 2


def all_answers(rows: Rows) -> pd.DataFrame:
    """Every answer to every question that this scale asks.

    Returns:
        The columns network (the benchmark), instance, population (how many instances the benchmark
        has), time_limit (ours), tool, answer, seconds (wall time; of tools with their start-up, on
        the competition's machines), replayed (whether its counterexample was replayed here), and
        refuted: whether it is "unsat", and there is a replayed counterexample of ours, or two tools
        have one.
    """
    ours = where(rows.frame("answers"), {"experiment": EXPERIMENT})
    ours = ours.assign(
        tool=[ours_with(str(solver)) for solver in ours["solver"]],
        seconds=ours["seconds_total"],
        replayed=ours["counterexample"].notna(),
    )
    asked = ours.drop_duplicates(_QUESTION)[[*_QUESTION, "population", "time_limit"]]
    theirs = where(rows.frame("published_answers"), {"experiment": EXPERIMENT})
    theirs = theirs[[*_QUESTION, "tool", "answer", "seconds"]].merge(asked, on=_QUESTION)
    found = pd.concat([ours[_COLUMNS], theirs.assign(replayed=False)[_COLUMNS]], ignore_index=True)
    found["replayed"] = found["replayed"].astype(bool)
    by_question = [found[name] for name in _QUESTION]
    counterexamples = (found["answer"] == "sat").groupby(by_question).transform("sum")
    replayed = found["replayed"].groupby(by_question).transform("any")
    refuted = (found["answer"] == "unsat") & (replayed | (counterexamples >= _SEVERAL))
    return found.assign(refuted=refuted)


def solved(answers: pd.DataFrame) -> pd.DataFrame:
    """Those that decide their question, and are not refuted."""
    return answers[answers["answer"].isin(SOLVED) & ~answers["refuted"]]


def beside_ours(answers: pd.DataFrame) -> pd.DataFrame:
    """By question: ours, and how many tools have which answer.

    Returns:
        The columns network, instance, ours, sat and unsat (how many tools say so), in the order of
        the questions.
    """
    ours = answers[answers["tool"] == OURS][[*_QUESTION, "answer"]]
    theirs = answers[~answers["tool"].str.startswith(OURS)]
    said = theirs[_QUESTION].assign(**{word: theirs["answer"] == word for word in SOLVED})
    counts = said.groupby(_QUESTION, as_index=False).sum()
    beside = ours.rename(columns={"answer": "ours"}).merge(counts, on=_QUESTION, how="left")
    return beside.fillna(dict.fromkeys(SOLVED, 0)).astype(dict.fromkeys(SOLVED, int))
