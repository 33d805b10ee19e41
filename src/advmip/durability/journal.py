"""The record of finished instances: what lets a killed run go on where it was.

One JSON object a line, with a `key`, the `identity` of what it was computed from, and the
`result`. A line is on disk before `record` returns. A process killed while it writes leaves a
torn last line, which the next one removes: that instance was not finished.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from advmip.closing import Closing
from advmip.durability.locking import Lock
from advmip.durability.storage import explained
from advmip.errors import InputError
from advmip.reuse import Reuse

# Where a line has its key.
_KEY = re.compile(rb'"key": ("(?:[^"\\]|\\.)*"), "result": ')


class Journal(Closing):
    """An append-only file of results by key, for one process at a time.

    Lines recorded under another identity (other code, network, data or settings) stay in the
    file and are not seen, so that going back to what they belong to finds them again.

    Args:
        path: The file; it and its folder are created.
        identity: What every result depends on: digests and settings that JSON can hold. What stands
            under "code" is the digest of the code.
        reuse: Whether results of other code are seen too; where there are several of a key, the
            one of the same code counts.

    Raises:
        InputError: Another process has the journal open, a line in its midst is damaged, or the
            file cannot be written.
    """

    def __init__(
        self, path: Path | str, identity: Mapping[str, Any], reuse: Reuse = "same-code"
    ) -> None:
        self.path = Path(path)
        self._reuse = reuse
        # Tuples become lists and so on, as they will be when read back.
        self._identity = json.loads(_encode(dict(identity)))
        with explained(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a+b", buffering=0)
        self._lock = Lock(self.path)
        try:
            if not self._lock.taken():
                raise InputError(
                    subject=f"journal {self.path}",
                    found="in use by another process",
                    expected="one process at a time",
                    mend="wait for the other run, or stop it",
                )
            self._results = self._read()
        except BaseException:
            self.close()
            raise

    def __contains__(self, key: str) -> bool:
        return key in self._results

    def __len__(self) -> int:
        return len(self._results)

    def get(self, key: str) -> Any:
        """The result recorded under a key, or None. The last one, if there are several."""
        return self._results.get(key)

    def find(self, keys: Collection[str], others: Iterable[Path]) -> None:
        """See what other journals hold under some keys and this identity; it stays where it is.

        Args:
            keys: The keys, of which the journal itself holds nothing.
            others: The journals' files, to which other processes may write.
        """
        found = [entry for path in others for entry in entries_of(path, keys)]
        self._results |= self._seen(found)

    def record(self, key: str, result: Any) -> None:
        """Append a result and wait until it is on disk.

        Args:
            key: The instance's name, unique under the identity.
            result: Anything JSON can hold; NumPy scalars become numbers.

        Raises:
            InputError: There is no room on the disk, or the like; what was recorded before stays.
        """
        line = _encode({"key": key, "identity": self._identity, "result": result})
        start = self._file.seek(0, os.SEEK_END)
        try:
            self._write(line.encode() + b"\n")
        except BaseException:
            # A full disk must not leave half a line in front of the next one.
            self._file.truncate(start)
            raise
        self._results[key] = json.loads(line)["result"]

    def close(self) -> None:
        """Release the file for other processes."""
        self._file.close()
        self._lock.close()

    def _write(self, line: bytes) -> None:
        rest = memoryview(line)
        with explained(self.path):
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())

    def _read(self) -> dict[str, Any]:
        self._file.seek(0)
        content = self._file.read()
        end = content.rfind(b"\n") + 1
        entries = [
            self._entry(number, line)
            for number, line in enumerate(content[:end].split(b"\n")[:-1], 1)
        ]
        if content[end:]:
            last = _decode(content[end:])
            if last is None:
                self._file.truncate(end)
            else:
                # Killed between the record and its line's end: the record itself is whole.
                self._write(b"\n")
                entries.append(last)
        return self._seen(entries)

    def _seen(self, entries: Iterable[dict[str, Any]]) -> dict[str, Any]:
        """The results of those entries that count, by their keys."""
        seen = [entry for entry in entries if self._is_seen(entry["identity"])]
        # Those of the same code last, so that they count.
        seen.sort(key=lambda entry: bool(entry["identity"] == self._identity))
        return {entry["key"]: entry["result"] for entry in seen}

    def _is_seen(self, identity: dict[str, Any]) -> bool:
        if self._reuse == "any-code" and "code" in identity:
            identity = identity | {"code": self._identity.get("code")}
        return bool(identity == self._identity)

    def _entry(self, number: int, line: bytes) -> dict[str, Any]:
        entry = _decode(line)
        if entry is None:
            raise InputError(
                subject=f"journal {self.path}, line {number}",
                found="no record of a result",
                expected="a JSON object with key, identity and result",
                mend=f"delete line {number}; its instance is then computed again",
            )
        return entry


def entries_of(path: Path, keys: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
    """What a journal holds under whatever identity, while another process may write to it.

    Args:
        path: The file; none holds nothing.
        keys: Of which keys; of all if left out.

    Yields:
        The whole lines: `key`, `identity` and `result`. One torn by a kill is left out.
    """
    if path.is_file():
        with path.open("rb") as file:
            for line in file:
                if keys is not None and _key_of(line) not in keys:
                    continue
                entry = _decode(line)
                if entry is not None:
                    yield entry


def _key_of(line: bytes) -> str | None:
    """The key of a line, which need not be decoded for it."""
    found = _KEY.search(line)
    return None if found is None else json.loads(found[1])


def _encode(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=_plain)


def _plain(value: object) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a journal holds only what JSON can hold, not {type(value).__name__}")


def _decode(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    whole = isinstance(entry, dict) and {"key", "identity", "result"} <= entry.keys()
    return entry if whole else None
