"""The verification of images on one network, for one kind of ball, and of properties."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from advmip.checking.attacks import check_attack
from advmip.checking.counterexamples import check_counterexample
from advmip.checking.proofs import BallQuestion, ProofWriter, check_proof_name
from advmip.checking.replay import Precision
from advmip.errors import InputError, unknown_name
from advmip.mip.bounds.balls import NORMS, Ball
from advmip.mip.distances import Box, distance_named
from advmip.mip.domain import Domain
from advmip.mip.goals import counterexample, untargeted
from advmip.mip.input_conditions import on_outputs_alone
from advmip.mip.margins import lead, runner_up, typical_size
from advmip.mip.model import Vector
from advmip.mip.solvers import Options, check_solver
from advmip.mip.verification.region_verification import PHASES, Decision, RegionVerification
from advmip.mip.verification.specification import Specification
from advmip.mip.verification.verdict import (
    Evidence,
    Outcome,
    Proof,
    Verdict,
    VerificationIngredients,
)
from advmip.networks.network import Network
from advmip.networks.tracing import as_classifier, as_function
from advmip.properties import Property
from advmip.threads import held_to

# Points of a property's box at which the size of a network's outputs is measured.
_SAMPLES = 16


class Verifier:
    """Verifies images on one network, for one kind of ball.

    Args:
        network: The network.
        epsilon: The ball's radius, above 0 and at most the distance of two images.
        norm: "linf", "l1" or "l2".
        time_limit: Seconds for each image, above 0; what is made once for a network comes before.
        solver: "auto", "gurobi", "scip" or "highs".
        threads: Threads of the solver and of the linear algebra.
        seed: Of the gradient attack and the solver.
        ingredients: What verification consists of.
        failures: The folder for an adversarial image that fails its check.
        lower: The least value that a pixel may have, or that each may, of the input's shape.
        upper: The largest.

    Raises:
        InputError: A number is out of range, there is no such norm, or the network has an
            operation that is not supported.
    """

    def __init__(
        self,
        network: Network,
        epsilon: float = 0.1,
        norm: str = "linf",
        *,
        time_limit: float = 300.0,
        solver: str = "auto",
        threads: int = 1,
        seed: int = 0,
        ingredients: VerificationIngredients | None = None,
        failures: Path = Path("failures"),
        lower: ArrayLike = 0.0,
        upper: ArrayLike = 1.0,
    ) -> None:
        network = as_classifier(network)
        self._specification = Specification(
            network,
            solver,
            Options(time_limit=time_limit, threads=threads, seed=seed),
            ingredients or VerificationIngredients(),
            failures,
        )
        if norm not in NORMS:
            raise unknown_name("norm", norm, NORMS)
        check_solver(solver, cones=norm == "l2")
        self._domain = Domain.of(lower, upper, network)
        sides = self._domain.upper - self._domain.lower
        order = {"linf": np.inf, "l1": 1, "l2": 2}[norm]
        farthest = float(np.linalg.norm(sides, order))
        if not 0 < epsilon <= farthest:
            raise InputError(
                subject="epsilon of the verification",
                found=str(epsilon),
                expected=f"above 0, at most {farthest:g}",
                mend="correct epsilon",
            )
        self._radius, self._norm = epsilon, norm

    def verdict(
        self, image: NDArray[np.floating], label: int, proof: Path | None = None
    ) -> Verdict:
        """Verify an image.

        Args:
            image: In the domain, of the network's input shape.
            label: Its true class.
            proof: The file (.npz) to write the proof to, if forms or a tree prove it robust.

        Raises:
            InputError: The image does not fit or leaves the domain, there is no such class, or the
                proof cannot be written.
            CheckError: The network itself does not confirm an adversarial image.
        """
        form, options = self._specification.form, self._specification.options
        if label not in range(form.classes):
            raise InputError(
                subject="label of the image",
                found=str(label),
                expected=f"a class from 0 to {form.classes - 1}",
                mend="correct the label",
            )
        pixels = self._domain.pixels_of(self._specification.network, image)
        logits = form.logits(pixels)
        if lead(logits, label) >= 0:
            return _misclassified(runner_up(logits, label), form.classes)
        goal = untargeted(label, form.classes)
        domain = self._domain.lower, self._domain.upper
        ball = _ball(pixels, self._radius, self._norm, *domain)
        with held_to(options.threads), _writer(proof) as writer:
            decision = RegionVerification(
                self._specification,
                ball,
                goal,
                typical_size(goal, logits),
                options.time_limit,
                writer.region() if writer else None,
            ).decision()
            verdict = self._concluded(decision, pixels, label)
            if not (writer and proof and decision.recorded):
                return verdict
            question = BallQuestion(pixels, label, self._radius, self._norm, *domain)
            writer.write(proof, question, self._specification.network)
            return replace(verdict, proof=str(proof))

    def _concluded(self, decision: Decision, pixels: Vector, label: int) -> Verdict:
        specification, domain = self._specification, self._domain
        shape, classes = specification.form.input_shape, specification.form.classes
        margins = np.full(classes, np.inf)
        margins[np.arange(classes) != label] = decision.margins
        decision = replace(decision, margins=margins)
        if decision.point is None:
            status = Outcome.ROBUST if decision.excluded else Outcome.UNKNOWN
            return _verdict(decision, status, None, Precision.NONE, label)
        box = Box.around(pixels, shape)
        distance = distance_named(self._norm).value(decision.point - pixels, box)
        adversarial = decision.point.reshape(shape)
        precision = check_attack(
            specification.network,
            image=pixels.reshape(shape),
            adversarial=adversarial,
            claimed=distance,
            measured=distance,
            surplus=lambda logits: lead(logits, label),
            folder=specification.failures,
            ball=(self._radius, self._norm),
            domain=(domain.lower.reshape(shape), domain.upper.reshape(shape)),
        )
        predicted = int(specification.form.logits(decision.point).argmax())
        return _verdict(decision, Outcome.ATTACKABLE, adversarial, precision, predicted)


def verify_property(
    specification: Specification, property_: Property, proof: Path | None = None
) -> Verdict:
    """Prove that no point is a counterexample of a property, or find one.

    Cases of the same box are verified together, one box after the other.

    Args:
        specification: The network, and how it is verified.
        property_: The property.
        proof: The file (.npz) to write the proof to, if forms or trees prove that it holds.

    Raises:
        InputError: The property speaks of a network of another size, or the proof cannot be
            written.
        CheckError: The network itself does not confirm a counterexample.
    """
    form, options = specification.form, specification.options
    property_.check_sizes(form.pixels, form.classes)
    network, asked = on_outputs_alone(specification.network, form.classes, property_)
    widened = specification if asked is property_ else replace(specification, network=network)
    outputs = widened.form
    decisions: list[Decision] = []
    spent = 0.0
    with held_to(options.threads), _writer(proof) as writer:
        for cases in asked.boxes:
            lower, upper = cases[0].lower, cases[0].upper
            goal = counterexample(cases, outputs.classes)
            ball = _ball(lower + 0.5 * (upper - lower), np.inf, "linf", lower, upper)
            typical = typical_size(goal, outputs.logits(_samples(lower, upper, options.seed)))
            left = max(options.time_limit - spent, 1e-3)
            region = writer.region() if writer else None
            verification = RegionVerification(widened, ball, goal, typical, left, region)
            decisions.append(verification.decision())
            spent += decisions[-1].seconds
            if decisions[-1].point is not None:
                break
        whole = _joined(decisions)
        if writer and proof and whole.recorded:
            writer.write(proof, property_, specification.network)
    if whole.point is None:
        status = Outcome.HOLDS if whole.excluded else Outcome.UNKNOWN
        verdict = _verdict(whole, status, None, Precision.NONE, None)
        return replace(verdict, proof=str(proof)) if whole.recorded else verdict
    point = whole.point.reshape(form.input_shape)
    precision = check_counterexample(
        specification.network, property_, point, specification.failures
    )
    return _verdict(whole, Outcome.VIOLATED, point, precision, None)


def verify(
    network: nn.Module,
    image: NDArray[np.floating] | Property,
    label: int | None = None,
    epsilon: float = 0.1,
    norm: str = "linf",
    time_limit: float = 300.0,
    solver: str = "auto",
    threads: int = 1,
    seed: int = 0,
    ingredients: VerificationIngredients | None = None,
    failures: Path = Path("failures"),
    lower: ArrayLike = 0.0,
    upper: ArrayLike = 1.0,
    proof: Path | None = None,
) -> Verdict:
    """Prove that a property holds, or a ball around an image has no adversarial example, or refute.

    For many images on one network, a `Verifier` prepares the network once.

    Args:
        network: The network, or a module of torch (`from_torch`) where there is an image.
        image: An image in the domain, of the network's input shape; or a property.
        label: The image's true class; the network's answer if left out.
        epsilon: The ball's radius, above 0 and at most the distance of two images.
        norm: "linf", "l1" or "l2".
        time_limit: Seconds, above 0; what is made once for a network comes before.
        solver: "auto", "gurobi", "scip" or "highs".
        threads: Threads of the solver and of the linear algebra.
        seed: Of the gradient attack and the solver.
        ingredients: What verification consists of.
        failures: The folder for a counterexample that fails its check.
        lower: The least value that a pixel may have, or that each may, of the input's shape; a
            property has its own box.
        upper: The largest.
        proof: The file (.npz) to write the proof to, if forms or trees find one.

    Raises:
        InputError: The image does not fit or leaves the domain, the property is that of another
            network, or a name or number is not one that is known.
        CheckError: The network itself does not confirm a counterexample.
    """
    if isinstance(image, Property):
        options = Options(time_limit=time_limit, threads=threads, seed=seed)
        chosen = ingredients or VerificationIngredients()
        asked = Specification(as_function(network), solver, options, chosen, failures)
        return verify_property(asked, image, proof)
    network = as_classifier(network, np.shape(image))
    verifier = Verifier(
        network,
        epsilon,
        norm,
        time_limit=time_limit,
        solver=solver,
        threads=threads,
        seed=seed,
        ingredients=ingredients,
        failures=failures,
        lower=lower,
        upper=upper,
    )
    return verifier.verdict(image, network.answer(image) if label is None else label, proof)


def _writer(proof: Path | None) -> ProofWriter | nullcontext[None]:
    """Takes a proof while it is found; nothing if none is asked for.

    Raises:
        InputError: It could not be written there.
    """
    if proof is None:
        return nullcontext()
    check_proof_name(proof)
    return ProofWriter()


def _ball(centre: Vector, radius: float, norm: str, lower: Vector, upper: Vector) -> Ball:
    return Ball(
        torch.from_numpy(centre[None]),
        radius,
        norm,
        torch.from_numpy(lower),
        torch.from_numpy(upper),
    )


def _samples(lower: Vector, upper: Vector, seed: int) -> Vector:
    """Points (inputs, N) of a box, its centre among them."""
    shares = np.random.default_rng(seed).random((len(lower), _SAMPLES))
    shares[:, 0] = 0.5
    return lower[:, None] + shares * (upper - lower)[:, None]


def _joined(decisions: list[Decision]) -> Decision:
    """What is known of several regions together."""
    order = list(Evidence)
    last = decisions[-1]
    return Decision(
        point=last.point,
        recorded=all(each.recorded for each in decisions),
        margins=np.concatenate([each.margins for each in decisions]),
        evidence=max((each.evidence for each in decisions), key=order.index),
        tied=any(each.tied for each in decisions),
        unstable=max(each.unstable for each in decisions),
        nodes=sum(each.nodes for each in decisions),
        solver=last.solver,
        reason=last.reason,
        seconds=sum(each.seconds for each in decisions),
        processor_seconds=sum(each.processor_seconds for each in decisions),
        phases={phase: sum(each.phases[phase] for each in decisions) for phase in last.phases},
    )


def _misclassified(predicted: int, classes: int) -> Verdict:
    nothing = Proof(
        evidence=Evidence.NONE,
        margins=np.full(classes, -np.inf),
        phases=dict.fromkeys(PHASES, 0.0),
    )
    return _verdict(nothing, Outcome.MISCLASSIFIED, None, Precision.NONE, predicted)


def _verdict(
    proof: Proof,
    status: Outcome,
    adversarial: NDArray[np.float64] | None,
    precision: Precision,
    predicted: int | None,
) -> Verdict:
    proved = status in (Outcome.ROBUST, Outcome.HOLDS)
    said = {each.name: getattr(proof, each.name) for each in fields(Proof)}
    said["evidence"] = proof.evidence if proved else Evidence.NONE
    said["tied"] = status is Outcome.UNKNOWN and proof.tied
    return Verdict(
        **said,
        status=status,
        adversarial=adversarial,
        precision=precision,
        predicted=predicted,
    )
