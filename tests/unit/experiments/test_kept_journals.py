"""Journals in a snapshot: what is finished is finished on another machine too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from advmip.durability.journal import Journal
from advmip.errors import InputError
from advmip.experiments.kept_journals import keep_journals, restore_journals
from advmip.reporting.snapshot import write_unfinished

IDENTITY = {"code": "a", "network": "0" * 64}
PLACES = ("zhu/basic/DNN1-0.jsonl", "zhu/gallery/DNN1-0.jsonl", "tjeng/table2-0.jsonl")


def attack(experiment: str, distance: float) -> dict[str, Any]:
    return {
        "common": {"experiment": experiment},
        "row": {"distance": distance},
        "adversarial": [0.123456789, 0.0, 1.0],
    }


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A scale with a journal of attacks, one of attacks to be shown, and one of verifications."""
    folder = tmp_path / "results" / "demo"
    for place, experiment in zip(PLACES, ("basic", "gallery", None), strict=True):
        with Journal(folder / "journals" / place, IDENTITY) as journal:
            for number in range(3):
                row = {"status": "robust"}
                journal.record(f"image {number}", attack(experiment, number) if experiment else row)
    return folder


def kept(results: Path, folder: Path) -> Path:
    for source in ("kronqvist", "tjeng", "zhu"):
        keep_journals(results, source, folder)
    return folder


def test_restored_instances_are_finished(results: Path, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    added = restore_journals(kept(results, tmp_path / "kept"), elsewhere)
    assert added == {"tjeng": 3, "zhu": 6}
    for place in PLACES:
        with (
            Journal(results / "journals" / place, IDENTITY) as ours,
            Journal(elsewhere / "journals" / place, IDENTITY) as theirs,
        ):
            for key in (f"image {number}" for number in range(3)):
                result = ours.get(key)
                if "basic" in place:
                    result["adversarial"] = [None, None, None]
                assert theirs.get(key) == result


def test_restoring_twice_adds_nothing_and_what_is_there_counts(results: Path, tmp_path: Path):
    folder, elsewhere = kept(results, tmp_path / "kept"), tmp_path / "elsewhere"
    path = elsewhere / "journals" / PLACES[0]
    with Journal(path, IDENTITY) as journal:
        journal.record("image 0", attack("basic", 7.0))
    with path.open("a") as file:
        file.write('{"key": "torn')
    assert restore_journals(folder, elsewhere)["zhu"] == 6
    assert restore_journals(folder, elsewhere) == {"tjeng": 0, "zhu": 0}
    with Journal(path, IDENTITY) as journal:
        assert journal.get("image 0") == attack("basic", 7.0)
        assert len(journal) == 3


def test_journals_of_a_run_that_is_not_finished_are_kept_alone(results: Path, tmp_path: Path):
    target = write_unfinished(results, tmp_path / "reference")
    assert target == tmp_path / "reference" / "demo"
    names = sorted(path.name for path in target.rglob("*") if path.is_file())
    assert names == ["tjeng.tar.xz", "zhu.tar.xz"]
    with pytest.raises(InputError, match="unknown source"):
        write_unfinished(results, tmp_path, ["nobody"])


def test_the_last_of_several_codes_is_kept_and_every_network(results: Path, tmp_path: Path):
    path = results / "journals" / PLACES[2]
    with Journal(path, {**IDENTITY, "code": "b"}) as journal:
        journal.record("image 0", {"status": "newer"})
    with Journal(path, {**IDENTITY, "network": "1" * 64}) as journal:
        journal.record("image 0", {"status": "another network"})
    restore_journals(kept(results, tmp_path / "kept"), tmp_path / "elsewhere")
    lines = (tmp_path / "elsewhere" / "journals" / PLACES[2]).read_text().splitlines()
    found = [json.loads(line)["result"]["status"] for line in lines]
    assert found == ["robust", "robust", "newer", "another network"]


def test_the_bytes_follow_from_the_lines_alone(results: Path, tmp_path: Path):
    first, second = kept(results, tmp_path / "first"), kept(results, tmp_path / "second")
    assert {path.name for path in first.iterdir()} == {"tjeng.tar.xz", "zhu.tar.xz"}
    for path in first.iterdir():
        assert (second / path.name).read_bytes() == path.read_bytes()


def test_a_missing_or_damaged_archive_is_named_and_nothing_changed(results: Path, tmp_path: Path):
    with pytest.raises(InputError, match="kept journals"):
        restore_journals(tmp_path / "nowhere", tmp_path / "elsewhere")
    folder = kept(results, tmp_path / "kept")
    archive = folder / "zhu.tar.xz"
    archive.write_bytes(archive.read_bytes()[:-50])
    with pytest.raises(InputError, match=r"zhu\.tar\.xz"):
        restore_journals(folder, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()
