"""A journal keeps every finished instance, whatever kills the process that writes it."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from advmip.durability.journal import Journal, entries_of
from advmip.errors import InputError

IDENTITY = {"code": "abc", "epsilon": 0.1, "shape": (1, 8, 8)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journals" / "journal.jsonl"


def test_results_are_found_again_by_the_next_process(path):
    with Journal(path, IDENTITY) as journal:
        assert "image 0" not in journal
        assert journal.get("image 0") is None
        journal.record("image 0", {"distance": 0.25, "status": "optimal"})
        journal.record("image 1", [1, None, "ü"])
        assert journal.get("image 0")["distance"] == 0.25
    with Journal(path, IDENTITY) as journal:
        assert "image 0" in journal
        assert journal.get("image 0") == {"distance": 0.25, "status": "optimal"}
        assert journal.get("image 1") == [1, None, "ü"]
        assert len(journal) == 2


def test_the_last_result_of_a_key_counts(path):
    with Journal(path, IDENTITY) as journal:
        journal.record("image 0", 1)
        journal.record("image 0", 2)
        assert journal.get("image 0") == 2
    with Journal(path, IDENTITY) as journal:
        assert journal.get("image 0") == 2


def test_numpy_scalars_become_numbers_and_arrays_are_refused(path):
    with Journal(path, IDENTITY) as journal:
        journal.record("scalar", {"distance": np.float32(0.5), "count": np.int64(3)})
        assert journal.get("scalar") == {"distance": 0.5, "count": 3}
        with pytest.raises(TypeError, match="ndarray"):
            journal.record("array", np.zeros(3))
        assert "array" not in journal
    with Journal(path, IDENTITY) as journal:
        assert len(journal) == 1


def test_lines_of_another_identity_are_kept_but_not_seen(path):
    with Journal(path, IDENTITY) as journal:
        journal.record("image 0", "ours")
    with Journal(path, {**IDENTITY, "code": "changed"}) as journal:
        assert "image 0" not in journal
        journal.record("image 0", "theirs")
    with Journal(path, IDENTITY) as journal:
        assert journal.get("image 0") == "ours"
    assert len(path.read_text().splitlines()) == 2


def test_results_of_any_code_are_seen_if_asked_for_and_our_own_count_first(path):
    with Journal(path, IDENTITY) as journal:
        journal.record("image 0", "ours")
        journal.record("image 1", "ours")
    with Journal(path, {**IDENTITY, "code": "changed"}, "any-code") as journal:
        assert journal.get("image 0") == "ours"
        journal.record("image 1", "theirs")
        journal.record("image 2", "theirs")
    with Journal(path, IDENTITY, "any-code") as journal:
        assert [journal.get(f"image {number}") for number in range(3)] == ["ours", "ours", "theirs"]
    with Journal(path, IDENTITY) as journal:
        assert len(journal) == 2
    with Journal(path, {**IDENTITY, "epsilon": 0.2}, "any-code") as journal:
        assert len(journal) == 0


def test_cut_off_at_any_byte_only_the_unfinished_line_is_lost(path):
    with Journal(path, IDENTITY) as journal:
        journal.record("image 0", {"distance": 0.25})
        first = path.stat().st_size
        journal.record("image 1", {"distance": 0.5})
    content = path.read_bytes()
    for end in range(first, len(content) + 1):
        path.write_bytes(content[:end])
        with Journal(path, IDENTITY) as journal:
            assert journal.get("image 0") == {"distance": 0.25}
            # The line is whole without its end-of-line byte.
            assert ("image 1" in journal) == (end >= len(content) - 1)
            journal.record("image 1", {"distance": 0.5})
        lines = [json.loads(line)["key"] for line in path.read_text().splitlines()]
        assert lines in (["image 0", "image 1"], ["image 0", "image 1", "image 1"])


def test_bytes_that_a_crashed_disk_left_are_dropped(path):
    with Journal(path, IDENTITY) as journal:
        journal.record("image 0", 1)
    with path.open("ab") as file:
        file.write(b"\0" * 100)
    with Journal(path, IDENTITY) as journal:
        assert len(journal) == 1
    assert b"\0" not in path.read_bytes()


def test_a_damaged_line_in_the_midst_is_named(path):
    with Journal(path, IDENTITY) as journal:
        journal.record("image 0", 1)
    with path.open("a") as file:
        file.write('{"key": "image 1"}\n')
    with pytest.raises(InputError, match="line 2"):
        Journal(path, IDENTITY)
    path.write_text(path.read_text().splitlines()[0] + "\n")
    with Journal(path, IDENTITY) as journal:
        assert len(journal) == 1


def test_one_process_at_a_time(path):
    with (
        Journal(path, IDENTITY) as journal,
        pytest.raises(InputError, match="in use by another process"),
    ):
        Journal(path, IDENTITY)
    with Journal(path, IDENTITY) as journal:
        assert len(journal) == 0


def test_a_full_disk_leaves_no_half_line(path, monkeypatch):
    with Journal(path, IDENTITY) as journal:
        journal.record("image 0", 1)

        def full(descriptor):
            raise OSError("no space left")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space left"):
            journal.record("image 1", 2)
        monkeypatch.undo()
        assert "image 1" not in journal
        journal.record("image 2", 3)
    with Journal(path, IDENTITY) as journal:
        assert ("image 0" in journal, "image 1" in journal, "image 2" in journal) == (
            True,
            False,
            True,
        )


WRITER = """
import sys
from advmip.durability.journal import Journal, entries_of
with Journal(sys.argv[1], {"code": "abc"}) as journal:
    for number in range(10**9):
        journal.record(f"image {number}", {"padding": "x" * 5000})
        print(number, flush=True)
