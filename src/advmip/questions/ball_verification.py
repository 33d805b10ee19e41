"""Whether a ball around an image holds an adversarial example."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from advmip.checking.proofs.files import SUFFIX
from advmip.checking.replay import Precision
from advmip.durability.storage import check_writable, write_array
from advmip.errors import InputError
from advmip.mip.verification import Evidence, Outcome, Verdict, Verifier
from advmip.networks import Network
from advmip.questions.labelled_images import LabelledImage
from advmip.questions.question import Question, Row, recorded_fields


class BallVerification(Question[Verdict]):
    """Whether a ball holds an adversarial example; the arguments are those of `Verifier`.

    And `proof`, the name of a folder for proofs; None for none.
    """

    name: ClassVar[str] = "verification"
    asked_of: ClassVar[Callable[..., object]] = Verifier
    columns: ClassVar[tuple[str, ...]] = ("evidence", "least_margin", "rival")
    outcomes: ClassVar[tuple[str, ...]] = tuple(Outcome)

    def __init__(self, network: Network, failures: Path, how: Mapping[str, Any]) -> None:
        super().__init__(network, failures, how)
        how = dict(how)
        proof = how.pop("proof", None)
        self._proofs = None if proof is None else Path(proof)
        if self._proofs is not None and self._proofs.suffix == SUFFIX:
            raise InputError(
                subject=f"proofs {proof}",
                found=f"a name ending in {SUFFIX!r}",
                expected="a folder for the proofs of images, a file each",
                mend="name a folder",
            )
        if self._proofs is not None:
            check_writable(self._proofs / f"proof{SUFFIX}")
        self._verifier = Verifier(network, failures=failures, **how)

    def answer(self, each: LabelledImage) -> Verdict:
        """The verdict on an image."""
        proof = None
        if self._proofs is not None:
            proof = self._proofs / (re.sub(r"\W+", "-", each.name).strip("-") + SUFFIX)
        return self._verifier.verdict(each.image, each.label, proof)

    def recorded(self, answer: Verdict) -> dict[str, Any]:
        """The verdict's fields."""
        return recorded_fields(answer)

    def restored(self, record: Any) -> Verdict:
        """The verdict of these fields."""
        found = record["adversarial"]
        return Verdict(
            **record
            | {
                "status": Outcome(record["status"]),
                "adversarial": None if found is None else np.array(found, np.float64),
                "precision": Precision(record["precision"]),
                "evidence": Evidence(record["evidence"]),
                "margins": np.array(record["margins"], np.float64),
            }
        )

    def row(self, each: LabelledImage, answer: Verdict) -> Row:
        """What is known of the ball; the least margin is that over the rival."""
        rival = int(np.argmin(answer.margins))
        return {
            "outcome": answer.status.value,
            "predicted": answer.predicted,
            "evidence": answer.evidence.value,
            "least_margin": float(answer.margins[rival]),
            "rival": rival,
            "precision": answer.precision.value,
            "unstable": answer.unstable,
            "nodes": answer.nodes,
            "solver": answer.solver,
            "seconds": answer.seconds,
        }

    def line(self, each: LabelledImage, answer: Verdict) -> str:
        """The verdict in a line."""
        proof = answer.proof_in_words(self._proofs is not None)
        said = explained(each.label, answer)
        return f"{answer.status.value}, {said}; {answer.seconds:.2f} s{proof}"

    def keep(
        self, each: LabelledImage, answer: Verdict, stem: Path, *, picture: bool
    ) -> list[Path]:
        """Write the adversarial image."""
        if answer.adversarial is None:
            return []
        file = stem.with_name(f"{stem.name}.npy")
        write_array(file, answer.adversarial)
        return [file]


def explained(label: int, verdict: Verdict) -> str:
    """Why a verdict on an image of a class is what it is, in words."""
    worst = int(np.argmin(verdict.margins))
    return {
        Outcome.ROBUST: f"class {label}, by {verdict.evidence.value}; "
        f"margin at least {verdict.margins[worst]:.4g} over class {worst}",
        Outcome.ATTACKABLE: f"class {label} becomes {verdict.predicted}, "
        f"{verdict.precision.in_words}",
        Outcome.UNKNOWN: f"class {label}; float64 cannot tell who wins: the margin over class "
        f"{worst} may be 0"
        if verdict.tied
        else f"class {label}; margin at least {verdict.margins[worst]:.4g} over class {worst}"
        + (f" ({verdict.reason})" if verdict.reason and not verdict.solver else ""),
        Outcome.MISCLASSIFIED: f"class {label} is taken for {verdict.predicted}",
    }[verdict.status]
