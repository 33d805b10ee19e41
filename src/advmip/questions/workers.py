"""Items shared out over processes: one that is killed loses the item it was at, and no other."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar, cast

from advmip.durability.running import follow_parent

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_Argument = TypeVar("_Argument")


@dataclass(frozen=True)
class Lost:
    """An item whose process ended before it had a result.

    Attributes:
        status: The process's exit status; minus the signal that ended it.
    """

    status: int | None

    def __str__(self) -> str:
        if self.status is not None and self.status < 0:
            return f"its process was ended by {signal.Signals(-self.status).name}"
        return f"its process ended with status {self.status}"


def shared_out(
    items: Sequence[_Item],
    jobs: int,
    prepare: Callable[[_Argument], Callable[[_Item], _Result]],
    argument: _Argument,
) -> Iterator[tuple[int, _Result | Lost]]:
    """The results of items by their place, as they come.

    Args:
        items: The items.
        jobs: How many processes work on them.
        prepare: Called once in each process; it gives what works on an item. An error that it or
            that raises ends its process.
        argument: What `prepare` is called with.
    """
    # Forked, a process would share locks with threads of torch that it does not have.
    context = multiprocessing.get_context("spawn")
    waiting = deque(range(len(items)))
    working: dict[Connection, tuple[BaseProcess, int]] = {}
    try:
        while waiting or working:
            while waiting and len(working) < jobs:
                ours, theirs = context.Pipe()
                process: BaseProcess = context.Process(
                    target=_work, args=(theirs, prepare, argument)
                )
                process.start()
                theirs.close()
                working[ours] = process, waiting.popleft()
                _send(ours, items[working[ours][1]])
            for pipe in cast(list[Connection], wait(list(working))):
                at_work, place = working.pop(pipe)
                try:
                    result: _Result | Lost = pipe.recv()
                except (EOFError, ConnectionError):
                    at_work.join()
                    result = Lost(at_work.exitcode)
                    pipe.close()
                else:
                    if waiting:
                        working[pipe] = at_work, waiting.popleft()
                        _send(pipe, items[working[pipe][1]])
                    else:
                        pipe.close()
                yield place, result
    finally:
        for left, _ in working.values():
            left.kill()


def _send(pipe: Connection, item: object) -> None:
    """Send an item; of a process that is gone, the missing answer will tell."""
    with suppress(ConnectionError):
        pipe.send(item)


def _work(pipe: Connection, prepare: Callable[[Any], Callable[[Any], Any]], argument: Any) -> None:
    """Work on items until there are no more, or until the process that sends them is gone."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    follow_parent()
    do = prepare(argument)
    with suppress(EOFError):
        while True:
            pipe.send(do(pipe.recv()))
