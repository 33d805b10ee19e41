"""Solvers beside each other on the same attacks with the same bounds (Table 3, Figures 6, 7)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from advmip.errors import InputError
from advmip.experiments.answering import answered
from advmip.experiments.ben_mhenni.questions import (
    EFFICIENCY,
    Question,
    networks_of,
    part_of,
    time_limit_of,
)
from advmip.experiments.ben_mhenni.victims import CODE, dependencies, load_victims
from advmip.experiments.exact.answers import attack_columns
from advmip.experiments.exact.victims import Victim, identity_columns
from advmip.experiments.parts import most_images
from advmip.experiments.rows import Row, write_rows
from advmip.mip import minimal_attack, network_bounds
from advmip.mip.bounds import NETWORK_BOUNDS
from advmip.mip.encoding import Interval
from advmip.mip.margins import runner_up
from advmip.networks import staged
from advmip.settings import Settings, SolverComparison

# The settings that stand in a row, among those that an answer depends on.
_DECISIVE = ("bounds", "gap")


def compare_solvers(
    settings: Settings, part: int, network_files: Mapping[str, Path], journal: Path, out: Path
) -> None:
    """Do the attacks of one job, each by one solver, and write their rows.

    Bounds over the whole box are computed once for a network, before the time of its attacks;
    progressive ones belong to an attack and to its time.

    Args:
        settings: All settings.
        part: Which of the experiment's jobs.
        network_files: The weights of the job's networks, by the paper's names.
        journal: Where finished attacks are recorded.
        out: The folder of attacks.csv.

    Raises:
        InputError: The scale has no such job, or a file cannot be used.
        CheckError: An answer failed its independent check.
    """
    questions = part_of(settings, EFFICIENCY, part)
    compared = settings["benmhenni"]["experiments"]["efficiency"]["networks"]
    images = {name: most_images(compared[name]) for name in networks_of(questions)}
    victims = load_victims(settings, EFFICIENCY, network_files, images)

    @cache
    def bounds_of(name: str) -> str | list[Interval]:
        method = compared[name]["bounds"]
        if method not in NETWORK_BOUNDS:
            return method
        return network_bounds(staged(victims[name].network), method, progress=True)

    def answer(question: Question) -> Row:
        name = question.network
        common = identity_columns(settings, "benmhenni", victims[name], EFFICIENCY, CODE)
        chosen = compared[name]
        return common | _row(
            settings, victims[name], chosen, bounds_of(name), question, journal.parent
        )

    def key(question: Question) -> str:
        # Its time may be its solver's own: an answer outlives another solver's new limit.
        return f"{question.key} time_limit={time_limit_of(settings, question):g}"

    attacks = {
        name: {part: compared[name][part] for part in (*_DECISIVE, "target")}  # type: ignore[literal-required]
        for name in victims
    }
    depends = dependencies(settings, victims, attacks)
    rows = answered(journal, depends, settings["reuse"], questions, key, answer)
    write_rows("attacks", rows, out / "attacks.csv")


def _row(
    settings: Settings,
    victim: Victim,
    chosen: SolverComparison,
    bounds: Any,
    question: Question,
    failures: Path,
) -> Row:
    index = int(victim.correct[question.rank])
    image = victim.images.images[index].astype(np.float64)
    label = int(victim.images.labels[index])
    form = staged(victim.network)
    rival = runner_up(form.logits(image.ravel()), label)
    target = rival if chosen["target"] == "runner-up" else None
    assert question.solver is not None  # each attack is a solver's
    time_limit = time_limit_of(settings, question)
    row: Row = {
        "image": index,
        "rank": question.rank,
        "label": label,
        "target": target,
        "ratio": 1.0,
        "distance_name": question.method,
        "formulation": "big-m",
        "neurons": form.neurons,
        "solver": question.solver,
        "time_limit": time_limit,
        **{name: chosen[name] for name in _DECISIVE},  # type: ignore[literal-required]
    }
    try:
        attack = minimal_attack(
            victim.network,
            image,
            label,
            question.method,
            target=target,
            margin=settings["benmhenni"]["margin"],
            bounds=bounds,
            solver=question.solver,
            time_limit=time_limit,
            gap=chosen["gap"],
            threads=settings["threads"],
            seed=settings["seed"],
            failures=failures,
        )
    except InputError as error:
        # A solver may not take squares, or its licence not a model of this size.
        if error.subject != f"solver {question.solver}":
            raise
        return row | {"status": "refused", "solver_reason": error.found}
    return row | attack_columns(attack, image) | {"status": "ok", "checked": True}
