"""Properties from VNN-LIB files of version 1: a subset of SMT-LIB, here the forms in use.

`declare-const` of inputs X_i and outputs Y_i, and `assert` of `and`, `or`, `<=` and `>=` over sums,
differences and multiples of them. All asserts together say what a counterexample is. Whatever else
a file says is refused by name and line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from advmip.errors import InputError
from advmip.properties.cases import property_of
from advmip.properties.expressions import Affine, Condition, all_of, any_of, feature, logit
from advmip.properties.property import Property

_TOKEN = re.compile(r"[()]|[^\s();]+|;.*|\n")
_VARIABLE = re.compile(r"([XY])_(\d+)")


@dataclass(frozen=True)
class _Word:
    text: str
    line: int


@dataclass(frozen=True)
class _List:
    items: tuple[_Word | _List, ...]
    line: int

    @property
    def head(self) -> str:
        """The first word; empty if there is none."""
        first = self.items[0] if self.items else None
        return first.text if isinstance(first, _Word) else ""


def read_property(text: str, subject: str) -> Property:
    """The property of a VNN-LIB of version 1.

    Args:
        text: What the file says.
        subject: What it is called in messages.

    Raises:
        InputError: It has a form that is not read, leaves an input unbounded, or is contradictory.
    """
    return _Reader(text, subject).property()


class _Reader:
    def __init__(self, text: str, subject: str) -> None:
        self._text, self._subject = text, subject
        self._declared: dict[str, int] = {}

    def property(self) -> Property:
        """What the file says a counterexample is."""
        conditions: list[Condition] = []
        for statement in self._statements():
            if not isinstance(statement, _List):
                raise self._refused(statement, "a word outside of parentheses")
            if statement.head in ("declare-const", "declare-fun"):
                self._declare(statement)
            elif statement.head == "assert" and len(statement.items) == 2:
                conditions.append(self._condition(statement.items[1]))
            else:
                raise self._refused(statement, f"({statement.head or '...'} ...)")
        inputs, outputs = (
            sum(name.startswith(letter) for name in self._declared) for letter in "XY"
        )
        for letter, count in (("X", inputs), ("Y", outputs)):
            for place in range(count):
                if f"{letter}_{place}" not in self._declared:
                    found = f"no {letter}_{place} among {count} variables {letter}"
                    raise self._error(found, "variables that are numbered from 0", "declare it")
        return property_of(inputs, conditions, self._subject)

    def _statements(self) -> Iterator[_Word | _List]:
        """The expressions of the file, one after the other."""
        line = 1
        open_lists: list[tuple[list[_Word | _List], int]] = []
        for match in _TOKEN.finditer(self._text):
            token = match.group()
            if token == "\n":
                line += 1
            elif token == "(":
                open_lists.append(([], line))
            elif not token.startswith(";"):
                if token == ")":
                    if not open_lists:
                        raise self._unbalanced(line, "closes nothing")
                    items, begun = open_lists.pop()
                    item: _Word | _List = _List(tuple(items), begun)
                else:
                    item = _Word(token, line)
                if open_lists:
                    open_lists[-1][0].append(item)
                else:
                    yield item
        if open_lists:
            raise self._unbalanced(open_lists[0][1], "is never closed")

    def _declare(self, statement: _List) -> None:
        words = [item.text for item in statement.items if isinstance(item, _Word)]
        name = words[1] if len(words) > 1 else ""
        if words[-1] != "Real" or not _VARIABLE.fullmatch(name):
            raise self._refused(statement, f"a declaration of {' '.join(words[1:])}")
        self._declared[name] = statement.line

    def _condition(self, said: _Word | _List) -> Condition:
        if isinstance(said, _Word):
            raise self._refused(said, said.text)
        operands = said.items[1:]
        if said.head in ("and", "or"):
            join = all_of if said.head == "and" else any_of
            return join(*map(self._condition, operands))
        if said.head in ("<=", ">=") and len(operands) == 2:
            left, right = map(self._affine, operands)
            return left <= right if said.head == "<=" else left >= right
        if said.head in ("<", ">"):
            raise self._refused(said, f"a strict inequality ({said.head} ...)")
        raise self._refused(said, f"({said.head or '...'} ...) as a condition")

    def _affine(self, said: _Word | _List) -> Affine:
        if isinstance(said, _Word):
            return self._term(said)
        operands = [self._affine(item) for item in said.items[1:]]
        if said.head == "+" and operands:
            return sum(operands[1:], operands[0])
        if said.head == "-" and operands:
            return operands[0] - sum(operands[1:], Affine()) if operands[1:] else -operands[0]
        if said.head == "*" and len(operands) == 2:
            first, second = operands
            if first.inputs or first.outputs:
                first, second = second, first
            if first.inputs or first.outputs:
                raise self._refused(said, "a product of two variables, a non-linear term")
            return second * first.constant
        raise self._refused(said, f"({said.head or '...'} ...) in a sum")

    def _term(self, said: _Word) -> Affine:
        variable = _VARIABLE.fullmatch(said.text)
        if variable is None:
            try:
                return Affine(constant=float(said.text))
            except ValueError:
                raise self._refused(said, said.text) from None
        if said.text not in self._declared:
            raise self._error(
                f"{said.text} in line {said.line}, which is not declared",
                "variables that are declared before",
                f"add (declare-const {said.text} Real)",
            )
        named: Callable[[int], Affine] = feature if variable[1] == "X" else logit
        return named(int(variable[2]))

    def _unbalanced(self, line: int, what: str) -> InputError:
        found = f"a parenthesis in line {line} that {what}"
        return self._error(found, "balanced parentheses", "correct the file")

    def _refused(self, said: _Word | _List, found: str) -> InputError:
        return self._error(
            f"{found}, in line {said.line}",
            "declare-const, and assert of and, or, <=, >=, +, - and * by a number",
            "write the property in these forms",
        )

    def _error(self, found: str, expected: str, mend: str) -> InputError:
        return InputError(subject=self._subject, found=found, expected=expected, mend=mend)
