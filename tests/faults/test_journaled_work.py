"""Work that goes through a journal, stopped in every way: all of it is done, once, and no other.

The work is a stand-in for attacks: a hundred instances that take no time, then rows, arrays and a
text. What stops it is real: signals, disks that are full, limits of memory.
"""

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest

SEED, INSTANCES = 0, 100

WORK = """
import sys
from pathlib import Path
import numpy as np
from advmip.experiments.rows import write_rows
from advmip.experiments.solving import solved
from advmip.durability.storage import write_arrays, write_text
from advmip.errors import InputError

folder = Path(sys.argv[1])

def solve(number):
    padding = "x" * (number * number % 977)
    return {"number": number, "value": number * number, "outcome": padding}

print("begun", flush=True)
try:
    journal = folder / "journals" / "journal.jsonl"
    rows = solved(journal, {"code": "a"}, "same-code", range(int(sys.argv[2])), str, solve)
    write_rows("nodes", rows, folder / "rows" / "nodes.csv")
    values = np.random.default_rng(0).random((len(rows), 50))
    write_arrays(folder / "rows" / "adversarial.npz", values=values)
    write_text(folder / "report.html", "\\n".join(row["outcome"] for row in rows))
except InputError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
"""


@pytest.fixture
def rounds(request):
    return request.config.getoption("--rounds")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The files of work that was left alone, and the seconds it took."""
    folder = tmp_path_factory.mktemp("undisturbed")
    start = time.monotonic()
    assert begun(folder).wait() == 0
    return contents(folder), time.monotonic() - start


def begun(folder, **options):
    """The work, in a process of its own, past its imports."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, folder, str(INSTANCES)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    process.stdout.readline()
    return process


def contents(folder):
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.suffix != ".npz"  # an archive holds the time of its making
    }


def lines(folder):
    journal = folder / "journals" / "journal.jsonl"
    content = journal.read_bytes() if journal.is_file() else b""
    return content[: content.rfind(b"\n") + 1].splitlines()


def check(folder, expected, before):
    """After a run that is left alone everything is there, as it was and once."""
    last = begun(folder)
    assert last.wait() == 0, last.stderr.read()
    assert lines(folder)[: len(before)] == before
    keys = [json.loads(line)["key"] for line in lines(folder)]
    assert sorted(keys) == sorted(map(str, range(INSTANCES)))
    found = {name: content for name, content in contents(folder).items() if name[0] != "."}
    assert found == expected


@contextlib.contextmanager
def small_disk(folder):
    """A disk of a megabyte."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_killed_at_random_instants(undisturbed, tmp_path, rounds):
    expected, seconds = undisturbed
    chance = random.Random(SEED)
    for number in range(rounds):
        folder = tmp_path / str(number)
        work = begun(folder)
        time.sleep(chance.uniform(0.0, seconds))
        work.send_signal(signal.SIGKILL)
        work.wait()
        check(folder, expected, lines(folder))


def test_a_disk_that_is_full_says_so_and_is_gone_on_from(undisturbed, tmp_path, rounds):
    expected, _ = undisturbed
    chance = random.Random(SEED)
    needed = sum(map(len, expected.values())) + 30_000
    for number in range(rounds):
        with small_disk(tmp_path / str(number)) as folder:
            filler = folder / ".filler"
            free = shutil.disk_usage(folder).free
            filler.write_bytes(bytes(free - chance.randrange(needed)))
            work = begun(folder)
            assert work.wait() == 2
            assert "No space left on device" in work.stderr.read()
            filler.unlink()
            before = lines(folder)
            check(folder, expected, before)


def test_a_disk_that_is_read_only_says_so_and_is_gone_on_from(undisturbed, tmp_path, rounds):
    expected, _ = undisturbed
    chance = random.Random(SEED)
    for number in range(rounds):
        with small_disk(tmp_path / str(number)) as folder:
            assert begun(folder).wait() == 0
            journal = folder / "journals" / "journal.jsonl"
            os.truncate(journal, chance.randrange(journal.stat().st_size))
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
            work = begun(folder)
            assert work.wait() == 2
            assert "Read-only file system" in work.stderr.read()
            subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
            check(folder, expected, lines(folder))


def test_a_journal_whose_last_line_is_torn(undisturbed, tmp_path, rounds):
    expected, _ = undisturbed
    chance = random.Random(SEED)
    assert begun(tmp_path).wait() == 0
    journal = tmp_path / "journals" / "journal.jsonl"
    for _ in range(rounds):
        end = chance.randrange(journal.stat().st_size)
        os.truncate(journal, end)
        check(tmp_path, expected, lines(tmp_path))


def test_memory_that_runs_out(undisturbed, tmp_path, rounds):
    expected, _ = undisturbed
    chance = random.Random(SEED)
    for number in range(rounds):
        folder = tmp_path / str(number)
        limit = int(chance.uniform(0.05, 0.6) * 2**30)
        work = begun(
            folder,
            preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        )
        work.communicate()
        check(folder, expected, lines(folder))


def test_two_at_once(undisturbed, tmp_path, rounds):
    expected, seconds = undisturbed
    chance = random.Random(SEED)
    for number in range(rounds):
        folder = tmp_path / str(number)
        first = begun(folder)
        time.sleep(chance.uniform(0.0, 0.2) * seconds)
        second = begun(folder)
        said = second.communicate()[1]
        # Either refused, or begun when the first had ended.
        assert second.returncode == 0 or "in use by another process" in said
        assert first.wait() == 0
        check(folder, expected, lines(folder))
