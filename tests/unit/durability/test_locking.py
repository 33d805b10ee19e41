"""Locks go with the process that holds them, also where the file system has none."""

import errno
import fcntl
import os
import subprocess
import sys

import pytest

from advmip.durability.journal import Journal
from advmip.durability.locking import Lock
from advmip.durability.running import VARIABLE, begin_run, run_at_work
from advmip.errors import InputError

HOLDER = """
import sys, time
from pathlib import Path
from advmip.durability.locking import Lock
with Lock(Path(sys.argv[1])) as lock:
    print(lock.taken(), flush=True)
    time.sleep(600)
"""


@pytest.fixture(params=[None, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def folder(request, tmp_path, monkeypatch):
    """A folder, on a file system with locks, or on one that answers with an error of its own."""
    honest = fcntl.flock
    place = tmp_path / "results"
    place.mkdir()
    there = place.stat().st_ino

    def flock(descriptor, operation):
        inside = {file.stat().st_ino for file in place.rglob("*")} | {there}
        if request.param is not None and os.fstat(descriptor).st_ino in inside:
            raise OSError(request.param, os.strerror(request.param))
        honest(descriptor, operation)

    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(fcntl, "flock", flock)
    return place


def test_one_at_a_time_or_several_that_share(folder):
    file = folder / "file"
    file.touch()
    with Lock(file) as first, Lock(file) as second, Lock(file) as third:
        assert first.taken(shared=True)
        assert second.taken(shared=True)
        assert not third.taken()
        first.let_go()
        second.let_go()
        assert third.taken()
        assert not first.taken(shared=True)
    with Lock(file) as lock:
        assert lock.taken()


def test_a_journal_is_for_one_process_and_loses_nothing(folder):
    path = folder / "journal.jsonl"
    with Journal(path, {}) as journal:
        journal.record("image 0", 1)
        with pytest.raises(InputError, match="in use"):
            Journal(path, {})
    with Journal(path, {}) as journal:
        assert journal.get("image 0") == 1


def test_a_run_is_found_and_a_second_refused(folder, monkeypatch):
    held = []
    monkeypatch.setattr("advmip.durability.running._held", held)
    monkeypatch.setenv(VARIABLE, "")
    begin_run(folder)
    with pytest.raises(InputError, match="another run"):
        begin_run(folder)
    assert run_at_work(folder) is not None
    held.pop().close()
    assert run_at_work(folder) is None


def test_a_killed_process_holds_nothing(tmp_path):
    file = tmp_path / "file"
    file.touch()
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, file], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"True\n"
    with Lock(file) as lock:
        assert not lock.taken()
        holder.kill()
        holder.wait()
        assert lock.taken()
