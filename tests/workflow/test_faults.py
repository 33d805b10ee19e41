"""What machines do to a run: it says so in a line, and the next one makes good what is missing."""

import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import time

import pytest

from .demo_slice import JOURNAL, NETWORK, RESULTS, ROWS, Slice

HOUR = 3600.0
SEED = 0

random_faults = pytest.mark.random_faults


@pytest.fixture
def rounds(request):
    return request.config.getoption("--rounds")


@pytest.fixture
def finished(demo_slice, tmp_path):
    """A copy of a run that has ended."""
    shutil.copytree(demo_slice.folder, tmp_path / "copy", symlinks=True)
    return Slice(tmp_path / "copy", copied=True)


def halfway(whole, folder, environment=None):
    """A copy of a run that has its network, half of its journal and nothing made from that."""
    shutil.copytree(whole.folder, folder, symlinks=True, dirs_exist_ok=True)
    for name in ("shards", "rows", "figures"):
        shutil.rmtree(folder / RESULTS / name)
    half = whole.lines[: len(whole.lines) // 2]
    (folder / JOURNAL).write_bytes(b"".join(half))
    return Slice(folder, environment, copied=True)


@contextlib.contextmanager
def mounted(folder, *options):
    """Something mounted on a folder; where that is not allowed, the test is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *options, folder], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def kill(run):
    """Kill a run with its jobs, if it has not ended."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGKILL)
    run.wait()


def put_into_the_future(folder):
    """As if the clock had been set back after all of it was made."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + int(HOUR * 1e9)))


def cut(file, end):
    file.write_bytes(file.read_bytes()[:end])


def test_what_was_damaged_is_made_again_and_nothing_else(finished, demo_slice):
    network = (finished.folder / NETWORK).stat().st_ino
    whole = finished.lines
    for name in ("rows", "figures"):  # as if killed before these
        shutil.rmtree(finished.folder / RESULTS / name)
    cut(finished.folder / ROWS, 2000)  # in the midst of a row
    cut(finished.folder / JOURNAL, -20)  # its last line
    put_into_the_future(finished.folder / RESULTS)
    finished.finished()
    assert f"Removed: {ROWS}" in finished.printed
    finished.check(demo_slice, whole[:-1])
    assert (finished.folder / NETWORK).stat().st_ino == network
    assert max(path.stat().st_mtime for path in finished.folder.rglob("*.csv")) <= time.time()


def test_a_folder_that_cannot_be_written_is_refused_in_a_line(tmp_path):
    refused = Slice(tmp_path / "refused")
    with mounted(refused.folder / RESULTS, "-t", "tmpfs", "-o", "ro", "tmpfs"):
        assert refused.begun().wait() == 1
    (line,) = [line for line in refused.printed.splitlines() if "cannot be written" in line]
    assert "Read-only file system" in line


@random_faults
def test_outputs_cut_short_at_random(finished, demo_slice, rounds):
    chance = random.Random(SEED)
    outputs = [NETWORK, ROWS, f"{RESULTS}/datasets/digits.json"]
    for _ in range(rounds):
        file, before = finished.folder / chance.choice(outputs), finished.lines
        for name in ("rows", "figures"):
            shutil.rmtree(finished.folder / RESULTS / name)
        cut(file, chance.randrange(file.stat().st_size))
        finished.finished()
        finished.check(demo_slice, before)


@random_faults
def test_a_disk_that_is_full_at_random(demo_slice, tmp_path, rounds):
    chance = random.Random(SEED)
    for number in range(rounds):
        with mounted(tmp_path / str(number), "-t", "tmpfs", "-o", "size=4m", "tmpfs") as folder:
            disturbed = Slice(folder)
            filler = folder / "filler"
            free = shutil.disk_usage(folder).free
            filler.write_bytes(bytes(max(free - chance.randrange(20_000, 450_000), 0)))
            assert disturbed.begun().wait() == 1
            filler.unlink()
            disturbed.goes_on(demo_slice)


@random_faults
def test_memory_that_runs_out_at_random(demo_slice, tmp_path, rounds):
    chance = random.Random(SEED)
    disturbed = halfway(demo_slice, tmp_path / "disturbed")
    for _ in range(rounds):
        limit = int(chance.uniform(0.3, 3.0) * 2**30)
        before = disturbed.lines
        run = disturbed.begun(
            before=lambda limit=limit: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        )
        run.wait()
        assert disturbed.lines[: len(before)] == before
    disturbed.goes_on(demo_slice)


@random_faults
def test_a_clock_set_back_between_runs_killed_at_random(demo_slice, tmp_path, rounds):
    chance = random.Random(SEED)
    disturbed = halfway(demo_slice, tmp_path / "disturbed")
    for _ in range(rounds):
        run = disturbed.begun()
        time.sleep(chance.uniform(0.05, 0.35) * demo_slice.seconds)
        kill(run)
        put_into_the_future(disturbed.folder / RESULTS)
    disturbed.goes_on(demo_slice)


WITHOUT_LOCKS = """
import errno, fcntl, os
honest = fcntl.flock
def flock(descriptor, operation):
    name = os.readlink(f"/proc/self/fd/{descriptor}")
    if "/results/" in name:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
    return honest(descriptor, operation)
fcntl.flock = flock
"""


@random_faults
def test_kills_on_a_file_system_without_locks(demo_slice, tmp_path, rounds):
    chance = random.Random(SEED)
    (tmp_path / "patch").mkdir()
    (tmp_path / "patch" / "sitecustomize.py").write_text(WITHOUT_LOCKS)
    patched = {"PYTHONPATH": str(tmp_path / "patch")}
    disturbed = halfway(demo_slice, tmp_path / "disturbed", patched)
    for _ in range(rounds):
        run = disturbed.begun()
        time.sleep(chance.uniform(0.05, 0.35) * demo_slice.seconds)
        second = subprocess.run(run.args, cwd=disturbed.folder, env=disturbed.environment)
        assert second.returncode == 1 or run.poll() is not None
        kill(run)
    disturbed.goes_on(demo_slice)
    assert "file system without locks" in disturbed.printed
