"""A question asked of many images: over processes, each answer recorded as soon as it is there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from advmip.durability.journal import Journal
from advmip.errors import CheckError, InputError
from advmip.progress import track
from advmip.questions.labelled_images import LabelledImage, Unusable
from advmip.questions.question import Answer, Question, Task
from advmip.questions.workers import Lost, shared_out

Failure = InputError | CheckError
Listed = LabelledImage | Unusable

_Result = TypeVar("_Result")


def answers(
    task: Task[Answer],
    question: Question[Answer],
    images: Sequence[Listed],
    journal: Path | None,
    jobs: int,
) -> Iterator[Answer | Failure]:
    """The answers in the order of the images, each as soon as it and those before it are there.

    An image that cannot be used, whose answer fails its check, or whose process was killed, is
    answered by what is wrong.

    Args:
        task: What other processes are told.
        question: The question itself.
        images: The images.
        journal: The record of finished answers: those in it are not sought again. A process that is
            killed loses those under way. None without a record.
        jobs: How many images are worked on at a time, each in a process.

    Raises:
        InputError: The journal is in use or damaged.
    """
    with ExitStack() as stack:
        if len(images) > 1:
            stack.enter_context(_quiet())
        record = None
        if journal is not None:
            record = stack.enter_context(Journal(journal, question.identity))
        known: list[tuple[int, Answer | Failure]] = []
        left: list[tuple[int, LabelledImage]] = []
        for number, each in enumerate(images):
            if isinstance(each, Unusable):
                known.append((number, each.error))
            elif record is not None and each.key in record:
                known.append((number, question.restored(record.get(each.key))))
            else:
                left.append((number, each))

        def found() -> Iterator[tuple[int, Answer | Failure]]:
            solving = _solved(task, question, left, min(jobs, len(left)))
            for number, answer in track(solving, question.name, enabled=True, total=len(left)):
                each = images[number]
                failed = isinstance(answer, InputError | CheckError)
                if record is not None and isinstance(each, LabelledImage) and not failed:
                    record.record(each.key, question.recorded(answer))
                yield number, answer

        yield from _in_order(chain(known, found()))


def _solved(
    task: Task[Answer],
    question: Question[Answer],
    images: Sequence[tuple[int, LabelledImage]],
    jobs: int,
) -> Iterator[tuple[int, Any]]:
    """The answers by number, as they come."""
    if jobs <= 1:
        for number, each in images:
            yield number, _attempt(question, each)
        return
    listed = [each for _, each in images]
    for place, answer in shared_out(listed, jobs, _prepared, task):
        number, each = images[place]
        yield number, _lost(each, answer) if isinstance(answer, Lost) else answer


@contextmanager
def _quiet() -> Iterator[None]:
    """The steps of an answer are not logged: of many images, there is a bar."""
    log = logging.getLogger("advmip")
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)


def _prepared(task: Task[Any]) -> Callable[[LabelledImage], Any]:
    """What answers the question in a process of its own."""
    question = task.question()
    return lambda each: _attempt(question, each)


def _lost(each: LabelledImage, lost: Lost) -> InputError:
    return InputError(
        subject=f"image {each.name}",
        found=str(lost),
        expected="an answer",
        mend="start again, which tries this image anew; fewer --jobs take less memory",
    )


def _attempt(question: Question[Answer], each: LabelledImage) -> Answer | Failure:
    try:
        return question.answer(each)
    except (InputError, CheckError) as error:
        return error


def _in_order(numbered: Iterable[tuple[int, _Result]]) -> Iterator[_Result]:
    """Results by their numbers from 0, each as soon as those before it are there."""
    waiting: dict[int, _Result] = {}
    told = 0
    for number, result in numbered:
        waiting[number] = result
        while told in waiting:
            yield waiting.pop(told)
            told += 1
