"""Algorithm 1 with a verifier in place of a fixed set of adversarial points: Theorem 1 at work.

::

    min ||w - w_hat||^2   s.t.  f_y(x; w) >= f_j(x; w) + delta   for all x in the balls, all j != y
                                loss(w) <= loss(w_hat) + loss_slack                          (1)

Source: Zhao & Kronqvist 2024, Section 2: finitely many points stand for the balls (Theorem 1).
Which ones is asked anew at each iterate, until there is none left to be found.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from advmip.certified_finetuning.balls import Balls, Images
from advmip.certified_finetuning.certificates import Certificates
from advmip.certified_finetuning.fitness import left_out_of, refuse_tested
from advmip.certified_finetuning.iterates import Iterates
from advmip.certified_finetuning.result import Accuracy, Fate, Robustified, TunedImage
from advmip.certified_finetuning.worst_points import WorstPoints
from advmip.datasets import Dataset
from advmip.durability.storage import array_digest, check_writable
from advmip.errors import InputError, check_arguments, unknown_name
from advmip.finetuning import Finetuned, InfeasibleCutsError
from advmip.finetuning.gradient_rows import load_differentiation
from advmip.finetuning.parameters import distance
from advmip.finetuning.run import Run
from advmip.finetuning.separation import Separation
from advmip.gradient_attacks import accuracy
from advmip.mip.verification import Outcome, Verifier
from advmip.networks import Network, load_network, save_network
from advmip.networks.files import check_savable
from advmip.progress import track
from advmip.provenance import EXACT, code_digest

CUTS = ("certificates", "points")
# On which code iterates depend.
_CODE = ("certified_finetuning", "checking", "datasets", "finetuning", *EXACT, "networks")

# What rounding may move an iterate by that no cut has moved, relatively.
_STILL = 1e-9

_FATES = {
    Outcome.ROBUST: Fate.PROVED,
    Outcome.ATTACKABLE: Fate.ATTACKABLE,
    Outcome.UNKNOWN: Fate.UNKNOWN,
    Outcome.MISCLASSIFIED: Fate.ATTACKABLE,
}


def robustify(
    network: Network,
    train: Dataset,
    images: Images,
    epsilon: float,
    *,
    names: Sequence[str] | None = None,
    cuts: Literal["certificates", "points"] = "certificates",
    iterations: int = 50,
    omega: float = 0.0,
    margin: float | None = None,
    loss_slack: float = 0.0,
    unfit: Literal["refuse", "leave-out"] = "refuse",
    repair: bool = False,
    test: Dataset | None = None,
    time_limit: float = 1800.0,
    separation_time_limit: float = 5.0,
    image_time_limit: float = 60.0,
    solver: str = "auto",
    threads: int = 1,
    seed: int = 0,
    out: Path | None = None,
    journal: Path | None = None,
    failures: Path = Path("failures"),
    progress: bool = True,
) -> Robustified:
    """Changes a network as little as possible until chosen images are proved robust.

    Args:
        network: The trained network; it is not changed.
        train: The training data behind the loss.
        images: Images with their classes, of the network's input shape, in [0, 1].
        epsilon: The radius of the L-infinity balls around them, above 0.
        names: What the images are called in messages; by their places from 0 if left out.
        cuts: "certificates": of bounds that hold all over a ball; "points": at points that win.
        iterations: How many projections at most.
        omega: The weight of the training loss in the choice among candidates (19), in [0, 1];
            0 takes the proved iterate, or the one nearest to it. Points between w_hat and the
            iterates are candidates only where it is above 0: they miss cuts.
        margin: delta, by which the cuts ask classes to lead, in units of the logits, above 0; if
            left out, about a hundredth of how far those of the images are apart.
        loss_slack: xi, by which the training loss may rise.
        unfit: What is done with images that the network misclassifies, and with those of different
            classes that are not farther than 2 epsilon apart: "refuse" them, or "leave-out".
        repair: Whether images that the network misclassifies are to be made right as well, and
            so are not unfit.
        test: Test images, for the accuracy; it is that on `train` without.
        time_limit: Processor seconds in which new iterates are begun, those of iterations that are
            gone on from included, above 0.
        separation_time_limit: Seconds for each verdict on an image in an iteration, at least 0;
            above 0 for "points". With 0 linear forms alone say what is left to be cut.
        image_time_limit: Seconds for each verdict on an image at the end, above 0.
        solver: Of the verifier.
        threads: Of the verifier.
        seed: Of the augmentation and of the verifier.
        out: A file to save the network to, .safetensors; what is proved is proved of what it holds.
        journal: The record of iterates, to go on from; arrays are in a folder of its name.
        failures: The folder for an adversarial image that fails its check.
        progress: Show a bar.

    Raises:
        InputError: Unusable arguments or images, images that are unfit or of the test set, a
            network that cannot be bounded or saved, or cuts that no change of the weights
            satisfies (``InfeasibleCutsError``).
        CheckError: A projection or an adversarial image fails its check.
    """
    network = copy.deepcopy(network).cpu().frozen()
    for kind, given, known in (
        ("kind of cuts", cuts, CUTS),
        ("way with unfit images", unfit, ("refuse", "leave-out")),
    ):
        if given not in known:
            raise unknown_name(kind, given, known)
    check_arguments(
        "robustify",
        iterations=(iterations, iterations >= 1, "at least 1"),
        omega=(omega, 0.0 <= omega <= 1.0, "a weight between 0 and 1"),
        margin=(margin, margin is None or margin > 0.0, "above 0"),
        loss_slack=(loss_slack, loss_slack >= 0.0, "at least 0"),
        time_limit=(time_limit, time_limit > 0.0, "seconds, above 0"),
        separation_time_limit=(
            separation_time_limit,
            separation_time_limit >= 0.0,
            "seconds, at least 0",
        ),
    )
    ask = partial(
        Verifier,
        epsilon=epsilon,
        solver=solver,
        threads=threads,
        seed=seed,
        failures=failures,
    )
    ask(network, time_limit=image_time_limit)
    quickly = None
    if separation_time_limit > 0 or cuts == "points":
        quickly = partial(ask, time_limit=separation_time_limit)
        quickly(network)
    if out is not None:
        check_writable(out)
        check_savable(network, out)
    _check_train(network, train)
    every = Balls.of(network, images, epsilon)
    called = [f"image {place}" for place in range(len(every))] if names is None else names
    refuse_tested(every, called, test)
    left_out = left_out_of(network, every, called, refuse=unfit == "refuse", repair=repair)
    places = [place for place in range(len(every)) if place not in left_out]
    balls = every.taken(places)
    points: WorstPoints | None = None
    if cuts == "points" and quickly is not None:
        points = WorstPoints(network, balls, margin, quickly)
    separation: Separation = points or Certificates(network, balls, margin, quickly)
    load_differentiation()
    decisive = {
        "cuts": cuts,
        "epsilon": epsilon,
        "margin": margin,
        "loss_slack": loss_slack,
        "separation_time_limit": separation_time_limit,
        "solver": solver,
        "threads": threads,
        "seed": seed,
    }
    identity = _identity(network, train, balls, decisive)
    with nullcontext() if journal is None else Iterates(journal, identity) as record:
        run = Run(network, train, separation, loss_slack=loss_slack, seed=seed, record=record)
        stopped = _tuned(run, iterations, time_limit, progress=progress)
        run.finish()
    if omega > 0:
        run.search_lines(complete_pool=False, progress=progress)
    tuned = run.result((omega,))
    chosen = tuned.model(omega)
    if out is not None:
        save_network(chosen, out, {"robustified": decisive | {"start": network.digest}})
        chosen = load_network(out)
    started = time.process_time()
    verifier = ask(chosen, time_limit=image_time_limit)
    proofs = track(places, "proofs", enabled=progress)
    judged = {place: _judged(verifier, images[place]) for place in proofs}
    return Robustified(
        network=chosen,
        images=tuple((judged | left_out)[place] for place in range(len(every))),
        distance=distance(network.body, chosen.body),
        accuracy=_accuracy(network, chosen, train if test is None else test),
        points=0 if points is None else points.count,
        iterations=tuned.iterations,
        pool=tuned.pool,
        stopped=stopped,
        seconds=_seconds(tuned) | {"proofs": time.process_time() - started},
    )


def _tuned(run: Run, iterations: int, time_limit: float, *, progress: bool) -> str:
    """Project until everything is proved, as far as may be; says why it ends."""
    bar = track(range(iterations), "fine-tuning", enabled=progress)
    for _ in bar:
        if run.violation == 0:
            return "converged"
        if run.seconds >= time_limit:
            return "time"
        try:
            run.iterate()
        except InfeasibleCutsError:
            if not run.projections:
                raise
            return "infeasible"
        if run.violation and run.moved <= _STILL * (1.0 + run.distance):
            return "stalled"
        state = {"V": f"{run.violation:.3g}", "distance": f"{run.distance:.4g}"}
        bar.set_postfix(state, refresh=False)
    return "iterations" if run.violation else "converged"


def _judged(verifier: Verifier, labelled: tuple[np.ndarray[Any, Any], int]) -> TunedImage:
    """What is known of an image by the verifier alone."""
    image, label = labelled
    verdict = verifier.verdict(image, label)
    adversarial = verdict.adversarial
    if verdict.status is Outcome.MISCLASSIFIED:
        adversarial = np.asarray(image, np.float64)
    return TunedImage(label, _FATES[verdict.status], verdict, adversarial)


def _accuracy(before: Network, after: Network, data: Dataset) -> Accuracy:
    return Accuracy(
        data.split, *(accuracy(each, data.images, data.labels) for each in (before, after))
    )


def _seconds(tuned: Finetuned) -> dict[str, float]:
    return {
        str(name).removeprefix("seconds_"): float(tuned.iterations[name].sum())
        for name in tuned.iterations
        if str(name).startswith("seconds_")
    }


def _identity(
    network: Network, train: Dataset, balls: Balls, decisive: Mapping[str, Any]
) -> dict[str, Any]:
    """What every iterate depends on."""
    return {
        "code": code_digest(*_CODE),
        "network": network.digest,
        "train": array_digest(train.images, train.labels),
        "images": array_digest(balls.centres.numpy(), balls.labels.numpy()),
        **decisive,
    }


def _check_train(network: Network, train: Dataset) -> None:
    shape = train.images.shape[1:]
    if shape != network.layout.shape:
        raise InputError(
            subject="training images",
            found=f"arrays of shape {shape}",
            expected=f"{network.layout.shape}, as the network takes them",
            mend="name the data set that the network classifies",
        )
