"""VNN-LIB of version 1 is read as it is meant, and refused by name and line where it is not."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from advmip.errors import InputError
from advmip.properties import load_property

DECLARED = """; two inputs, two outputs
(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(declare-const Y_1 Real)
"""
BOX = """(assert (<= X_0 0.5)) (assert (>= X_0 -0.5))
(assert (<= X_1 2e-1))
(assert (>= X_1 0)) ; above 0
"""


def read(folder: Path, text: str):
    file = folder / "property.vnnlib"
    file.write_text(text)
    return load_property(file)


def is_counterexample(property_, inputs, outputs) -> bool:
    return property_.surplus(np.array(inputs, float), np.array(outputs, float)) >= 0


def test_single_asserts_all_hold(tmp_path) -> None:
    property_ = read(tmp_path, DECLARED + BOX + "(assert (<= Y_1 Y_0))\n(assert (>= Y_1 1))")
    (case,) = property_.cases
    assert case.lower.tolist() == [-0.5, 0.0]
    assert case.upper.tolist() == [0.5, 0.2]
    assert is_counterexample(property_, [0, 0.1], [2, 1.5])
    assert not is_counterexample(property_, [0, 0.1], [1, 1.5])
    assert not is_counterexample(property_, [0, 0.1], [0.9, 0.8])
    assert not is_counterexample(property_, [0.6, 0.1], [2, 1.5])


def test_ways_and_several_boxes(tmp_path) -> None:
    boxes = """(assert (or (and (<= X_0 0.2) (>= X_0 0) (<= X_1 1) (>= X_1 0))
        (and (<= X_0 -0.1) (>= X_0 -0.3) (<= X_1 1) (>= X_1 0.5))))
    (assert (or (and (<= Y_1 Y_0)) (and (>= Y_1 3))))"""
    property_ = read(tmp_path, DECLARED + boxes)
    assert len(property_.cases) == 4
    assert is_counterexample(property_, [0.1, 0.2], [1, 0])
    assert is_counterexample(property_, [-0.2, 0.7], [0, 3])
    assert not is_counterexample(property_, [-0.2, 0.2], [0, 3])
    assert not is_counterexample(property_, [0.1, 0.2], [1, 2])


def test_sums_differences_and_multiples(tmp_path) -> None:
    row = "(assert (>= (+ (* 2 Y_0) (- Y_1) (* X_0 4)) (- 1 Y_1 0.5)))"
    property_ = read(tmp_path, DECLARED + BOX + row)
    # 2 y_0 - y_1 + 4 x_0 - (1 - y_1 - 0.5)
    assert property_.surplus(np.array([0.25, 0.1]), np.array([1.0, 7.0])) == pytest.approx(2.5)


def test_files_may_be_compressed(tmp_path) -> None:
    file = tmp_path / "property.vnnlib.gz"
    file.write_bytes(gzip.compress((DECLARED + BOX + "(assert (<= Y_0 0))").encode()))
    assert load_property(file).inputs == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (BOX, "X_0 in line 1, which is not declared"),
        (DECLARED + "(assert (<= X_0 1)", "line 6 that is never closed"),
        (DECLARED + BOX + "(assert (<= Y_0 1)))", "line 9 that closes nothing"),
        (DECLARED + BOX + "(assert (< Y_0 1))", r"strict inequality \(< ...\), in line 9"),
        (DECLARED + BOX + "(assert (<= (* Y_0 Y_1) 1))", "two variables, a non-linear term"),
        (DECLARED + BOX + "(assert (not (<= Y_0 1)))", r"\(not ...\) as a condition, in line 9"),
        (DECLARED + BOX + "(check-sat)", r"\(check-sat ...\), in line 9"),
        (DECLARED + BOX + "(assert (<= Y_0 one))", "one, in line 9"),
        (DECLARED + "(declare-const Z Real)", "a declaration of Z Real, in line 6"),
        (DECLARED + "(declare-const X_3 Real)" + BOX, "no X_2 among 3 variables X"),
        (DECLARED + "(assert (<= X_0 1))(assert (<= Y_0 1))", "input 0 from -inf to 1"),
        (DECLARED + BOX + "(assert (<= X_1 -1))(assert (<= Y_0 1))", "input 1 from 0 to -1"),
    ],
)
def test_whatever_else_is_refused_by_name_and_line(tmp_path, text, found) -> None:
    with pytest.raises(InputError, match=found):
        read(tmp_path, text)


def test_a_file_that_is_not_there_or_damaged(tmp_path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_property(tmp_path / "nothing.vnnlib")
    file = tmp_path / "damaged.vnnlib.gz"
    file.write_bytes(gzip.compress((DECLARED + BOX).encode())[:40])
    with pytest.raises(InputError, match="gzip"):
        load_property(file)
