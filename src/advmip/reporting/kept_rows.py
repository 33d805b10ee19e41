"""Rows as a snapshot keeps them: each once, compressed, with an index of what is made from which.

`rows/<source>/` holds a file of each kind of rows, the settings of the run, and in `index.json.gz`
the numbers of the rows of the source itself and of each of its outputs, as ranges, in their order.
What is unpacked is byte for byte what was kept.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from advmip.durability.storage import read_yaml, write_atomically, write_text
from advmip.errors import InputError

SETTINGS_FILE = "config.yaml"
_INDEX = "index.json.gz"
# Settings that say where things are, not what came out.
_OF_THE_MACHINE = ("data_dir", "network_dir", "vnncomp_dir", "download")

_Line = tuple[str, ...]


def keep_rows(results_dir: Path, source: str, outputs: Sequence[str], folder: Path) -> list[Path]:
    """Keep the rows of a source and of its tables and figures, and the settings of their run.

    The bytes written follow from the rows alone.

    Args:
        results_dir: The scale's results: `rows/<source or output>/*.csv` and `config.yaml`.
        source: The source's short name.
        outputs: Its tables and figures; one whose rows are not there has those of the source.
        folder: Where they are kept.

    Returns:
        The files written.
    """
    names = [source, *(name for name in outputs if (results_dir / "rows" / name).is_dir())]
    index: dict[str, dict[str, list[list[int]]]] = {name: {} for name in names}
    written = []
    for file in sorted((results_dir / "rows" / source).glob("*.csv")):
        numbers: dict[_Line, int] = {}
        heads: _Line = ()
        for name in names:
            heads, *lines = _read(results_dir / "rows" / name / file.name)
            own = [numbers.setdefault(line, len(numbers)) for line in lines]
            index[name][file.stem] = _ranges(own)
        kept = folder / f"{file.name}.gz"
        _write_compressed(kept, _text([heads, *numbers]))
        written.append(kept)
    _write_compressed(folder / _INDEX, json.dumps(index))
    written.append(folder / _INDEX)
    if (results_dir / SETTINGS_FILE).is_file():
        settings = read_yaml(results_dir / SETTINGS_FILE)
        settings = {name: settings[name] for name in settings if name not in _OF_THE_MACHINE}
        write_text(
            folder / SETTINGS_FILE, yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
        )
        written.append(folder / SETTINGS_FILE)
    return written


@contextmanager
def rows_of(folder: Path, name: str) -> Iterator[Path]:
    """The folder of the row files of an output or a source; kept rows are unpacked meanwhile.

    Args:
        folder: Joined rows of the output, or kept rows: of its source, or of all sources.
        name: Of a table, a figure or a source.

    Raises:
        InputError: Kept rows are damaged.
    """
    kept = kept_folder(folder, name)
    if kept is None:
        yield folder
        return
    with tempfile.TemporaryDirectory() as temporary:
        _unpack(kept, name, Path(temporary))
        yield Path(temporary)


def kept_folder(folder: Path, name: str) -> Path | None:
    """Where the kept rows of an output or a source lie; None if the folder holds joined rows."""
    places = (folder / name.partition("_")[0], folder)
    return next((place for place in places if (place / _INDEX).is_file()), None)


def _unpack(kept: Path, name: str, folder: Path) -> None:
    """Write the rows of an output, or of a source, as they were before they were kept."""
    try:
        index = json.loads(gzip.decompress((kept / _INDEX).read_bytes()))
        chosen = index.get(name) or index[name.partition("_")[0]]
        for kind, ranges in chosen.items():
            content = gzip.decompress((kept / f"{kind}.csv.gz").read_bytes()).decode()
            heads, *lines = _parsed(content)
            own = chain.from_iterable(lines[start:end] for start, end in ranges)
            (folder / f"{kind}.csv").write_text(_text([heads, *own]), encoding="utf-8")
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise InputError(
            subject=f"kept rows {kept}",
            found=str(error),
            expected=f"the files that a snapshot keeps of {name}",
            mend="take them anew from the repository, or make the snapshot again",
        ) from error


def _ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Numbers as ranges [first, behind the last], in their order."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number:
            ranges[-1][1] += 1
        else:
            ranges.append([number, number + 1])
    return ranges


def _read(path: Path) -> list[_Line]:
    return _parsed(path.read_text(encoding="utf-8"))


def _parsed(content: str) -> list[_Line]:
    return [tuple(line) for line in csv.reader(io.StringIO(content, newline=""))]


def _text(lines: Iterable[Sequence[Any]]) -> str:
    """CSV in the dialect of the row files."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    return buffer.getvalue()


def _write_compressed(path: Path, text: str) -> None:
    with write_atomically(path) as temporary:
        temporary.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
