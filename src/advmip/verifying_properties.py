"""Verification of a property on a network, both in files, and answers in the competition's words.

A counterexample on an ONNX file is said only after onnxruntime has confirmed it on the file itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from advmip.checking.onnx_runtime import Counterexample, OnnxRuntime, Vector
from advmip.checking.replay import Replay
from advmip.durability.storage import check_writable, write_array, write_text
from advmip.errors import InputError
from advmip.memory import keep_freed_memory
from advmip.mip.verification import Outcome, Verdict, verify
from advmip.networks import Network, load_network
from advmip.properties import Property, load_property
from advmip.threads import use_threads

ONNX = (".onnx", ".onnx.gz")
VNNLIB = (".vnnlib", ".vnnlib.gz")

# Whoever has taken so much of the time has been stopped.
_NEARLY = 0.95
_DENIED = "onnxruntime does not confirm the counterexample that was found: rounding decides"


@dataclass(frozen=True)
class Answer:
    """What is known of a property of a network.

    Attributes:
        status: "holds", "violated" or "unknown".
        counterexample: Confirmed; None unless violated.
        verdict: What verification said.
        confirmed: Whether it was onnxruntime that confirmed it.
        in_time: Whether there was time left.
    """

    status: Outcome
    counterexample: Counterexample | None
    verdict: Verdict
    confirmed: bool
    in_time: bool

    @property
    def reason(self) -> str:
        """Why it is unknown; empty if it is not."""
        verdict = self.verdict
        if self.status is not Outcome.UNKNOWN:
            return ""
        if verdict.status is Outcome.VIOLATED:
            return _DENIED
        if verdict.tied:
            return "float64 cannot tell whether there is a counterexample: the least may be 0"
        if not self.in_time:
            return "no time is left"
        return verdict.reason if not verdict.solver else "no bound is clear of rounding"

    @property
    def word(self) -> str:
        """The competition's word: "sat" if there is a counterexample, "unsat", ..., "timeout"."""
        if self.status is Outcome.UNKNOWN and not self.in_time:
            return "timeout"
        return {Outcome.HOLDS: "unsat", Outcome.VIOLATED: "sat"}.get(self.status, "unknown")

    @property
    def in_competition(self) -> str:
        """The competition's result file: the word, and below it the counterexample."""
        if self.counterexample is None:
            return f"{self.word}\n"
        named = (("X", self.counterexample.inputs), ("Y", self.counterexample.outputs))
        lines = [
            f"({name}_{place} {value!r})"
            for name, values in named
            for place, value in enumerate(values.tolist())
        ]
        return f"{self.word}\n(" + "\n ".join(lines) + ")\n"


def the_property(named: Sequence[str]) -> Path | None:
    """The property that is named in place of images; None where images are.

    Args:
        named: Files, and ranges of test images.

    Raises:
        InputError: There is something besides the property, or nothing at all.
    """
    files = [name for name in named if name.endswith(VNNLIB)]
    if named and not files:
        return None
    if len(named) != 1:
        raise InputError(
            subject="what is to be verified",
            found=", ".join(named) or "nothing",
            expected="images, or one property (.vnnlib)",
            mend="verify each property by itself, or many with `advmip vnncomp`",
        )
    return Path(files[0])


def answered(
    network_file: Path,
    property_: Property,
    *,
    layout: str | None = None,
    time_limit: float = 300.0,
    **how: Any,
) -> Answer:
    """Verify a property of a network in a file.

    Args:
        network_file: The network.
        property_: The property.
        layout: What the axes of the network's input mean, as `load_network` takes it.
        time_limit: Seconds, above 0; reading the network comes before.
        how: The other arguments of `verify`.

    Raises:
        InputError: The network cannot be read or is of another size, onnxruntime is missing or does
            not run it, or an argument is wrong.
        CheckError: The network as it was read does not confirm a counterexample.
    """
    use_threads(how.get("threads", 1))
    keep_freed_memory()
    network = load_network(network_file, layout)
    runtime = OnnxRuntime(network_file) if str(network_file).endswith(ONNX) else None
    verdict = verify(network, property_, time_limit=time_limit, **how)
    found = None
    if verdict.adversarial is not None:
        point = verdict.adversarial.ravel()
        if runtime is None:
            found = Counterexample(point, _outputs(network, verdict.adversarial))
        else:
            found = runtime.confirmed(property_, point)
    denied = verdict.status is Outcome.VIOLATED and found is None
    return Answer(
        status=Outcome.UNKNOWN if denied else verdict.status,
        counterexample=found,
        verdict=verdict,
        confirmed=runtime is not None,
        in_time=denied or verdict.seconds < _NEARLY * time_limit,
    )


def verify_file(network_file: Path, property_file: Path, out: Path | None, **how: Any) -> Answer:
    """Verify a property, print a line, and write what is asked for.

    Args:
        network_file: The network.
        property_file: The property, VNN-LIB of version 1 or 2.
        out: A file: `.npy` for the counterexample's inputs, if there is one; `.txt` for the
            competition's result file, whatever the answer is.
        how: As for `answered`.

    Raises:
        InputError: As for `answered`, or the property cannot be read.
        CheckError: As for `answered`.
    """
    if out is not None:
        if out.suffix not in (".npy", ".txt"):
            raise InputError(
                subject=f"file {out}",
                found=f"a name ending in {out.suffix!r}",
                expected=".npy for the counterexample's inputs, or .txt for the competition's file",
                mend="name such a file",
            )
        check_writable(out)
    answer = answered(network_file, load_property(property_file), **how)
    told = answer.verdict.proof_in_words(how.get("proof") is not None)
    print(f"{property_file}: {_line(answer)}{told}", flush=True)
    if out is not None and out.suffix == ".txt":
        write_text(out, answer.in_competition)
    elif out is not None and answer.counterexample is not None:
        write_array(out, answer.counterexample.inputs)
    return answer


def _outputs(network: Network, point: Vector) -> Vector:
    """What a network that no ONNX file holds gives for a point, in its own precision."""
    return np.asarray(Replay(network).rounded(point[None])[0])


def _line(answer: Answer) -> str:
    """The answer in a line."""
    verdict = answer.verdict
    where = "confirmed by onnxruntime" if answer.confirmed else verdict.precision.in_words
    explained = {
        Outcome.HOLDS: f", by {verdict.evidence.value}; every point lacks at least "
        f"{verdict.margins.min():.4g} of a counterexample",
        Outcome.VIOLATED: f", {where}",
        Outcome.UNKNOWN: f" ({answer.reason})",
    }
    return f"{answer.status.value}{explained[answer.status]}; {verdict.seconds:.2f} s"
