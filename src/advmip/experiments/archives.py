"""Archives of a snapshot: files of a run by name; an archive's bytes follow from these alone."""

from __future__ import annotations

import io
import lzma
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from advmip.durability.storage import write_atomically
from advmip.errors import InputError

SUFFIX = ".tar.xz"


def write_archive(archive: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files as an archive, without times and owners.

    Args:
        archive: A file name ending in .tar.xz.
        files: Names, below a folder of results, and contents, in the archive's order.
    """
    with write_atomically(archive) as temporary, tarfile.open(temporary, "w:xz", preset=9) as tar:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def read_archive(archive: Path, subject: str) -> Iterator[tuple[str, bytes]]:
    """The files of an archive.

    Args:
        archive: What `write_archive` wrote.
        subject: What it holds, for the error.

    Yields:
        Names, none of which leads out of a folder, and contents.

    Raises:
        InputError: It is missing or damaged; nothing has been yielded then, unless a name is wrong.
    """
    try:
        # Decompressed to its end, where the checksum is.
        content = lzma.decompress(archive.read_bytes())
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            for member in tar:
                file = tar.extractfile(member)
                inside = PurePosixPath(member.name)
                if file is None or inside.is_absolute() or ".." in inside.parts:
                    raise ValueError(f"{member.name}, which is no file of a run")
                yield member.name, file.read()
    except (OSError, EOFError, ValueError, tarfile.TarError, lzma.LZMAError) as error:
        raise InputError(
            subject=f"{subject} {archive}",
            found=str(error),
            expected="an archive written by `advmip snapshot`",
            mend="take it anew from the repository, or make the snapshot again",
        ) from error
