"""A counterexample is told only if onnxruntime has it on the file itself."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from small_onnx import write_layers, write_network

from advmip.checking.onnx_runtime import OnnxRuntime
from advmip.errors import InputError
from advmip.properties import Property, logit


@pytest.mark.parametrize("name", ["net.onnx", "net.onnx.gz"])
def test_the_file_is_run_as_it_is(tmp_path: Path, name: str) -> None:
    runtime = OnnxRuntime(write_network(tmp_path / name))
    assert runtime.outputs(np.array([-0.5, 0.75])).tolist() == [0.5, 0.75]


def test_what_is_told_lies_in_the_box_and_is_the_number_that_was_run(tmp_path: Path) -> None:
    runtime = OnnxRuntime(write_network(tmp_path / "net.onnx"))
    upper = np.array([0.1, 0.3])  # 0.1 is below its float32, 0.3 is above
    for lower in (np.zeros(2), upper):
        property_ = Property.of((lower, upper), logit(0) >= 0.05)
        told = runtime.confirmed(property_, upper)
        assert told is not None
        assert (told.inputs >= lower).all()
        assert (told.inputs <= upper).all()
        assert told.outputs.tolist() == told.inputs.astype(np.float32).tolist()


def test_rounding_that_undoes_a_counterexample_is_not_forgiven(tmp_path: Path) -> None:
    # Y = (X + 1e8) - 1e8, which float32 rounds to 0.
    file = write_layers(tmp_path / "net.onnx", ([[1.0]], [1e8]), ([[1.0]], [-1e8]))
    property_ = Property.of((np.zeros(1), np.ones(1)), logit(0) >= 0.5)
    assert OnnxRuntime(file).confirmed(property_, np.array([0.9])) is None


def test_a_point_of_no_box_is_none(tmp_path: Path) -> None:
    runtime = OnnxRuntime(write_network(tmp_path / "net.onnx"))
    property_ = Property.of((np.zeros(2), np.ones(2)), logit(0) >= 0)
    assert runtime.confirmed(property_, np.array([2.0, 0.0])) is None


def test_a_file_that_it_cannot_run_is_named(tmp_path: Path) -> None:
    file = tmp_path / "net.onnx"
    file.write_bytes(b"no network")
    with pytest.raises(InputError, match=r"net\.onnx in onnxruntime"):
        OnnxRuntime(file)


def test_without_onnxruntime_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match=r"advmip\[vnnlib\]"):
        OnnxRuntime(write_network(tmp_path / "net.onnx"))
