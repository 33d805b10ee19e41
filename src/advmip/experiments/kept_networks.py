"""Networks as a snapshot keeps them: what was trained or bounded once counts elsewhere too.

Rows are bound to the weights of their network, and to its bounds where these are computed once;
made again on another machine, both come out a little otherwise. With them goes what Snakemake
would make them again for: the manifests of their data sets.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from advmip.durability.storage import write_atomically, write_text
from advmip.durability.written_sizes import note_sizes
from advmip.experiments.archives import SUFFIX, read_archive, write_archive

_ARCHIVE = f"networks{SUFFIX}"
_NETWORK, _BOUNDS, _ROWS = ".safetensors", "bounds.npz", "bounds.csv"
# Names the networks that were put in place, of whose making Snakemake knows nothing.
_RESTORED = ".restored"
# Below the folder of results. Published networks, ONNX files, are copied again instead.
_KEPT = ("datasets/*.json", f"networks/**/*{_NETWORK}", "shards/zhu/bounds/*/bounds.*")


@dataclass(frozen=True)
class Restored:
    """What became of the networks of a snapshot, and of what goes with them.

    Attributes:
        added: How many networks were put in place.
        others: Networks and bounds that are not the kept ones, below the folder of results: they
            were there already.
    """

    added: int
    others: tuple[str, ...]


def keep_networks(results_dir: Path, snapshot: Path) -> None:
    """Keep a scale's networks, their bounds and the manifests of their data sets as one archive.

    What an earlier snapshot has and these results have not stays in it.

    Args:
        results_dir: The scale's results.
        snapshot: The snapshot's folder.
    """
    files = _files(snapshot / _ARCHIVE)
    for pattern in _KEPT:
        for path in results_dir.glob(pattern):
            files[path.relative_to(results_dir).as_posix()] = path.read_bytes()
    if files:
        write_archive(snapshot / _ARCHIVE, sorted(files.items()))


def restore_networks(snapshot: Path, results_dir: Path) -> Restored:
    """Put kept networks where a run finds them finished; what stands there already stays.

    All that is put in place is equally old, so that nothing is older than what it was made from.

    Args:
        snapshot: The snapshot's folder; without an archive of networks nothing is done.
        results_dir: The scale's results, in which no run may be at work.

    Raises:
        InputError: The archive is damaged; nothing is changed then.
    """
    files = _files(snapshot / _ARCHIVE)
    others = tuple(name for name in files if _is_another(results_dir / name, files[name]))
    counting = {_digest(files[name]) for name in files if _is_network(name) and name not in others}
    added = []
    note_sizes(results_dir)
    for name in files:
        if not (results_dir / name).exists() and _belongs(name, files, results_dir, counting):
            added.append(results_dir / name)
            with write_atomically(added[-1]) as temporary:
                temporary.write_bytes(files[name])
    if added:
        made = added[-1].stat().st_mtime_ns
        for path in added:
            os.utime(path, ns=(made, made))
    names = {path.relative_to(results_dir).as_posix() for path in added if _is_network(path.name)}
    if names:
        note_restored(results_dir, restored_networks(results_dir) | names)
    return Restored(len(names), others)


def restored_networks(results_dir: Path) -> set[str]:
    """The networks that were put in place and stay so, below the folder of results."""
    file = results_dir / _RESTORED
    return set(file.read_text(encoding="utf-8").splitlines()) if file.is_file() else set()


def note_restored(results_dir: Path, names: set[str]) -> None:
    """Note which networks were put in place."""
    write_text(results_dir / _RESTORED, "".join(f"{name}\n" for name in sorted(names)))


def _files(archive: Path) -> dict[str, bytes]:
    """The files of an archive by name; none where there is no archive."""
    return dict(read_archive(archive, "kept networks")) if archive.is_file() else {}


def _belongs(name: str, files: Mapping[str, bytes], results_dir: Path, counting: set[str]) -> bool:
    """Whether a file may be put in place: bounds are of a network, and come with their rows."""
    place = PurePosixPath(name)
    if place.name not in (_BOUNDS, _ROWS):
        return True
    bounds, rows = str(place.with_name(_BOUNDS)), str(place.with_name(_ROWS))
    if not {bounds, rows} <= files.keys() or _is_another(results_dir / bounds, files[bounds]):
        return False
    columns = csv.DictReader(files[rows].decode().splitlines())
    return all(
        any(digest.startswith(row["network_digest"]) for digest in counting) for row in columns
    )


def _is_another(path: Path, kept: bytes) -> bool:
    """Whether another network, or other bounds, stand in a kept one's place."""
    if not path.is_file():
        return False
    if _is_network(path.name):
        return _digest(path.read_bytes()) != _digest(kept)
    return path.name == _BOUNDS and path.read_bytes() != kept


def _is_network(name: str) -> bool:
    return name.endswith(_NETWORK)


def header_of(network: bytes) -> dict[str, str]:
    """What the header of a network's file says, whose length is in front of it; {} if cut short."""
    length = int.from_bytes(network[:8], "little")
    try:
        return dict(json.loads(network[8 : 8 + length])["__metadata__"])
    except (ValueError, KeyError):
        return {}


def _digest(network: bytes) -> str:
    """The digest of weights in a network's file."""
    return header_of(network).get("digest", "cut short")
