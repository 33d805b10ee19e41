"""Instances solved one after the other, each result recorded before the next begins."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from advmip.durability.journal import Journal
from advmip.provenance import code_digest
from advmip.reuse import Reuse
from advmip.settings import Settings

_log = logging.getLogger(__name__)


class _Named(Protocol):
    def _asdict(self) -> dict[str, Any]: ...


_Instance = TypeVar("_Instance")


def identity_of(settings: Settings, code: Iterable[str], **others: Any) -> dict[str, Any]:
    """What results of a solver depend on, as a `Journal` asks: code, seed, threads, and others.

    Args:
        settings: All settings.
        code: Parts of the library, as in `code_digest`.
        others: What else: digests, and settings that JSON can hold.
    """
    common = {"seed": settings["seed"], "threads": settings["threads"]}
    return {"code": code_digest(*code), **common, **others}


def key_of(instance: _Named) -> str:
    """An instance's name in a journal: what its fields say, as far as they say anything."""
    fields = instance._asdict().items()
    return " ".join(f"{name}={value}" for name, value in fields if value is not None)


def solved(
    journal: Path,
    identity: Mapping[str, Any],
    reuse: Reuse,
    instances: Sequence[_Instance],
    key: Callable[[_Instance], str],
    solve: Callable[[_Instance], Any],
    *,
    warm_up: bool = False,
) -> list[Any]:
    """The results of instances; those that a journal holds already are not computed again.

    Each goes into the journal as soon as it is there: a process that is killed goes on behind the
    last one. What is not in it is looked for in the journals beside it: at another scale, or with
    another share of it, instances are divided among jobs in another way.

    Args:
        journal: The journal's file.
        identity: What the results depend on, as in `Journal`.
        reuse: Whether results of other code are used again, as in `Journal`.
        instances: The instances.
        key: An instance's name, unique among them.
        solve: Solves an instance; its result is what JSON can hold.
        warm_up: Solve the first open instance once before, unrecorded: the first call of
            anything pays for its loading, which counts where a result takes milliseconds.
    """
    with Journal(journal, identity, reuse) as finished:
        missing = {key(each) for each in instances if key(each) not in finished}
        if missing:
            beside = sorted(journal.parent.glob(f"*{journal.suffix}"))
            finished.find(missing, [each for each in beside if each != journal])
        open_instances = [each for each in instances if key(each) not in finished]
        if warm_up and open_instances:
            solve(open_instances[0])
        begun = time.perf_counter()
        for number, instance in enumerate(open_instances):
            spent = time.perf_counter() - begun
            rest = spent / max(number, 1) * (len(open_instances) - number)
            left = f", about {rest:.0f} s left" if number else ""
            _log.info("run %d of %d: %s%s", number + 1, len(open_instances), key(instance), left)
            finished.record(key(instance), solve(instance))
        return [finished.get(key(instance)) for instance in instances]
