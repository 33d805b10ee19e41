"""What verification says of an image, and what it may consist of."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from advmip.checking.replay import Precision
from advmip.mip.model import Vector


class Outcome(StrEnum):
    """What is known of a ball of images."""

    HOLDS = "holds"  # of a property, proved: no point is a counterexample
    VIOLATED = "violated"  # of a property: a point is one
    ROBUST = "robust"  # proved: every image in it keeps the class
    ATTACKABLE = "attackable"  # an image in it has another class
    UNKNOWN = "unknown"  # neither, within the time or beyond rounding
    MISCLASSIFIED = "misclassified"  # the image itself has another class


class Evidence(StrEnum):
    """What excludes the last class that might have won."""

    NONE = ""
    INTERVAL = "interval"
    LINEAR = "linear"
    TREE = "tree"
    RELAXATION = "lp"
    MIXED_INTEGER = "mip"


@dataclass(frozen=True)
class VerificationIngredients:
    """What verification consists of; each may be left out, as in Tjeng's Table 1.

    Attributes:
        progressive: Bounds are made tighter step by step, where a sign is still open; otherwise
            two linear programs bound every neuron.
        ball: Neurons are bounded over the ball around the image, not over all images.
        tight: Each neuron has its own bounds in the programs, not the largest of all.
        tree: A tree with bounds by linear forms comes before any program, where forms do.
        shortcuts: Linear forms and a gradient attack settle what they can before any program;
            otherwise intervals, linear and mixed-integer programs do all of it, as published.
    """

    progressive: bool = True
    ball: bool = True
    tight: bool = True
    tree: bool = True
    shortcuts: bool = True

    @property
    def forms(self) -> bool:
        """Whether linear forms bound neurons and margins."""
        return self.progressive and self.shortcuts


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What was proved, and what it took.

    Attributes:
        evidence: What a proof rests on, "interval", "linear", "tree", "lp" or "mip": the dearest
            that was needed for any class or case. Empty for none.
        margins: For each case a proved bound of what every point lacks of it, above 0 where it is
            excluded; -inf where nothing was proved. Of an image, for each class j a proved lower
            bound of o_y - o_j over the ball, and inf for the true class y.
        tied: Whether something is open because its margin is 0 but for rounding: float64 cannot
            tell who wins.
        unstable: Neurons whose sign was open at the end.
        nodes: Nodes of our tree and of the solver's.
        solver: The solver that was taken; empty if none was needed.
        reason: Why it was, or why none was allowed to decide.
        seconds: Wall time of everything.
        processor_seconds: Processor time of everything, all threads together.
        phases: Processor seconds by phase.
    """

    evidence: Evidence
    margins: Vector
    tied: bool = False
    unstable: int = 0
    nodes: int = 0
    solver: str = ""
    reason: str = ""
    seconds: float = 0.0
    processor_seconds: float = 0.0
    phases: dict[str, float] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Verdict(Proof):
    """Whether an image is robust, or a property holds.

    An image is *attackable* if some image in the ball and in [0, 1] has another class whose logit
    is at least that of the true class, and *robust* if there is none; a tie is a win for the
    attacker (`mip.margins`). Where the two are equal but for rounding, the status is *unknown*.
    (The images that are found win outright, by more than rounding.) Likewise a property *holds*
    if no point is a counterexample, of which the border is a part, and is *violated* if one is.

    Attributes:
        status: "robust", "attackable", "unknown" or "misclassified"; of a property "holds",
            "violated" or "unknown".
        adversarial: An image in the ball with another class, or a counterexample, confirmed by the
            network itself; None unless attackable or violated.
        precision: In which arithmetic the network itself confirms that image: "float32", in float64
            and in float32 by more than any library rounds; "float64", in float64 alone; else empty.
        predicted: The network's class of that image, or of a misclassified one; else the label;
            None for properties.
        proof: The file that the proof was written to; empty if none was asked for, or there is
            none: what rests on programs has no proof in a file.
    """

    status: Outcome
    adversarial: NDArray[np.float64] | None
    precision: Precision
    predicted: int | None
    proof: str = ""

    def proof_in_words(self, asked: bool) -> str:
        """Where the proof is, if one was asked for, as the end of a line."""
        if not asked or self.status not in (Outcome.ROBUST, Outcome.HOLDS):
            return ""
        return (
            f"; proof in {self.proof}"
            if self.proof
            else "; no proof in a file: it rests on programs"
        )
