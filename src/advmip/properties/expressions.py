"""Linear conditions on a network's inputs and outputs, written as they are read aloud.

    any_of(logit(3) >= logit(7) + 0.1, all_of(logit(1) >= 0, logit(2) <= 2 * logit(0)))

Strict inequalities are refused: a counterexample may lie on the border.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from numbers import Real
from typing import NoReturn

from advmip.errors import InputError


@dataclass(frozen=True, eq=False)
class Affine:
    """A constant and multiples of inputs and outputs.

    Attributes:
        inputs: Coefficients by the flat index of an input, from 0.
        outputs: Coefficients by the flat index of an output, from 0.
        constant: What is added.
    """

    inputs: Mapping[int, float] = field(default_factory=dict)
    outputs: Mapping[int, float] = field(default_factory=dict)
    constant: float = 0.0

    def __add__(self, other: Affine | float) -> Affine:
        other = _affine(other)
        return Affine(
            _summed(self.inputs, other.inputs),
            _summed(self.outputs, other.outputs),
            self.constant + other.constant,
        )

    def __mul__(self, factor: float) -> Affine:
        if not isinstance(factor, Real):
            raise InputError(
                subject="product in a condition",
                found="a variable times a variable",
                expected="a number times a variable",
                mend="properties are linear: bound the product by linear conditions",
            )
        return Affine(
            {place: factor * value for place, value in self.inputs.items()},
            {place: factor * value for place, value in self.outputs.items()},
            factor * self.constant,
        )

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> Affine:
        return self * -1.0

    def __sub__(self, other: Affine | float) -> Affine:
        return self + _affine(other) * -1.0

    def __rsub__(self, other: Affine | float) -> Affine:
        return _affine(other) - self

    def __ge__(self, other: Affine | float) -> Condition:
        return Condition.of(Inequality(self - other))

    def __le__(self, other: Affine | float) -> Condition:
        return Condition.of(Inequality(_affine(other) - self))

    def __gt__(self, other: object) -> NoReturn:
        raise _strict(">")

    def __lt__(self, other: object) -> NoReturn:
        raise _strict("<")


@dataclass(frozen=True)
class Inequality:
    """A linear expression is at least 0."""

    surplus: Affine


@dataclass(frozen=True)
class Condition:
    """Inequalities that all hold, in one of several ways.

    Attributes:
        ways: The ways, each of inequalities that all hold in it; without a way it never holds, and
            a way without inequalities always does.
    """

    ways: tuple[tuple[Inequality, ...], ...]

    @staticmethod
    def of(inequality: Inequality) -> Condition:
        """A single inequality."""
        return Condition(((inequality,),))

    def __and__(self, other: Condition) -> Condition:
        return all_of(self, other)

    def __or__(self, other: Condition) -> Condition:
        return any_of(self, other)

    def __bool__(self) -> NoReturn:
        raise InputError(
            subject="condition",
            found="a chain such as 0 <= logit(1) <= 2, or `and`, `or`, `not`",
            expected="conditions that are joined by all_of(...) and any_of(...), or by & and |",
            mend="write all_of(logit(1) >= 0, logit(1) <= 2)",
        )

    def __iter__(self) -> Iterator[tuple[Inequality, ...]]:
        return iter(self.ways)


def logit(place: int) -> Affine:
    """An output of the network by its flat index, from 0."""
    return Affine(outputs={_index(place): 1.0})


def feature(place: int) -> Affine:
    """An input of the network by its flat index in the shape that the network reads, from 0."""
    return Affine(inputs={_index(place): 1.0})


def any_of(*conditions: Condition) -> Condition:
    """At least one of the conditions holds."""
    return Condition(tuple(way for condition in conditions for way in condition))


def all_of(*conditions: Condition) -> Condition:
    """All conditions hold."""
    return Condition(tuple(sum(ways, ()) for ways in product(*conditions)))


def _affine(value: Affine | float) -> Affine:
    if isinstance(value, Affine):
        return value
    if isinstance(value, Real):
        return Affine(constant=float(value))
    raise InputError(
        subject="term of a condition",
        found=type(value).__name__,
        expected="a number, logit(...) or feature(...)",
        mend="properties are linear conditions on inputs and outputs",
    )


def _summed(first: Mapping[int, float], second: Mapping[int, float]) -> dict[int, float]:
    total = dict(first)
    for place, value in second.items():
        total[place] = total.get(place, 0.0) + value
    return {place: value for place, value in total.items() if value != 0.0}


def _index(place: int) -> int:
    if place < 0:
        raise InputError(
            subject="index in a condition",
            found=str(place),
            expected="a flat index from 0",
            mend="count from the first input or output",
        )
    return int(place)


def _strict(sign: str) -> InputError:
    return InputError(
        subject="condition",
        found=f"a strict inequality, {sign}",
        expected=">= or <=: the border belongs to a counterexample",
        mend="use the inequality that is not strict, with a small margin if the border must not",
    )
