"""Questions answered one after the other, each answer recorded before the next is sought."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from advmip.journal import Journal
from advmip.settings import Reuse

_log = logging.getLogger(__name__)

_Question = TypeVar("_Question")


def answered(
    journal: Path,
    depends: Mapping[str, Any],
    reuse: Reuse,
    questions: Sequence[_Question],
    key: Callable[[_Question], str],
    answer: Callable[[_Question], Any],
    *,
    rehearsed: bool = False,
) -> list[Any]:
    """The answers to questions; those that a journal holds already are not sought again.

    Each goes into the journal as soon as it is there: a process that is killed goes on behind the
    last one.

    Args:
        journal: The journal's file.
        depends: What the answers depend on, as in `Journal`.
        reuse: Whether answers of other code are used again, as in `Journal`.
        questions: The questions.
        key: A question's name, unique among them.
        answer: Answers a question, by what JSON can hold.
        rehearsed: Answer the first open question once before, unrecorded: the first call of
            anything pays for its loading, which counts where an answer takes milliseconds.
    """
    with Journal(journal, depends, reuse) as finished:
        open_questions = [each for each in questions if key(each) not in finished]
        if rehearsed and open_questions:
            answer(open_questions[0])
        begun = time.perf_counter()
        for number, question in enumerate(open_questions, 1):
            finished.record(key(question), answer(question))
            spent = time.perf_counter() - begun
            rest = spent / number * (len(open_questions) - number)
            _log.info("%d of %d answers, about %.0f s left", number, len(open_questions), rest)
        return [finished.get(key(question)) for question in questions]
