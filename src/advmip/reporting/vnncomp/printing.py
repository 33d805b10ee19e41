"""The competition's table as it is printed."""

from __future__ import annotations

import pandas as pd

from advmip.reporting.entries import row_of, verdict_notes, verdict_of, without_repeats
from advmip.reporting.formats import DASH, Entry, PrintedTable
from advmip.reporting.judging import Verdict, two_digits
from advmip.reporting.rows import where
from advmip.reporting.vnncomp.answers import beside_ours
from advmip.reporting.vnncomp.names import OURS, in_order
from advmip.vnncomp import SOLVED

# Of more instances only those are listed on which ours and the tools part.
_LISTED = 40


def solved_instances(tidy: pd.DataFrame) -> PrintedTable:
    """Table 1: a line for each benchmark, and below it a line for each instance."""
    answers, compared = tidy[tidy["instance"].notna()], tidy[tidy["instance"].isna()]
    tools = in_order([OURS, *tidy[tidy["answer"] != "error"]["tool"].dropna()])
    published = sum(not tool.startswith(OURS) for tool in tools)
    lines = [
        _benchmark(where(compared, {"network": name}), where(answers, {"network": name}), tools)
        for name in compared["network"].unique()
    ]
    listed = _listed(answers)
    one_by_one = [_instance(own, tools) for own in listed]
    return PrintedTable(
        title="Solved instances of VNN-COMP's benchmarks, and answers one by one",
        groups=[("", 2), ("", len(tools) - published), ("published", published)],
        columns=["Benchmark", "Instances", *tools],
        rows=[*lines, *without_repeats(one_by_one)],
        rules=frozenset({len(lines)} if one_by_one else ()),
        notes=_notes(compared, answers, len(listed)),
        text_columns=2,
    )


def _benchmark(compared: pd.DataFrame, answers: pd.DataFrame, tools: list[str]) -> list[Entry]:
    """How many instances each has solved: of those that ours was asked, and of all."""
    name, population = compared["network"].iloc[0], int(compared["population"].iloc[0])
    asked = answers["instance"].nunique()
    took_part = set(answers[answers["answer"] != "error"]["tool"])
    counts = answers[answers["answer"].isin(SOLVED)].groupby("tool")["instance"].nunique()
    # Whose answers are refuted is not the best.
    sound = counts.drop(answers[answers["refuted"].astype(str) == "True"]["tool"].unique())
    line = [
        Entry(str(name)),
        Entry(f"{asked or 'none'} of {population}" if asked < population else f"{asked}"),
    ]
    for tool in tools:
        row, count = row_of(compared, tool=tool), int(counts.get(tool, 0))
        shown = f"{count}" if tool in took_part else DASH
        if row is not None and pd.notna(row["published"]) and asked < population:
            total = round(row["published"] * population / 100.0)
            shown = f"{shown} ({total})" if asked else f"{total}"
        best = tool in sound.index and count == sound.max()
        line.append(
            Entry(
                shown,
                bold=best,
                verdict=verdict_of(row),
                quiet=not tool.startswith(OURS),
            )
        )
    return line


def _listed(answers: pd.DataFrame) -> list[pd.DataFrame]:
    """The answers to each of those questions that are listed."""
    questions = [own for _, own in answers.groupby(["network", "instance"], sort=False)]
    return questions if len(questions) <= _LISTED else list(filter(_part, questions))


def _part(answers: pd.DataFrame) -> bool:
    """Whether ours and the tools part on a question: one side alone answers, or they differ."""
    is_ours = answers["tool"] == OURS
    decided = answers["answer"].isin(SOLVED)
    said = answers[decided]["answer"].nunique()
    return said > 1 or bool((is_ours & decided).any() != (~is_ours & decided).any())


def _instance(answers: pd.DataFrame, tools: list[str]) -> list[Entry]:
    """What each said of an instance, and in how many seconds."""
    line = [Entry(str(answers["network"].iloc[0])), Entry(f"{answers['instance'].iloc[0]:g}")]
    for tool in tools:
        row = row_of(answers, tool=tool)
        if row is None or (row["answer"] == "error" and not tool.startswith(OURS)):
            line.append(Entry(DASH))
            continue
        decided = row["answer"] in SOLVED
        refuted = Verdict.CONTRADICTED if str(row["refuted"]) == "True" else None
        text = f"{row['answer']} {two_digits(row['seconds'])}" if decided else str(row["answer"])
        line.append(Entry(text, verdict=refuted, quiet=not tool.startswith(OURS)))
    return line


def _notes(compared: pd.DataFrame, answers: pd.DataFrame, listed: int) -> list[str]:
    """How ours and theirs go together, what the numbers are, and the verdicts."""
    notes = [
        "Solved: sat or unsat. Where ours was not asked all instances, a tool's number is that of "
        "the same ones, and its number of all stands in parentheses.",
        "Seconds are of wall time; those of tools with their start-up (0.2 to 7 s), on the "
        "competition's machines, of alpha-beta-CROWN with a GPU.",
    ]
    asked = len(beside_ours(answers))
    if asked:
        notes.insert(0, _together(answers))
    if listed < asked:
        notes.append(
            "Listed are instances that ours or the tools alone decide, and contradictions."
        )
    return [*notes, *(verdict_notes(compared) if compared["verdict"].notna().any() else [])]


def _together(answers: pd.DataFrame) -> str:
    """How many instances each side decides, and where answers contradict each other."""
    beside = beside_ours(answers)
    ours, theirs = beside["ours"].isin(SOLVED), beside[list(SOLVED)].sum(axis=1) > 0
    counts = {
        "by ours and by a tool": ours & theirs,
        "by ours alone": ours & ~theirs,
        "by tools alone": ~ours & theirs,
        "by none": ~ours & ~theirs,
    }
    words = ", ".join(f"{hits.sum()} {who}" for who, hits in counts.items() if hits.any())
    said = answers[answers["answer"].isin(SOLVED)].groupby(["network", "instance"])["answer"]
    disputed = int((said.nunique() > 1).sum())
    contradictions = (
        f"On {disputed} answers contradict each other: ✗ is unsat where a counterexample of ours "
        "was replayed, or two tools have one."
        if disputed
        else "No two answers contradict each other."
    )
    return f"Of {len(beside)} instances that ours was asked are decided {words}. {contradictions}"
