"""Answers to a benchmark's questions: each is found, confirmed and recorded before the next."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from advmip.errors import CheckError
from advmip.experiments.origin import network_columns, origin_columns
from advmip.experiments.rows import Row, write_rows
from advmip.experiments.solving import identity_of, solved
from advmip.experiments.vnncomp.catalogue import CODE
from advmip.experiments.vnncomp.instances import EXPERIMENT, shard_of
from advmip.experiments.vnncomp.questions import Question, published_answers, questions
from advmip.settings import Settings
from advmip.vnncomp import SOLVED, answer_of


def benchmark_answers(
    settings: Settings, benchmark: str, shard: int, networks: Path, journal: Path, out: Path
) -> None:
    """Answer the questions of one job, each in a process of its own that ends with its time.

    Each answer goes into a journal as soon as it is there: a process that is killed goes on behind
    the last one.

    Args:
        settings: All settings.
        benchmark: A key of `vnncomp.benchmarks` in the settings.
        shard: Which of the benchmark's jobs.
        networks: The folder of networks that are made here.
        journal: Where answers are recorded.
        out: The folder of answers.csv and published_answers.csv.

    Raises:
        InputError: The scale has no such questions, or a file cannot be used.
        CheckError: One solver has a counterexample where another has a proof.
    """
    places = shard_of(settings, benchmark, shard)
    all_questions = questions(settings, benchmark, networks)
    published = published_answers(settings, benchmark)
    asked = [_Asked(benchmark, all_questions[place], solver) for place, solver in places]
    rows = solved(
        journal,
        identity_of(settings, CODE["benchmark_answers"]),
        settings["reuse"],
        asked,
        lambda each: each.key,
        lambda each: each.answered(settings),
    )
    _refuse_contradictions(rows)
    write_rows("answers", rows, out / "answers.csv")
    origin = origin_columns(settings, "vnncomp", CODE["benchmark_answers"])
    theirs = [
        {**_about(benchmark, question), **origin, **answer._asdict()}
        for question in dict.fromkeys(each.question for each in asked)
        for answer in published.get((question.instance.onnx, question.instance.vnnlib), ())
    ]
    write_rows("published_answers", theirs, out / "published_answers.csv")


class _Asked(NamedTuple):
    """A question, and who is to answer it."""

    benchmark: str
    question: Question
    solver: str

    @property
    def key(self) -> str:
        return f"{self.question.key} solver={self.solver}"

    def answered(self, settings: Settings) -> Row:
        """The row of the answer: what was proved or found, and what it took."""
        instance = self.question.instance
        how = {"solver": self.solver, "seed": settings["seed"], "threads": settings["threads"]}
        answer = answer_of(instance, how)
        confirmed = "onnxruntime" if answer.get("confirmed") else "the network itself"
        return {
            **_about(self.benchmark, self.question),
            **origin_columns(settings, "vnncomp", CODE["benchmark_answers"]),
            "onnx": instance.onnx,
            "vnnlib": instance.vnnlib,
            "population": self.question.population,
            "solver": self.solver,
            "time_limit": instance.limit,
            "published_limit": self.question.published_limit,
            "answer": answer["result"],
            "evidence": answer.get("evidence"),
            "counterexample": confirmed if answer["result"] == "sat" else "",
            "nodes": answer.get("nodes"),
            "solver_taken": answer.get("solver"),
            "solver_reason": answer.get("reason"),
            "seconds_total": answer["seconds"],
            "seconds_processor": answer.get("processor_seconds"),
            "status": "ok",
            "checked": True,
        }


def _about(benchmark: str, question: Question) -> Row:
    return {
        **network_columns(EXPERIMENT, benchmark),
        "network": benchmark,
        "dataset": question.dataset,
        "network_digest": question.network_digest,
        "dataset_digest": question.property_digest,
        "instance": question.instance.number,
    }


def _refuse_contradictions(rows: Iterable[Row]) -> None:
    """Solvers are asked the same: none may have a counterexample where another has a proof."""
    first: dict[int, Row] = {}
    for row in rows:
        if row["answer"] in SOLVED:
            other = first.setdefault(row["instance"], row)
            if other["answer"] != row["answer"]:
                raise CheckError(
                    f"{row['paper_network']} {row['instance']}: {other['answer']} by "
                    f"{other['solver']}, but {row['answer']} by {row['solver']}"
                )