"""


def test_a_killed_process_loses_nothing_that_was_recorded(path):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    seen = [process.stdout.readline() for _ in range(20)]
    with pytest.raises(InputError, match="in use"):
        Journal(path, {"code": "abc"})
    process.send_signal(signal.SIGKILL)
    seen += process.stdout.read().splitlines()
    process.wait()
    with Journal(path, {"code": "abc"}) as journal:
        assert len(seen) <= len(journal) <= len(seen) + 1
        assert all(f"image {number}" in journal for number in range(len(seen)))


def test_entries_are_read_under_any_identity_while_the_journal_is_open(tmp_path):
    path = tmp_path / "journal.jsonl"
    assert list(entries_of(path)) == []
    for code in ("old", "new"):
        with Journal(path, {"code": code}) as journal:
            journal.record("a", code)
    with path.open("ab") as file:
        file.write(b'{"key": "torn')
    with Journal(path, {"code": "new"}):
        assert [entry["result"] for entry in entries_of(path)] == ["old", "new"]


def test_what_another_journal_holds_is_found_and_stays_there(path):
    other = path.with_name("other.jsonl")
    with Journal(other, IDENTITY) as journal:
        journal.record('image "0"', "there")
        journal.record("image 1", "not asked for")
    with Journal(other, {**IDENTITY, "epsilon": 0.2}) as journal:
        journal.record("image 2", "of another identity")
    asked = {'image "0"', "image 2", "image 3"}
    with Journal(path, IDENTITY) as journal:
        journal.find(asked, [other, path.with_name("missing.jsonl")])
        assert len(journal) == 1
        assert journal.get('image "0"') == "there"
    assert path.read_text() == ""


def test_of_other_code_the_journal_beside_counts_only_if_it_may(path):
    other = path.with_name("other.jsonl")
    for code in ("abc", "changed"):
        with Journal(other, {**IDENTITY, "code": code}) as journal:
            journal.record("image 0", code)
    for reuse, code, found in (
        ("same-code", "third", None),
        ("any-code", "third", "changed"),
        ("any-code", "abc", "abc"),
    ):
        with Journal(path, {**IDENTITY, "code": code}, reuse) as journal:
            journal.find({"image 0"}, [other])
            assert journal.get("image 0") == found
