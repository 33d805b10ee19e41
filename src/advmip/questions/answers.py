"""A question asked of many images: over processes, each answer recorded as soon as it is there."""

from __future__ import annotations

import logging
import multiprocessing
import signal
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from advmip.errors import CheckError, InputError
from advmip.journal import Journal
from advmip.progress import track
from advmip.questions.labelled_images import LabelledImage, Unusable
from advmip.questions.question import Answer, Question, Task
from advmip.running import follow_parent

Failure = InputError | CheckError
Listed = LabelledImage | Unusable

_Result = TypeVar("_Result")
# The question of a process of many.
_asked: list[Question[Any]] = []


def answers(
    task: Task[Answer],
    question: Question[Answer],
    images: Sequence[Listed],
    journal: Path | None,
    jobs: int,
) -> Iterator[Answer | Failure]:
    """The answers in the order of the images, each as soon as it and those before it are there.

    An image that cannot be used, or whose answer fails its check, is answered by what is wrong.

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
    # Forked, a process would share locks with threads of torch that it does not have.
    spawn = multiprocessing.get_context("spawn")
    workers = ProcessPoolExecutor(jobs, spawn, initializer=_begin, initargs=(task,))
    try:
        numbers = {workers.submit(_answer, each): number for number, each in images}
        for future in as_completed(numbers):
            yield numbers[future], future.result()
    finally:
        workers.shutdown(wait=False, cancel_futures=True)


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


def _begin(task: Task[Any]) -> None:
    """Prepare a process, which ends when the one that started it is gone, in whatever way."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    follow_parent()
    _asked.append(task.question())


def _answer(each: LabelledImage) -> Any:
    return _attempt(_asked[0], each)


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
