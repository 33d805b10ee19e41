"""What a proof proves: no image of a ball has another class, or no point is a counterexample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advmip.checking.proofs.enclosure import Sides
from advmip.checking.proofs.regions import Boxes, Region, Vector, ball, largest
from advmip.errors import InputError
from advmip.properties import Affine, Case, Inequality, Property

_NORMS = ("linf", "l1", "l2")
_ARRAYS = ("image", "lower", "upper")


@dataclass(frozen=True, eq=False)
class BallQuestion:
    """That every image of a domain within a distance of an image keeps its class.

    Attributes:
        image: The image (inputs,), in the domain.
        label: Its class.
        epsilon: The distance.
        norm: "linf", "l1" or "l2".
        lower: The least values (inputs,) of the domain.
        upper: The largest.
    """

    image: Vector
    label: int
    epsilon: float
    norm: str
    lower: Vector
    upper: Vector

    @property
    def in_words(self) -> str:
        """What is proved."""
        return f"class {self.label} within {self.norm} distance {self.epsilon:g} of the image"


Question = BallQuestion | Property


@dataclass(frozen=True, eq=False)
class Asked:
    """A region, and cases of which no point of it may meet one.

    A case is met where all its conditions are: where none of the forms  inside x + outside y +
    constant  of inputs x and outputs y is above 0.

    Attributes:
        region: The region.
        inside: Of each condition the coefficients (rows, inputs) of what it lacks.
        outside: Those of outputs (rows, outputs).
        constant: What is added (rows,).
        case_of: The case of each condition (rows,).
        cases: How many cases there are.
    """

    region: Region
    inside: Vector
    outside: Vector
    constant: Vector
    case_of: NDArray[np.intp]
    cases: int

    def with_sums(self, weights: Vector, outputs: Sides) -> Asked:
        """The same with one more condition of each case: its own, added up with weights.

        Where all conditions are met, so is their sum, less what rounding may do to it.

        Args:
            weights: Of each case's own conditions (cases, rows), at least 0; what they add up to
                does not matter.
            outputs: Bounds of the outputs (1, outputs) in the region.
        """
        shares = weights / np.maximum(weights.sum(1, keepdims=True), 1.0)
        values = np.maximum(np.abs(outputs.lower), np.abs(outputs.upper))[0]
        size = np.abs(self.outside) @ values + np.abs(self.inside) @ largest(self.region)[0]
        count = 2 * sum(self.outside.shape) + 2 * self.inside.shape[1] + 16
        rounding = count * np.finfo(np.float64).eps * (shares @ (size + np.abs(self.constant)))
        return replace(
            self,
            inside=np.concatenate([self.inside, shares @ self.inside]),
            outside=np.concatenate([self.outside, shares @ self.outside]),
            constant=np.concatenate([self.constant, shares @ self.constant - rounding]),
            case_of=np.concatenate([self.case_of, np.arange(self.cases)]),
        )


def asked_in_regions(question: Question, outputs: int) -> list[Asked]:
    """A question region by region; a ball has one, a property one for each of its boxes.

    Args:
        question: The question, which fits the network.
        outputs: How many outputs the network has.
    """
    if isinstance(question, BallQuestion):
        rivals = np.flatnonzero(np.arange(outputs) != question.label)
        lacking = np.zeros((len(rivals), outputs))
        lacking[:, question.label] = 1.0
        lacking[np.arange(len(rivals)), rivals] = -1.0
        nothing = np.zeros((len(rivals), len(question.image)))
        return [
            Asked(
                ball(
                    question.image,
                    question.epsilon,
                    question.norm,
                    question.lower,
                    question.upper,
                ),
                nothing,
                lacking,
                np.zeros(len(rivals)),
                np.arange(len(rivals)),
                len(rivals),
            )
        ]
    found = []
    for cases in question.boxes:
        inside, outside, sides = zip(*(case.rows(outputs) for case in cases), strict=True)
        counts = [len(each) for each in sides]
        found.append(
            Asked(
                Boxes(cases[0].lower[None], cases[0].upper[None]),
                -np.concatenate(inside),
                -np.concatenate(outside),
                np.concatenate(sides),
                np.repeat(np.arange(len(cases)), counts),
                len(cases),
            )
        )
    return found


def written(question: Question) -> tuple[dict[str, Any], dict[str, Vector]]:
    """A question as JSON and arrays."""
    if isinstance(question, BallQuestion):
        said = {"label": question.label, "epsilon": question.epsilon, "norm": question.norm}
        return said, {name: getattr(question, name) for name in _ARRAYS}
    rows = [case.rows(question.outputs) for case in question.cases]
    inside, outside, sides = (np.concatenate(each) for each in zip(*rows, strict=True))
    return {"property": question.name, "conditions": [len(each[2]) for each in rows]}, {
        "lower": np.stack([case.lower for case in question.cases]),
        "upper": np.stack([case.upper for case in question.cases]),
        "inside": inside,
        "outside": outside,
        "sides": sides,
    }


def read(said: dict[str, Any], arrays: dict[str, Vector]) -> Question:
    """The question that was written.

    Raises:
        InputError: A property has an empty box, or one without an end.
        KeyError, TypeError, ValueError: It is none.
    """
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ValueError("a number that is not finite")
    if "label" in said:
        image, lower, upper = (arrays[name] for name in _ARRAYS)
        question = BallQuestion(
            image, int(said["label"]), float(said["epsilon"]), said["norm"], lower, upper
        )
        if not (question.epsilon > 0 and question.norm in _NORMS and image.ndim == 1):
            raise ValueError("no ball")
        if not ((lower <= image) & (image <= upper)).all():
            raise ValueError("an image outside of its domain")
        return question
    ends = np.cumsum([0, *said["conditions"]])
    if any(len(arrays[name]) != ends[-1] for name in ("inside", "outside", "sides")):
        raise ValueError("conditions without a case")
    inequalities = [
        Inequality(Affine(_sparse(inside), _sparse(outside), -float(side)))
        for inside, outside, side in zip(
            arrays["inside"], arrays["outside"], arrays["sides"], strict=True
        )
    ]
    cases = tuple(
        Case(lower, upper, tuple(inequalities[first:last]))
        for lower, upper, first, last in zip(
            arrays["lower"], arrays["upper"], ends[:-1], ends[1:], strict=True
        )
    )
    return Property(cases, str(said["property"]))


def check_same(found: Question, stated: Question, file: str) -> None:
    """Make sure that a proof's question is the one that is stated.

    Raises:
        InputError: It is another one.
    """
    (said, arrays), (asked, wanted) = written(found), written(stated)
    for each in (said, asked):
        each.pop("property", None)
    same = said == asked and all(np.array_equal(arrays[name], wanted[name]) for name in wanted)
    if not same:
        raise InputError(
            subject=f"question of proof {file}",
            found="another box, ball, class or condition",
            expected="the question that is stated",
            mend="state the question that the proof was written for, or prove this one",
        )


def check_sizes(question: Question, inputs: int, outputs: int, file: str) -> None:
    """Make sure that a question is about a network of this size.

    Raises:
        InputError: It is not.
    """
    if isinstance(question, Property):
        question.check_sizes(inputs, outputs)
    elif len(question.image) != inputs or question.label not in range(outputs):
        raise InputError(
            subject=f"question of proof {file}",
            found=f"{len(question.image)} inputs and class {question.label}",
            expected=f"{inputs} inputs and a class from 0 to {outputs - 1}",
            mend="name the network that the proof was written for",
        )


def _sparse(row: Vector) -> dict[int, float]:
    return {int(place): float(row[place]) for place in np.flatnonzero(row)}
