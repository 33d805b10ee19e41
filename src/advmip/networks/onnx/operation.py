"""A node of an ONNX file with its operands and attributes, checked as they are asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper
from torch import Tensor

from advmip.errors import InputError
from advmip.networks.onnx.messages import DAMAGED
from advmip.networks.onnx.values import BATCH, Array, Flow, Value

Sizes = tuple[int, ...]

_LARGEST = float(np.finfo(np.float32).max)
_EXPORT = "export the network again, without this"


@dataclass(frozen=True)
class Operation:
    """One node of the file's graph with what it reads.

    Attributes:
        proto: The node.
        place: File, position, operator and name, for messages.
        label: How what it becomes is named in the graph.
        opset: The version of the operators.
        precision: What weights are read in, float32 or float64.
        operands: Its inputs; None where an optional one is left out.
    """

    proto: onnx.NodeProto
    place: str
    label: str
    opset: int
    precision: torch.dtype
    operands: tuple[Value | None, ...]

    def of_shapes(self) -> Operation:
        """The same node on constants of the shapes of its operands, in a batch of `BATCH`."""
        zero = np.zeros(())
        shapes = (
            np.broadcast_to(zero, (BATCH, *each.shape)) if isinstance(each, Flow) else each
            for each in self.operands
        )
        return replace(self, operands=tuple(shapes))

    @property
    def is_constant(self) -> bool:
        """Whether no operand depends on the image."""
        return not any(isinstance(operand, Flow) for operand in self.operands)

    def refused(self, found: str, expected: str, mend: str = _EXPORT) -> InputError:
        """The error for a node that cannot be translated, to be raised by the caller."""
        return InputError(subject=self.place, found=found, expected=expected, mend=mend)

    def attribute(self, name: str, default: Any) -> Any:
        """An attribute's value, or `default` where it is not set."""
        for attribute in self.proto.attribute:
            if attribute.name == name:
                return helper.get_attribute_value(attribute)
        return default

    def flag(self, name: str, default: bool) -> bool:
        """An attribute that is 0 or 1."""
        return bool(self.attribute(name, default))

    def sizes(self, name: str, axes: int) -> Sizes:
        """An attribute of an integer above 0 for each of some axes, 1 where it is not set."""
        found = list(self.attribute(name, [1] * axes))
        if len(found) != axes or min(found) < 1:
            raise self.refused(f"{name} {found}", f"{axes} integers above 0")
        return tuple(found)

    def has(self, index: int) -> bool:
        """Whether an optional operand is given."""
        return index < len(self.operands) and self.operands[index] is not None

    def flow(self, index: int, rank: int | None = None) -> Flow:
        """An operand that depends on the image, of this rank if one is given."""
        operand = self.operands[index]
        if not isinstance(operand, Flow):
            raise self.refused(
                f"the constant {self.proto.input[index]!r} as input {index + 1}",
                "a value that depends on the image",
            )
        if rank is not None and operand.rank != rank:
            raise self.refused(
                f"{self.proto.input[index]!r} with {operand.rank} axes", f"{rank} axes"
            )
        return operand

    def constant(self, index: int) -> Array:
        """An operand that does not depend on the image."""
        operand = self.operands[index]
        if operand is None or isinstance(operand, Flow):
            raise self.refused(
                f"{self.proto.input[index]!r} as input {index + 1}, not a constant",
                "a constant",
            )
        return operand

    def weights(self, index: int, factor: float = 1.0) -> Tensor:
        """A constant of floats times a factor, in the graph's precision, as an array of its own."""
        array = self.constant(index)
        name = f"{self.proto.input[index]!r}"
        if array.dtype.kind != "f":
            raise self.refused(f"{name} with values of type {array.dtype}", "float16, 32 or 64")
        wrong = int((~np.isfinite(array)).sum())
        if wrong:
            raise self.refused(
                f"{wrong} of {array.size} values of {name} are NaN or infinite",
                "finite weights",
                "train the network again with a smaller learning rate",
            )
        with np.errstate(over="ignore"):
            double = self.precision == torch.float64
            rounded = (array.astype(np.float64) * factor).astype(
                np.float64 if double else np.float32, order="C"
            )
        if not np.isfinite(rounded).all():
            raise self.refused(
                f"values of {name} as large as {np.abs(array).max():.3g}",
                f"values that {'float64' if double else 'float32'} can hold",
                "rescale the weights of the network",
            )
        return torch.from_numpy(np.asarray(rounded))

    def number(self, index: int, name: str) -> float | None:
        """A constant of one number or, as earlier opsets have it, an attribute; None without one.

        One beyond the largest of float32 is none either.
        """
        if self.has(index):
            array = self.constant(index)
            if array.size != 1 or array.dtype.kind not in "fiu" or np.isnan(array).any():
                raise self.refused(
                    f"{self.proto.input[index]!r} of shape {array.shape}", "one number"
                )
            found = float(array.item())
        else:
            found = float(self.attribute(name, np.inf))
        return found if abs(found) < _LARGEST else None

    def integers(self, index: int) -> list[int]:
        """A constant of integers."""
        array = self.constant(index)
        if array.dtype.kind != "i":
            raise self.refused(
                f"{self.proto.input[index]!r} with values of type {array.dtype}", "integers"
            )
        return [int(value) for value in array.ravel()]

    def listed(self, index: int, name: str) -> list[int] | None:
        """A constant of integers or, as earlier opsets have it, an attribute; None without one."""
        if self.has(index):
            return self.integers(index)
        found = self.attribute(name, None)
        return None if found is None else [int(value) for value in found]

    def axis(self, rank: int, default: int) -> int:
        """The axis in the attribute, counted from the front; the batch is none."""
        axis = int(self.attribute("axis", default))
        if not -rank <= axis < rank or axis % rank == 0:
            raise self.refused(f"axis {axis} of {rank}", "an axis behind the batch")
        return axis % rank

    def axes(self, rank: int, *, added: bool = False) -> set[int]:
        """The axes in the attribute or, as later opsets have it, the second input.

        Args:
            rank: Of how many axes they are.
            added: Whether they come on top of these.

        Returns:
            The axes, counted from the front; none where they are left out.
        """
        found = self.listed(1, "axes") or []
        total = rank + len(found) if added else rank
        axes = {axis % total for axis in found if -total <= axis < total}
        if len(axes) < len(found):
            raise self.refused(f"axes {found}", f"different axes of {total}", DAMAGED)
        return axes
