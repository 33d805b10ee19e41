"""Queries from VNN-LIB files of version 2, parsed and typed by the standard's own package.

Of the standard's theories these are read: one network with one input and one output, no hidden
nodes, linear conditions that may mix inputs and outputs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from advmip.errors import InputError
from advmip.extras import pip_command
from advmip.properties.cases import property_of
from advmip.properties.expressions import Affine, Condition, all_of, any_of, feature, logit
from advmip.properties.property import Property

# The names that the standard has for the element types; those without one here are `real`.
_TYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}


@dataclass(frozen=True)
class Variable:
    """An input or output as a query declares it.

    Attributes:
        name: Its name.
        kind: The type of its elements.
        shape: Its shape, the batch's axis included.
    """

    name: str
    kind: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)

    def place(self, indices: Sequence[int]) -> int:
        """The flat index of an element."""
        place = 0
        for index, side in zip(indices, self.shape, strict=True):
            place = place * side + index
        return place


@dataclass(frozen=True)
class Query:
    """What a file of version 2 asks.

    Attributes:
        property: That it has no answer.
        network: What it calls the network.
        variables: The network's input and its output.
    """

    property: Property
    network: str
    variables: tuple[Variable, Variable]


def read_query(text: str, subject: str) -> Query:
    """The query of a VNN-LIB of version 2.

    Args:
        text: What the file says.
        subject: What it is called in messages.

    Raises:
        InputError: The package `vnnlib` is missing, the text is no VNN-LIB of version 2, or has a
            form that is not read; an input is left unbounded, or the query is contradictory.
    """
    return _Reader(_parser(), subject).query(text)


def _parser() -> Any:
    """The package, whose versions below 1 read files of version 1 under the same name."""
    try:
        package = import_module("vnnlib")
    except ImportError:
        package = None
    if hasattr(package, "parse_query_string"):
        return package
    raise InputError(
        subject="VNN-LIB of version 2",
        found="no package vnnlib" if package is None else "a package vnnlib below version 1",
        expected="vnnlib 1.0.2 or newer, which reads it",
        mend=f"{pip_command('vnnlib')}, or convert the property to version 1",
    )


class _Reader:
    def __init__(self, package: Any, subject: str) -> None:
        self._package, self._subject = package, subject
        self._places: dict[str, tuple[Callable[[int], Affine], Variable]] = {}

    def query(self, text: str) -> Query:
        """What a text asks."""
        try:
            parsed = self._package.parse_query_string(text)
        except self._package.VNNLibException as error:
            raise self._error(_said(error), "a VNN-LIB of version 2", "correct the file") from None
        if len(parsed.networks) != 1:
            raise self._refused(f"{len(parsed.networks)} networks")
        (network,) = parsed.networks
        if network.hidden:
            raise self._refused("hidden nodes")
        if (len(network.inputs), len(network.outputs)) != (1, 1):
            found = f"{len(network.inputs)} inputs and {len(network.outputs)} outputs"
            raise self._refused(found)
        given, answer = (
            Variable(each.name, _TYPES.get(each.dtype.name, "real"), tuple(each.shape))
            for each in (network.inputs[0], network.outputs[0])
        )
        self._places = {given.name: (feature, given), answer.name: (logit, answer)}
        conditions = [self._condition(each.expr) for each in parsed.assertions]
        return Query(
            property_of(given.size, conditions, self._subject), network.name, (given, answer)
        )

    def _condition(self, said: Any) -> Condition:
        package = self._package
        if isinstance(said, package.And):
            return all_of(*map(self._condition, said.args))
        if isinstance(said, package.Or):
            return any_of(*map(self._condition, said.args))
        if isinstance(said, package.LessEqual):
            return self._affine(said.lhs) <= self._affine(said.rhs)
        if isinstance(said, package.GreaterEqual):
            return self._affine(said.lhs) >= self._affine(said.rhs)
        if isinstance(said, package.Equal):
            left, right = self._affine(said.lhs), self._affine(said.rhs)
            return all_of(left <= right, left >= right)
        raise self._refused(f"the condition {_written(said)}")

    def _affine(self, said: Any) -> Affine:
        package = self._package
        if isinstance(said, package.Var):
            named, variable = self._places[said.name]
            return named(variable.place(said.indices))
        if isinstance(said, package.Float | package.Int):
            return Affine(constant=float(said.value))
        if isinstance(said, package.Negate):
            return -self._affine(said.expr)
        if isinstance(said, package.Plus):
            return sum(map(self._affine, said.args), Affine())
        if isinstance(said, package.Minus):
            return self._affine(said.head) - sum(map(self._affine, said.rest), Affine())
        if isinstance(said, package.Multiply):
            return self._product([self._affine(each) for each in said.args], said)
        raise self._refused(_written(said))

    def _product(self, factors: list[Affine], said: Any) -> Affine:
        variable = [each for each in factors if each.inputs or each.outputs]
        if len(variable) > 1:
            raise self._refused(f"a product of variables, {_written(said)}")
        numbers = math.prod(each.constant for each in factors if each not in variable)
        return variable[0] * numbers if variable else Affine(constant=numbers)

    def _refused(self, found: str) -> InputError:
        return self._error(
            found,
            "one network with one input and one output, and linear conditions of and, or, <=, >= "
            "and ==",
            "write the query in these forms",
        )

    def _error(self, found: str, expected: str, mend: str) -> InputError:
        return InputError(subject=self._subject, found=found, expected=expected, mend=mend)


def _said(error: Exception) -> str:
    """The first thing that the package finds wrong."""
    try:
        first = json.loads(str(error))["errors"][0]
        return f"{first['message']} {first['offendingSymbol']!r} in line {first['line']}"
    except (ValueError, LookupError):
        return " ".join(str(error).split())[:200]


def _written(said: Any) -> str:
    return " ".join(str(said).split())[:80]
