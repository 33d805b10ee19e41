"""The errors that the library raises by name, and names looked up with such an error."""

from __future__ import annotations

import copyreg
import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

_Entry = TypeVar("_Entry")

_BAD_INPUT, _FAILED_CHECK = 2, 3


class InputError(ValueError):
    """Something the user supplied cannot be used, and here is how to mend it.

    The message has four short lines: what it is about, what was found there, what was
    expected, and how to mend it.

    Args:
        subject: What is wrong: a file, a setting, an array.
        found: What was there.
        expected: What should have been there.
        mend: What the user can do about it.
    """

    def __init__(self, *, subject: str, found: str, expected: str, mend: str) -> None:
        super().__init__(
            f"{subject}\n  found:    {found}\n  expected: {expected}\n  to mend:  {mend}"
        )
        self.subject = subject
        self.found = found
        self.expected = expected
        self.mend = mend

    def __reduce__(self) -> tuple[Any, ...]:
        # Sent to another process: what the error consists of, not its message, makes it again.
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


class CheckError(RuntimeError):
    """An answer failed its independent check.

    Args:
        message: Which check failed, and by how much.
        saved: The file that holds the instance, so that it can be looked into.
    """

    def __init__(self, message: str, saved: Path | None = None) -> None:
        super().__init__(message if saved is None else f"{message}\n  saved in: {saved}")
        self.saved = saved


def one_line(error: Exception) -> str:
    """What another library says of an error, shortened to one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def in_a_line(error: InputError | CheckError) -> str:
    """What went wrong and how to mend it, in one line."""
    return "; ".join(" ".join(line.split()) for line in str(error).splitlines())


def exit_status(failures: Iterable[Exception]) -> int:
    """What a command ends with: 0 without failures, 3 after a failed check, else 2: bad input."""
    kinds = {isinstance(failure, CheckError) for failure in failures}
    if not kinds:
        return 0
    return _FAILED_CHECK if True in kinds else _BAD_INPUT


def unknown_name(kind: str, name: str, known: Iterable[str]) -> InputError:
    """The error for a name that is not in a table, with the nearest name that is.

    Args:
        kind: What is named, such as "data set".
        name: The name that was given.
        known: The names in the table.

    Returns:
        The error, to be raised by the caller.
    """
    names = sorted(known)
    nearest = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.4)
    return InputError(
        subject=f"unknown {kind}",
        found=repr(name),
        expected=f"one of {', '.join(names)}",
        mend=f"did you mean {nearest[0]!r}?" if nearest else "choose one of the names above",
    )


def check_arguments(function: str, **arguments: tuple[object, bool, str]) -> None:
    """Refuse arguments that are not valid.

    Args:
        function: Whose they are.
        arguments: Of each its value, whether that is valid, and what it should be.

    Raises:
        InputError: One is not; it tells of the first.
    """
    for name, (value, valid, expected) in arguments.items():
        if not valid:
            raise InputError(
                subject=f"argument {name!r} of {function}",
                found=str(value),
                expected=expected,
                mend="correct the argument",
            )


def looked_up(kind: str, name: str, table: Mapping[str, _Entry]) -> _Entry:
    """What stands under a name in a table.

    Args:
        kind: What is named, such as "data set".
        name: The name that was given.
        table: What there is, by name.

    Raises:
        InputError: There is nothing of that name.
    """
    if name not in table:
        raise unknown_name(kind, name, table)
    return table[name]
