"""A question asked, and its answers told: a line each or JSON, rows, adversarial images."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from tqdm import tqdm

from advmip.durability.storage import check_writable, explained
from advmip.errors import CheckError, InputError, in_a_line
from advmip.questions.answers import Failure, Listed, answers
from advmip.questions.labelled_images import LabelledImage, labelled_images
from advmip.questions.question import Answer, Question, Row, Task

# The columns of every question's rows, before its own and behind them.
FIRST_COLUMNS = ("image", "label", "outcome", "predicted")
LAST_COLUMNS = ("precision", "unstable", "nodes", "solver", "seconds", "failure")

_ROWS = ".csv"
_JOURNAL = ".jsonl"
_FAILED = "failed"


@dataclass(frozen=True)
class Asked:
    """What images are asked about, and how.

    Attributes:
        images: As `labelled_images` takes them.
        label: The class of the images in files; the network's own answer if left out.
        data_dir: Where the files of data sets are; by default the user's cache.
        jobs: How many images are worked on at a time, each in a process.
        journal: The record of finished answers; by default beside a table, else none.
        as_json: Tell the rows as JSON, an object a line.
    """

    images: Sequence[str]
    label: int | None = None
    data_dir: Path | None = None
    jobs: int = 1
    journal: Path | None = None
    as_json: bool = False


@dataclass(frozen=True)
class Kept:
    """Where answers are kept, by what the user names as the place to write to.

    Attributes:
        out: What is named: a table (.csv), or a folder for adversarial images; for one image
            alone its files, without suffix. None keeps nothing.
        alone: Whether it is for one image alone.
    """

    out: Path | None
    alone: bool = False

    @property
    def rows(self) -> Path | None:
        """The table; None if none was named."""
        return self.out if self.out is not None and self.out.suffix == _ROWS else None

    @property
    def journal(self) -> Path | None:
        """The record of finished answers, beside the table."""
        return None if self.rows is None else self.rows.with_suffix(_JOURNAL)

    @property
    def failures(self) -> Path:
        """The folder for answers that fail their check."""
        return Path("failures") if self.out is None else self.out.parent / "failures"

    def stem(self, name: str) -> Path | None:
        """Where the adversarial image of this name goes, without suffix; None if nowhere.

        Those of a table go into the folder of its name.
        """
        if self.out is None or (self.alone and self.rows is None):
            return self.out
        return (self.out if self.rows is None else self.rows.with_suffix("")) / name

    def check(self) -> None:
        """Find out whether anything can be written there.

        Raises:
            InputError: It cannot.
        """
        if self.out is None:
            return
        if not self.out.name:
            raise InputError(
                subject=f"files {self.out}.npy and {self.out}.png",
                found="no name, which cannot be written to",
                expected="the beginning of a file's name",
                mend="name another place to write to",
            )
        if self.rows is not None:
            check_writable(self.rows)
        for suffix in (".npy", ".png"):
            stem = self.stem("image")
            assert stem is not None
            check_writable(stem.with_name(stem.name + suffix))


@dataclass(frozen=True)
class Batch(Generic[Answer]):
    """What came of many images.

    Attributes:
        answers: Of those that have one, in order.
        failures: Of the others, what went wrong: unusable images, and answers that failed their
            check.
    """

    answers: list[Answer]
    failures: list[Failure]


def ask(
    kind: type[Question[Answer]],
    network_file: Path,
    asked: Asked,
    out: Path | None,
    *,
    layout: str | None = None,
    **how: Any,
) -> Batch[Answer]:
    """Ask a question of images, and tell each answer as soon as it is there.

    An image that cannot be used, or whose answer fails its check, has its line too; the others are
    answered all the same.

    Args:
        kind: The question.
        network_file: The network.
        asked: The images, and how they are worked on.
        out: Where to keep answers: a table (.csv), with its journal and a folder of adversarial
            images beside it, or the folder of images alone.
        layout: What the axes of the network's input mean, as `load_network` takes it.
        how: The question's arguments.

    Raises:
        InputError: The network cannot be read, nothing can be written where answers are to be
            kept, or an argument is wrong for all images; or the one image of a question that
            tells it in full cannot be used.
        CheckError: The answer for that one fails its check.
    """
    task = Task(kind, network_file, layout, Kept(out).failures, how)
    question = task.question()
    images = list_images(question, asked)
    kept = Kept(out, alone=kind.alone and len(images) == 1)
    kept.check()
    in_full = kept.alone and kept.rows is None and not asked.as_json
    batch: Batch[Answer] = Batch([], [])
    outcomes: Counter[str] = Counter()
    seconds = 0.0
    written: Counter[str] = Counter()
    found = answers(task, question, images, asked.journal or kept.journal, asked.jobs)
    with _table(kept.rows, question) as write:
        for each, answer in zip(images, found, strict=True):
            files: list[Path] = []
            if isinstance(answer, InputError | CheckError):
                if in_full:
                    raise answer
                row: Row = {"image": each.name, "outcome": _FAILED, "failure": in_a_line(answer)}
                line = f"{_FAILED}, {row['failure']}"
                batch.failures.append(answer)
            else:
                assert isinstance(each, LabelledImage)
                row = {"image": each.name, "label": each.label, **question.row(each, answer)}
                line = question.line(each, answer)
                batch.answers.append(answer)
                seconds += row["seconds"]
                stem = kept.stem(_numbered(each.stem, written))
                if stem is not None:
                    files = question.keep(each, answer, stem, picture=kept.rows is None)
            outcomes[row["outcome"]] += 1
            write(row)
            if in_full:
                assert isinstance(each, LabelledImage)
                say(question.in_full(each, batch.answers[0]))
                say(f"written: {', '.join(map(str, files))}" if files else "")
            else:
                say(_json(row) if asked.as_json else f"{each.name}: {line}")
    if not (in_full or asked.as_json):
        counts = ", ".join(
            f"{outcomes[outcome]} {outcome}"
            for outcome in (*question.outcomes, _FAILED)
            if outcomes[outcome]
        )
        say(f"{len(images)} images: {counts}; {seconds:.1f} s")
    return batch


def list_images(question: Question[Any], asked: Asked) -> list[Listed]:
    """The images that are asked about, with their classes, and what is none."""
    span = question.span
    return list(labelled_images(question.network, asked.images, asked.label, asked.data_dir, *span))


def say(line: str) -> None:
    """Print a line at once, above a bar of progress if there is one."""
    with tqdm.external_write_mode() if sys.stderr.isatty() else nullcontext():
        print(line, flush=True)


@contextmanager
def _table(file: Path | None, question: Question[Any]) -> Iterator[Callable[[Row], object]]:
    """Writes rows to a file, each complete before the next; what is in the file is replaced."""
    if file is None:
        yield lambda row: None
        return
    with explained(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        opened = file.open("w", newline="", buffering=1, encoding="utf-8")
    with opened:
        columns = (*FIRST_COLUMNS, *question.columns, *LAST_COLUMNS)
        writer = csv.DictWriter(opened, columns, restval="", lineterminator="\n")

        def write(row: Row) -> None:
            with explained(file):
                writer.writerow(row)

        write({column: column for column in columns})
        yield write


def _json(row: Row) -> str:
    """A row as JSON, which knows no infinite numbers."""
    return json.dumps(
        {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in row.items()
        }
    )


def _numbered(stem: str, written: Counter[str]) -> str:
    """A name for a file; images of one name may be from several folders."""
    written[stem] += 1
    return stem if written[stem] == 1 else f"{stem}-{written[stem]}"
