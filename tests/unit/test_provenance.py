"""A row's origin: versions, machine, threads, code."""

import json
import platform
from datetime import datetime

import pytest
import torch

from advmip import provenance as module
from advmip.errors import InputError
from advmip.provenance import code_digest, provenance


def test_provenance_says_what_a_reader_of_a_row_needs():
    facts = provenance(threads=2)
    assert facts["python"] == platform.python_version()
    assert torch.__version__.startswith(facts["torch"].partition("+")[0])
    assert facts["threads"] == 2
    assert facts["cores"] >= 1
    assert facts["processor"]
    assert facts["code"] == code_digest()
    assert datetime.fromisoformat(facts["date"]).utcoffset().total_seconds() == 0
    assert json.loads(json.dumps(facts)) == facts


def test_a_missing_solver_is_said_to_be_missing(monkeypatch):
    monkeypatch.setattr(module, "_RECORDED", ("no-such-solver",))
    assert provenance(threads=1)["no-such-solver"] == "not installed"


@pytest.fixture
def package(tmp_path, monkeypatch):
    (tmp_path / "networks").mkdir()
    for name in ("journal.py", "networks/files.py", "networks/training.py"):
        (tmp_path / name).write_text(f"# {name}\n")
    monkeypatch.setattr(module, "_PACKAGE", tmp_path)
    return tmp_path


def test_code_digest_changes_with_the_named_parts_only(package):
    networks, files, everything = (
        code_digest("networks"),
        code_digest("networks.files"),
        code_digest(),
    )
    (package / "networks" / "training.py").write_text("# changed\n")
    assert code_digest("networks.files") == files
    assert code_digest("networks") != networks
    assert code_digest() != everything
    assert len(networks) == 16


def test_code_digest_ignores_order_repetition_and_other_files(package):
    digest = code_digest("networks", "journal")
    (package / "networks" / "notes.txt").write_text("no code")
    assert code_digest("journal", "networks", "networks.files") == digest


def test_a_moved_file_changes_the_digest(package):
    digest = code_digest("networks")
    (package / "networks" / "files.py").rename(package / "networks" / "storage.py")
    assert code_digest("networks") != digest


def test_arrays_that_come_with_the_code_are_part_of_it(package):
    digest = code_digest("networks")
    (package / "networks" / "weights.npz").write_bytes(b"numbers")
    assert code_digest("networks") != digest


def test_an_unknown_part_is_answered_with_the_nearest(package):
    with pytest.raises(InputError, match="did you mean 'networks'"):
        code_digest("network")
