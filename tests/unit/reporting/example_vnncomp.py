"""Answers to the competition's questions, ours and those of tools, as experiments write them."""

from __future__ import annotations

from typing import Any

# What each said of the instances of a benchmark of nine, of which three are asked.
ANSWERS = {
    "ours": ("sat", "unsat", "timeout"),
    "Marabou": ("unsat", "unsat", "timeout"),
    "VeriNet": ("sat", "unsat", "unsat"),
    "nnenum": ("error", "error", "error"),
}
PLACES = (1, 4, 7)

Found = dict[str, list[dict[str, Any]]]


def vnncomp_rows(stand_ins: bool = False, **ours: Any) -> Found:
    """The rows by kind: of the competition, or answered twice by ours on digits.

    Args:
        stand_ins: Whether digits stand for the competition.
        ours: Other columns of ours.
    """
    benchmark, dataset = ("digits", "digits") if stand_ins else ("eran_2021", "vnncomp")
    about = {
        "source": "vnncomp",
        "experiment": "benchmarks",
        "network": benchmark,
        "paper_network": benchmark,
        "dataset": dataset,
        "protocol": "published",
        "seed": 0,
    }
    rows: Found = {"answers": [], "published_answers": []}
    for place, number in enumerate(PLACES):
        question = {**about, "instance": number}
        for solver in ("auto", "highs") if stand_ins else ("auto",):
            word = ANSWERS["ours"][place]
            rows["answers"].append(
                {
                    **question,
                    "onnx": "net.onnx",
                    "vnnlib": f"{number}.vnnlib",
                    "population": 3 if stand_ins else 9,
                    "solver": solver,
                    "time_limit": 60.0,
                    "published_limit": 300.0,
                    "answer": word,
                    "counterexample": "onnxruntime" if word == "sat" else None,
                    "seconds_total": 0.25 + place,
                    "status": "ok",
                    "checked": True,
                    **ours,
                }
            )
        for tool, words in ANSWERS.items():
            if tool != "ours" and not stand_ins:
                said = {"tool": tool, "answer": words[place], "seconds": 4.0}
                rows["published_answers"].append({**question, **said})
    return rows


def planned_benchmarks(stand_ins: bool = False) -> dict[tuple[str, str], frozenset[str]]:
    """The benchmarks of a plan with exactly these rows."""
    name, solvers = ("digits", ["auto", "highs"]) if stand_ins else ("eran_2021", ["auto"])
    return {("benchmarks", name): frozenset(solvers)}
