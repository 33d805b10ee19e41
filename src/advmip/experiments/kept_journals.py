"""Journals as a snapshot keeps them: an archive of each source, to go on from on another machine.

Of instances that were done several times under different code the last counts. Attacked images are
most of a journal; only those are kept that other jobs start from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from advmip.durability.storage import write_atomically
from advmip.errors import InputError
from advmip.experiments.archives import SUFFIX, read_archive, write_archive
from advmip.experiments.zhu.instances import TEST_EXAMPLES, TRAINING_EXAMPLES

# Experiments whose attacked images other jobs read: to train on, to test with, to show.
_IMAGES_READ = (TRAINING_EXAMPLES, TEST_EXAMPLES, "gallery")
_IMAGE = "adversarial"


def keep_journals(results_dir: Path, source: str, folder: Path) -> list[Path]:
    """Keep the journals of a source as one archive; the bytes follow from the lines alone.

    Args:
        results_dir: The scale's results, with `journals/`.
        source: The source's short name.
        folder: Where archives are kept.

    Returns:
        The archive, in a list; none if the source has no journals.
    """
    top = results_dir / "journals"
    files = sorted((top / source).rglob("*.jsonl"))
    if not files:
        return []
    archive = folder / f"{source}{SUFFIX}"
    write_archive(
        archive,
        (
            (
                file.relative_to(top).as_posix(),
                "".join(f"{line}\n" for line in _kept_lines(file)).encode(),
            )
            for file in files
        ),
    )
    return [archive]


def restore_journals(kept: Path, results_dir: Path) -> dict[str, int]:
    """Put kept journals where a run looks for them; what stands there already stays and counts.

    Args:
        kept: The folder of archives, or one of them.
        results_dir: The scale's results, in which no run may be at work.

    Returns:
        How many lines were added, by source.

    Raises:
        InputError: There is no archive, or one is damaged; nothing is changed then.
    """
    archives = sorted(kept.glob(f"*{SUFFIX}")) if kept.is_dir() else [kept]
    if not archives:
        raise InputError(
            subject=f"kept journals {kept}",
            found=f"no file ending in {SUFFIX}",
            expected="what `advmip snapshot` keeps of a scale's journals",
            mend="name the folder of another snapshot, such as results/reference/mnist",
        )
    found = {archive: dict(_journals(archive)) for archive in archives}
    added = {}
    for archive, journals in found.items():
        count = 0
        for name, lines in journals.items():
            path = results_dir / "journals" / name
            present = path.read_bytes() if path.is_file() else b""
            whole = present[: present.rfind(b"\n") + 1]
            known = set(whole.decode().splitlines())
            new = [line for line in lines if line not in known]
            if new:
                # In front, so that what this machine has done itself counts.
                with write_atomically(path) as temporary:
                    temporary.write_bytes("".join(f"{line}\n" for line in new).encode() + present)
            count += len(new)
        added[archive.name.removesuffix(SUFFIX)] = count
    return added


def _journals(archive: Path) -> Iterator[tuple[str, list[str]]]:
    """The journals of an archive, by their paths below `journals/`."""
    for name, content in read_archive(archive, "kept journals"):
        yield name, content.decode().splitlines()


def _kept_lines(journal: Path) -> list[str]:
    """The last line of each instance under each network, data and settings, in their order."""
    last: dict[tuple[str, str], str] = {}
    for line in journal.read_text(encoding="utf-8").splitlines(keepends=True):
        if not line.endswith("\n"):
            continue  # torn by a kill
        entry = json.loads(line)
        depends = {name: value for name, value in entry["identity"].items() if name != "code"}
        place = entry["key"], json.dumps(depends, sort_keys=True)
        last.pop(place, None)
        last[place] = json.dumps(_without_image(entry), sort_keys=True)
    return list(last.values())


def _without_image(entry: dict[str, Any]) -> dict[str, Any]:
    """A line whose attacked image, if nobody reads it, is empty, as one that was not found."""
    result = entry["result"]
    if not isinstance(result, dict) or _IMAGE not in result:
        return entry
    if result["common"]["experiment"] in _IMAGES_READ:
        return entry
    return entry | {"result": result | {_IMAGE: [None] * len(result[_IMAGE])}}
