"""A property of a network: which inputs there are, and what makes one of them a counterexample."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from advmip.errors import InputError
from advmip.properties.expressions import Condition, Inequality

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Case:
    """One way in which a point may be a counterexample: a box, and inequalities that all hold.

    Attributes:
        lower: The least values (inputs,).
        upper: The largest values (inputs,).
        inequalities: Of inputs and outputs.
    """

    lower: Vector
    upper: Vector
    inequalities: tuple[Inequality, ...] = ()

    def rows(self, outputs: int) -> tuple[Vector, Vector, Vector]:
        """The inequalities as I x + O y >= sides.

        Args:
            outputs: How many outputs the network has.

        Returns:
            I (rows, inputs), O (rows, outputs) and the sides (rows,).
        """
        inside = np.zeros((len(self.inequalities), len(self.lower)))
        outside = np.zeros((len(self.inequalities), outputs))
        sides = np.zeros(len(self.inequalities))
        for row, each in enumerate(self.inequalities):
            inside[row, list(each.surplus.inputs)] = list(each.surplus.inputs.values())
            outside[row, list(each.surplus.outputs)] = list(each.surplus.outputs.values())
            sides[row] = -each.surplus.constant
        return inside, outside, sides

    def surplus(self, inputs: Vector, outputs: Vector) -> float:
        """By how much a point of the box meets the inequality that it meets least.

        Args:
            inputs: The point (inputs,).
            outputs: What the network makes of it (outputs,).

        Returns:
            inf without inequalities, -inf outside of the box.
        """
        if (inputs < self.lower).any() or (inputs > self.upper).any():
            return -np.inf
        inside, outside, sides = self.rows(len(outputs))
        return float((inside @ inputs + outside @ outputs - sides).min(initial=np.inf))


@dataclass(frozen=True, eq=False)
class Property:
    """What is claimed of a network: no point is a counterexample.

    Attributes:
        cases: The ways in which a point may be one.
        name: What it is called in messages.

    Raises:
        InputError: A box is empty or unbounded, cases differ in size, or there is none.
    """

    cases: tuple[Case, ...]
    name: str = "property"

    def __post_init__(self) -> None:
        if not self.cases:
            raise self._error(
                "no way to be a counterexample", "at least one", "it holds of every network"
            )
        for case in self.cases:
            if len(case.lower) != len(case.upper) or len(case.lower) != self.inputs:
                found = f"boxes of {self.inputs} and {len(case.lower)} inputs"
                raise self._error(found, "the same number of inputs", "correct the box")
            finite = np.isfinite(case.lower) & np.isfinite(case.upper)
            for place in np.flatnonzero(~finite | (case.lower > case.upper)):
                raise self._error(
                    f"input {place} from {case.lower[place]:g} to {case.upper[place]:g}",
                    "a finite range of every input, from its lower to its upper end",
                    "bound the input from both sides, and not by contradictory rows",
                )

    @staticmethod
    def of(
        inputs: tuple[ArrayLike, ArrayLike], outputs: Condition, name: str = "property"
    ) -> Property:
        """A property of one box.

        Args:
            inputs: The lower and the upper ends, arrays of the network's input shape.
            outputs: What a counterexample meets.
            name: What it is called in messages.

        Raises:
            InputError: As for the property.
        """
        lower, upper = (np.ravel(np.asarray(side, np.float64)) for side in inputs)
        return Property(tuple(Case(lower, upper, way) for way in outputs), name)

    @property
    def inputs(self) -> int:
        """How many inputs it speaks of."""
        return len(self.cases[0].lower)

    @cached_property
    def outputs(self) -> int:
        """One more than the largest output that it speaks of."""
        return 1 + max(_places(self.cases), default=-1)

    @property
    def boxes(self) -> list[tuple[Case, ...]]:
        """The cases by their boxes, those of one box together."""
        by_box: dict[bytes, list[Case]] = {}
        for case in self.cases:
            by_box.setdefault(case.lower.tobytes() + case.upper.tobytes(), []).append(case)
        return [tuple(cases) for cases in by_box.values()]

    def surplus(self, inputs: Vector, outputs: Vector) -> float:
        """By how much a point is a counterexample, which it is from 0 on.

        Args:
            inputs: The point (inputs,).
            outputs: What the network makes of it (outputs,).
        """
        return max(case.surplus(inputs, outputs) for case in self.cases)

    def check_sizes(self, inputs: int, outputs: int) -> None:
        """Make sure that it speaks of a network of this size.

        Raises:
            InputError: It does not.
        """
        if self.inputs != inputs or self.outputs > outputs:
            raise self._error(
                f"{self.inputs} inputs and outputs up to number {self.outputs - 1}",
                f"those of the network: {inputs} inputs and {outputs} outputs",
                "name the network that the property was written for",
            )

    def _error(self, found: str, expected: str, mend: str) -> InputError:
        return InputError(subject=self.name, found=found, expected=expected, mend=mend)


def _places(cases: Iterable[Case]) -> Iterable[int]:
    return (place for case in cases for each in case.inequalities for place in each.surplus.outputs)
