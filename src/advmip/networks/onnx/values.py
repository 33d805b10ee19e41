"""The values in an ONNX file's graph: those that depend on the image, and constants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
from onnx import TensorProto
from torch import fx

Array = npt.NDArray[Any]

# What stands for the size of the batch where a file computes with it: a prime, and so no other size
# of a network by chance.
BATCH = 101

# The types of values that are read, with their names.
FLOATS: dict[int, str] = {
    TensorProto.FLOAT: "float32",
    TensorProto.DOUBLE: "float64",
    TensorProto.FLOAT16: "float16",
}


@dataclass(frozen=True)
class Flow:
    """A value that depends on the image.

    Attributes:
        node: What computes it.
        shape: Its shape without the batch.
    """

    node: fx.Node
    shape: tuple[int, ...]

    @property
    def rank(self) -> int:
        """How many axes it has, the batch among them."""
        return 1 + len(self.shape)

    @property
    def written(self) -> str:
        """Its shape in words."""
        return f"({', '.join(['batch', *map(str, self.shape)])})"


Value = Flow | Array
