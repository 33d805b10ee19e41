"""Checking and fetching the files of a data set, and saying clearly what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from advmip.errors import InputError

WAYS_TO_MEND = (
    "(1) let it be downloaded: allow downloads, and have a network; "
    "(2) copy the file from a machine that has it into this folder; "
    "(3) set the data folder (data_dir) to one that has it"
)


def check(file: Path, found: str, expected: str) -> None:
    """Raise an `InputError` unless two checksums agree.

    Args:
        file: The file they are about.
        found: Its checksum.
        expected: The published one.
    """
    if found != expected:
        raise InputError(
            subject=f"data file {file.name} in {file.parent}",
            found=f"checksum {found} ({file.stat().st_size:,} bytes)",
            expected=f"checksum {expected}",
            mend=f"the file is truncated or altered; remove it, then {WAYS_TO_MEND}",
        )


def missing(name: str, folder: Path, expected: str, reason: str = "") -> InputError:
    """The error for a file that is not there.

    Args:
        name: The file.
        folder: Where it was looked for.
        expected: What should be there, with its checksum.
        reason: Why it could not be fetched, if that was tried.
    """
    return InputError(
        subject=f"data file {name} in {folder}",
        found=f"no such file{reason}",
        expected=expected,
        mend=WAYS_TO_MEND,
    )


def fetch(download: Callable[[], object], name: str, folder: Path, expected: str) -> None:
    """Run a download, and answer its failure as for a missing file.

    Args:
        download: Does the work.
        name: A file that it should bring.
        folder: Where to.
        expected: What should be there, with its checksum.
    """
    try:
        download()
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise missing(name, folder, expected, f"; the download failed: {reason}") from error
