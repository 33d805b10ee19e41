"""How long the files of a run were when they were written: what has been cut short since is found.

A file that a crash, a copy or a full disk has cut short may still read as one with fewer rows.
Every job notes the size of a file before it puts it in place, in a list that all jobs of a run
append to; a new run removes what is shorter than it was written, so that it is made again.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

_LIST = ".sizes"

# The folder whose files this process notes.
_noted: list[Path] = []


def note_sizes(folder: Path) -> None:
    """From here on note the files that this process writes in a folder and below."""
    _noted[:] = [folder.resolve()]


def note_size(path: Path, size: int) -> None:
    """Note the size of a file that is about to be put in place, if it lies in the noted folder."""
    for folder in _noted:
        file = path.resolve()
        if file.is_relative_to(folder):
            line = f"{size} {file.relative_to(folder).as_posix()}\n".encode()
            # One write at the end of the file: other jobs append too.
            descriptor = os.open(folder / _LIST, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)


def remove_shortened(folder: Path) -> list[Path]:
    """Remove the files of a folder that are shorter than they were written.

    A job that was killed before it put its file in place has noted that size too: a file that is
    as long as any that was noted of it is whole.

    Args:
        folder: The folder that was noted.

    Returns:
        What was removed.
    """
    removed = []
    for name, sizes in _sizes(folder).items():
        file = folder / name
        if file.is_file():
            size = file.stat().st_size
            if size < sizes[-1] and size not in sizes:
                file.unlink()
                removed.append(file)
    return removed


def _sizes(folder: Path) -> dict[str, list[int]]:
    """All sizes that were noted, by file, the last one last; a torn line is left out."""
    found: dict[str, list[int]] = defaultdict(list)
    file = folder / _LIST
    if file.is_file():
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            size, _, name = line.partition(" ")
            if size.isdecimal() and name:
                found[name].append(int(size))
    return found
