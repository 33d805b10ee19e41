"""Questions answered one after the other, each recorded before the next; what a row says of one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from advmip.experiments.rows import Row
from advmip.journal import Journal
from advmip.mip import Attack
from advmip.mip.distances import L0

_log = logging.getLogger(__name__)

_Question = TypeVar("_Question")


def answered(
    journal: Path,
    depends: Mapping[str, Any],
    questions: Sequence[_Question],
    key: Callable[[_Question], str],
    answer: Callable[[_Question], Any],
) -> list[Any]:
    """The answers to questions; those that a journal holds already are not sought again.

    Each goes into the journal as soon as it is there: a process that is killed goes on behind the
    last one.

    Args:
        journal: The journal's file.
        depends: What the answers depend on, as in `Journal`.
        questions: The questions.
        key: A question's name, unique among them.
        answer: Answers a question, by what JSON can hold.
    """
    with Journal(journal, depends) as finished:
        open_questions = [each for each in questions if key(each) not in finished]
        begun = time.perf_counter()
        for number, question in enumerate(open_questions, 1):
            finished.record(key(question), answer(question))
            spent = time.perf_counter() - begun
            rest = spent / number * (len(open_questions) - number)
            _log.info("%d of %d attacks, about %.0f s left", number, len(open_questions), rest)
        return [finished.get(key(question)) for question in questions]


def attack_columns(attack: Attack, image: NDArray[np.float64]) -> Row:
    """What an attack found and proved, and how long its perturbation is by every measure.

    Args:
        attack: The attack.
        image: The original, of the network's input shape.
    """
    row: Row = {
        "outcome": attack.status.value,
        "distance": attack.distance,
        "lower_bound": attack.lower_bound,
        "predicted": attack.predicted,
        "solver_taken": attack.solver,
        "solver_reason": attack.reason,
        "nodes": attack.nodes,
        "unstable": attack.unstable,
        "seconds_total": attack.seconds,
        **{f"seconds_{phase}": seconds for phase, seconds in attack.phases.items()},
    }
    if attack.adversarial is not None:
        change = np.abs(attack.adversarial - image).ravel()
        row |= {
            "changed_pixels": int((change > L0.unchanged).sum()),
            "total_change": float(change.sum()),
            "euclidean": float(np.linalg.norm(change)),
            "largest_change": float(change.max()),
        }
    return row
