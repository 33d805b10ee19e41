"""The code that results are made by, under the names by which the workflow knows it.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, TypedDict

from advmip.durability.storage import write_text
from advmip.errors import InputError
from advmip.provenance import code_digest

# Which finished instances are used again: those of the code as it is, or of any.
Reuse = Literal["same-code", "any-code"]


class _Known(TypedDict):
    """What a folder of results remembers of some parts of the library."""

    name: str
    mixtures: int


class Codes:
    """Names for parts of the library; a job is run again when the name of its parts changes.

    Under "same-code" the name is the digest, so that every change of code changes it. Under
    "any-code" it stays what it was when it was first asked for. Results then come to be mixed of
    several codes; the first run under "same-code" after that has new names even if the code goes
    back to what it was, and makes them all again.

    Args:
        file: Where the folder of results remembers its names.
        reuse: The setting.

    Raises:
        InputError: The file is damaged.
    """

    def __init__(self, file: Path, reuse: Reuse) -> None:
        self._file = file
        self._reuse = reuse
        self._known = _read(file)

    def name(self, *parts: str) -> str:
        """The name of some parts of the library, as in `code_digest`."""
        key = " ".join(sorted(set(parts)))
        digest = code_digest(*parts)
        known = self._known.setdefault(key, _Known(name=digest, mixtures=0))
        if self._reuse == "same-code":
            mixtures = known["mixtures"]
            known["name"] = f"{digest}+{mixtures}" if mixtures else digest
        else:
            named, _, mixtures_before = known["name"].partition("+")
            if named != digest:
                known["mixtures"] = int(mixtures_before or 0) + 1
        return known["name"]

    def save(self) -> None:
        """Remember all names that have been asked for."""
        write_text(self._file, json.dumps(self._known, indent=1) + "\n")


def _read(file: Path) -> dict[str, _Known]:
    if not file.is_file():
        return {}
    try:
        return {
            key: _Known(name=str(known["name"]), mixtures=int(known["mixtures"]))
            for key, known in json.loads(file.read_text(encoding="utf-8")).items()
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            subject=f"names of the code in {file}",
            found=str(error),
            expected="a JSON object that the workflow wrote",
            mend="remove the file; what has been made is then held against the code as it is",
        ) from error
