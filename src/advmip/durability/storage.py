"""Writing files so that a reader never sees half of one, reading them, telling contents apart."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import platformdirs

from advmip.durability.written_sizes import note_size
from advmip.errors import InputError

# What a place says that cannot be written to, or no more.
_NO_PLACE = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM),
    *(errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG),
)
# The names that files have while they are written.
_TEMPORARY = re.compile(r"\..*\.[0-9a-f]{12}(\.[^.]*)?")


@contextmanager
def write_atomically(path: Path | str) -> Iterator[Path]:
    """Give a temporary path to write to, and put it in place of `path` at the end.

    The temporary file lies in the same folder and has the same suffix, so that writers that
    choose a format by suffix work. If the block raises, it is removed and `path` is left as it
    was. Missing folders are created.

    Args:
        path: The file to create or replace.

    Yields:
        The temporary path, which does not exist yet.

    Raises:
        InputError: The disk is full, or nothing can be written there.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.stem}.{secrets.token_hex(6)}{target.suffix}")
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            _synchronise(temporary)
            note_size(target, temporary.stat().st_size)
            os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _synchronise(target.parent)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say of a file that cannot be written, for want of room or rights, what can be done.

    Raises:
        InputError: The block raised such an error.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_PLACE:
            raise
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise InputError(
            subject=f"file {path}",
            found=f"cannot be written ({error.strerror or error})",
            expected="room on the disk" if full else "a place where files can be written",
            mend="make room and start again: what is finished is kept"
            if full
            else "name another place to write to",
        ) from error


def check_writable(path: Path) -> None:
    """Find out that a file could be written, before the work whose result it will hold.

    Raises:
        InputError: It could not: no folder can be made there, the file is a folder, or the like.
    """
    folder = path.parent
    with explained(path):
        while not folder.exists():
            folder = folder.parent
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        probe = folder / f".{path.stem}.{secrets.token_hex(6)}{path.suffix}"
        probe.touch(exist_ok=False)
        probe.unlink()


def remove_leftovers(folder: Path) -> None:
    """Remove what writers that were killed had begun, in a folder and below.

    Nobody may be writing there.
    """
    for path in folder.rglob(".*"):
        if _TEMPORARY.fullmatch(path.name) and path.is_file():
            path.unlink()


def write_array(path: Path, array: npt.NDArray[Any]) -> None:
    """Write an array as `.npy`, atomically."""
    with write_atomically(path) as temporary, temporary.open("wb") as file:
        np.save(file, array)


def write_arrays(path: Path, **arrays: npt.ArrayLike) -> None:
    """Write arrays as a compressed `.npz`, atomically, each under its name."""
    with write_atomically(path) as temporary, temporary.open("wb") as file:
        # Its stub takes any name for the one of an option.
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


@contextmanager
def reading_arrays(kind: str, file: Path, command: str) -> Iterator[None]:
    """Say of a missing or damaged file how to make it again.

    Args:
        kind: What the file holds, such as "bounds".
        file: An .npz file, read in the block.
        command: The command that writes it, without "advmip".

    Raises:
        InputError: The block could not read it.
    """
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError, TypeError, KeyError, EOFError, BadZipFile) as error:
        raise InputError(
            subject=f"{kind} {file}",
            found="no such file" if isinstance(error, FileNotFoundError) else str(error),
            expected=f"an .npz written by `advmip {command}`",
            mend="make it again with that command; the workflow does so by itself",
        ) from error


def read_yaml(path: Path) -> Any:
    """The contents of a YAML file.

    Raises:
        yaml.YAMLError: The file is no YAML.
        UnicodeDecodeError: It is no UTF-8.
    """
    import yaml  # of the suite: whoever asks a question of a network reads no YAML

    # Every job reads a thousand lines of YAML, libyaml's parser in a tenth of the time.
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)


def cache_folder() -> Path:
    """The user's cache, where downloads are kept unless another folder is named."""
    return Path(platformdirs.user_cache_dir("advmip"))


def file_digest(path: Path | str) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def array_digest(*arrays: npt.NDArray[Any]) -> str:
    """SHA-256 over the types, shapes and values of arrays, as 64 hexadecimal digits.

    Memory layout and byte order do not matter; the order of the arrays does.
    """
    digest = hashlib.sha256()
    for array in arrays:
        values = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{values.dtype.str}{array.shape}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a text in place of a file, whole or not at all."""
    with write_atomically(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _synchronise(path: Path) -> None:
    """Make the kernel write a file, or a folder's list of names, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
