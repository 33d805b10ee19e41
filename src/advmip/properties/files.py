"""Properties from VNN-LIB files of either version."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from advmip.errors import InputError
from advmip.properties.property import Property
from advmip.properties.vnnlib import read_property
from advmip.properties.vnnlib2 import read_query

# The word that every file of version 2 begins with, behind comments.
_VERSION_2 = re.compile(r"(\s|;.*\n)*\(\s*vnnlib-version\b")


def load_property(file: Path | str) -> Property:
    """Read the property of a VNN-LIB file, compressed by gzip if its name ends so.

    Version 2 is read by the package `vnnlib` (`pip install advmip[vnnlib]`).

    Raises:
        InputError: The file is missing, is no VNN-LIB, has a form that is not read, leaves an input
            unbounded, or is contradictory; or it is of version 2, and the package is missing.
    """
    text, subject = property_text(Path(file)), f"property {file}"
    return read_query(text, subject).property if is_query(text) else read_property(text, subject)


def is_query(text: str) -> bool:
    """Whether a VNN-LIB is of version 2."""
    return _VERSION_2.match(text) is not None


def property_text(file: Path) -> str:
    """What a file says, compressed by gzip if its name ends so.

    Raises:
        InputError: It is missing or no text.
    """
    subject = f"property {file}"
    if not file.is_file():
        raise InputError(
            subject=subject, found="no such file", expected="a VNN-LIB file", mend="check the path"
        )
    try:
        content = file.read_bytes()
        return (gzip.decompress(content) if file.suffix == ".gz" else content).decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(
            subject=subject,
            found=str(error),
            expected="text, or text compressed by gzip",
            mend="make it anew",
        ) from None
