"""Counterexamples on the very file of a network, run by onnxruntime as the competition does.

What is handed over are numbers of the file's own precision. Where a box leaves none between its
ends, as for an input that is fixed at 0.1, the nearest one stands for the point, whose own value
counts for the conditions: whoever reads that value rounds it to the same number.
"""

from __future__ import annotations

import gzip
import math
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advmip.errors import InputError, one_line
from advmip.extras import require
from advmip.properties import Case, Property

Vector = NDArray[np.float64]

_KINDS: dict[str, type[np.floating]] = {
    "tensor(float16)": np.float16,
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
}


@dataclass(frozen=True, eq=False)
class Counterexample:
    """A counterexample as it is told to others.

    Attributes:
        inputs: The point (inputs,).
        outputs: What the network gives for it (outputs,).
    """

    inputs: Vector
    outputs: Vector


class OnnxRuntime:
    """A network's file as onnxruntime runs it, on one thread.

    Args:
        file: The network, compressed by gzip if its name ends so.

    Raises:
        InputError: onnxruntime is not installed or cannot run the file.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        require("onnxruntime", subject="replay of counterexamples before they are said")
        runtime = import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # A file with weights beside it needs its folder.
        given = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else str(file)
        try:
            self._session = runtime.InferenceSession(given, options, ["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common base
            raise self._refused(one_line(error)) from error
        (self._input,) = self._session.get_inputs()
        self._dtype = _KINDS.get(self._input.type, np.float32)

    def outputs(self, inputs: NDArray[np.floating]) -> Vector:
        """What the network gives (outputs,) for a point (inputs,).

        Raises:
            InputError: It does not take the point.
        """
        free = [side if isinstance(side, int) else 1 for side in self._input.shape]
        shape = free if math.prod(free) == len(inputs) else [1, *free[1:]]
        try:
            given = inputs.astype(self._dtype).reshape(shape)
            found = self._session.run(None, {self._input.name: given})
        except Exception as error:  # its exceptions have no common base
            raise self._refused(one_line(error)) from error
        return np.asarray(found[0], np.float64).ravel()

    def confirmed(self, property_: Property, point: Vector) -> Counterexample | None:
        """A counterexample as it is told, if the network's file has it too; nothing is forgiven.

        Args:
            property_: The property.
            point: The counterexample (inputs,).
        """
        for case in property_.cases:
            if (point < case.lower).any() or (point > case.upper).any():
                continue
            inputs = self._told(point, case)
            outputs = self.outputs(inputs)
            if case.surplus(inputs, outputs) >= 0:
                return Counterexample(inputs, outputs)
        return None

    def _told(self, point: Vector, case: Case) -> Vector:
        """The numbers of the file's precision next to a point, where the box has one."""
        near: NDArray[np.floating] = point.astype(self._dtype)
        inwards = np.where(near > case.upper, -np.inf, np.where(near < case.lower, np.inf, near))
        moved = np.nextafter(near, inwards.astype(self._dtype)).astype(np.float64)
        inside = (moved >= case.lower) & (moved <= case.upper)
        return np.asarray(np.where(inside, moved, point))

    def _refused(self, found: str) -> InputError:
        return InputError(
            subject=f"network {self._file} in onnxruntime",
            found=found,
            expected="a network that onnxruntime runs, as counterexamples are confirmed there",
            mend="check the file, or install another version of onnxruntime",
        )
