"""VNN-LIB of version 2 says the same as version 1, or is refused by name."""

from __future__ import annotations

import gzip
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from advmip.errors import InputError
from advmip.properties import Property, load_property

NETWORK = """; two inputs, two outputs
(vnnlib-version <2.0>)
(declare-network f
    (declare-input X float32 [1, 2])
    (declare-output Y float32 [1, 2]))
"""
BOX = """(assert (and (<= X[0,0] 0.5) (>= X[0,0] -0.5)))
(assert (and (<= X[0,1] 0.25) (>= X[0,1] 0.0)))
"""


def read(folder: Path, text: str) -> Property:
    file = folder / "query.vnnlib"
    file.write_text(text)
    return load_property(file)


def test_a_query_is_read_as_it_is_meant(tmp_path: Path) -> None:
    said = "(assert (or (<= Y[0,0] (- (* 2.0 Y[0,1]) X[0,1])) (== Y[0,1] (+ 1.0 2.0))))"
    property_ = read(tmp_path, NETWORK + BOX + said)
    for case in property_.cases:
        assert case.lower.tolist() == [-0.5, 0.0]
        assert case.upper.tolist() == [0.5, 0.25]
    for inputs, outputs, surplus in (
        ([0.0, 0.25], [1.0, 1.0], 0.75),
        ([0.0, 0.25], [9.0, 3.0], 0.0),
        ([0.0, 0.25], [9.0, 2.5], -0.5),
    ):
        assert property_.surplus(np.array(inputs), np.array(outputs)) == surplus


def test_indices_are_flat_in_the_order_of_rows(tmp_path: Path) -> None:
    declared = NETWORK.replace("X float32 [1, 2]", "X float32 [2, 3]")
    box = "".join(
        f"(assert (and (<= X[{row},{column}] {row}{column}.0) (>= X[{row},{column}] 0.0)))\n"
        for row in range(2)
        for column in range(3)
    )
    (case,) = read(tmp_path, f"{declared}{box}(assert (>= Y[0,1] 0.0))").cases
    assert case.upper.tolist() == [0, 1, 2, 10, 11, 12]


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "query.vnnlib.gz"
    file.write_bytes(gzip.compress(f"{NETWORK}{BOX}(assert (>= Y[0,0] 0.0))".encode()))
    assert load_property(file).inputs == 2


SECOND = NETWORK.replace("(vnnlib-version <2.0>)", "").replace(" f", " g")
SECOND = SECOND.replace("input X", "input U").replace("output Y", "output V")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (NETWORK + BOX + "(assert (< Y[0,0] 1.0))", "the condition"),
        (NETWORK + BOX + "(assert (!= Y[0,0] 1.0))", "the condition"),
        (NETWORK + BOX + "(assert (<= (* Y[0,0] Y[0,1]) 1.0))", "product of variables"),
        (NETWORK + BOX + "(assert (<= Z[0,0] 1.0))", "Undeclared variable 'Z' in line 8"),
        (NETWORK + "(assert (<= X[0,0] 1.0))", "input 0 from -inf"),
        (NETWORK + SECOND + BOX + "(assert (<= Y[0,0] 1.0))", "2 networks"),
        (NETWORK + "(assert", "expected: a VNN-LIB of version 2"),
    ],
)
def test_what_is_not_read_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        read(tmp_path, text)
    assert message in str(refused.value)


@pytest.mark.parametrize("package", [None, types.ModuleType("vnnlib")])
def test_without_its_package_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: types.ModuleType | None
) -> None:
    monkeypatch.setitem(sys.modules, "vnnlib", package)
    with pytest.raises(InputError, match=r"advmip\[vnnlib\]"):
        read(tmp_path, NETWORK + BOX + "(assert (>= Y[0,0] 0.0))")
