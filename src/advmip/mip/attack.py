"""The smallest perturbation that changes a network's decision, with proof."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advmip.checking.attacks import check_attack
from advmip.errors import InputError, unknown_name
from advmip.mip.bounds import NETWORK_BOUNDS, network_bounds
from advmip.mip.branch_and_bound import STRATEGIES
from advmip.mip.deadline import until
from advmip.mip.distances import Box, Distance, distance_named
from advmip.mip.encoding import Interval
from advmip.mip.formulations import Formulation, formulation_named
from advmip.mip.hunt import HUNTS, PROGRESSIVE, Attack, Hunt
from advmip.mip.mipverify import MIPVERIFY
from advmip.mip.model import Vector
from advmip.mip.problem import Problem
from advmip.mip.solvers import AUTO, SOLVERS, Options
from advmip.mip.targets import Goal, Targeted, Untargeted
from advmip.networks.network import Network
from advmip.networks.staged import StagedNetwork
from advmip.networks.staging import staged
from advmip.threads import held_to

# Bounds over the whole box have this share of the time at most: a solver needs the rest.
_BOUNDS_SHARE = 0.5


def minimal_attack(
    network: Network,
    image: NDArray[np.floating],
    label: int,
    distance: str | Distance = "linf",
    target: int | None = None,
    ratio: float = 1.0,
    margin: float = 1e-6,
    formulation: str | Formulation = "big-m",
    bounds: str | Sequence[Interval] = PROGRESSIVE,
    solver: str = "auto",
    time_limit: float = 300.0,
    gap: float = 1e-4,
    threads: int = 1,
    seed: int = 0,
    failures: Path = Path("failures"),
) -> Attack:
    """Find the nearest image that the network classifies otherwise.

    With bounds "progressive", a gradient search and the linear programs of activation patterns
    give a first attack. Its distance U cuts the box to the ball {distance <= U}, over which the
    neurons are bounded by linear forms, then by linear programs; what becomes stable loses its
    binary. The solver must only beat U. When it finds a clearly nearer attack early, the ball
    shrinks again. If it has not come to its end after 85 % of the time, the rest is for a better
    lower bound, in smaller balls that grow.

    Args:
        network: The network.
        image: In [0, 1], of the network's input shape.
        label: Its true class, which the network must predict.
        distance: "l0", "l1", "l2", "l2-K" (K breakpoints), "linf", "tv", "tv-isotropic", "l1+tv",
            or a `Distance`.
        target: The class to be reached; any other class if left out.
        ratio: The factor by which the winner's logit must exceed the others', at least 1 (1.2 in
            Fischetti & Jo and in Zhu, equation (15)).
        margin: By how much it must exceed them besides, above 0.
        formulation: "big-m", "big-m-output", "indicator", "partition", or a `Formulation`.
        bounds: "progressive"; "progressive-without-" and one of its `Ingredients`; a method of
            `network_bounds`; or bounds that hold over [0, 1].
        solver: "auto", "gurobi", "scip", "highs", one of `branch_and_bound.STRATEGIES`, or
            "mipverify": MIPVerify.jl's model (`mip.mipverify`), for Gurobi or an open solver.
        time_limit: Seconds, above 0, from when the network has its staged form, which is made once
            for a network. Bounds over the whole box that are named have half of them at most; what
            is proved until then holds.
        gap: The relative gap that counts as proof.
        threads: Threads of the solver and of the linear algebra.
        seed: Of the search and the solver.
        failures: The folder for an answer that fails its check.

    Raises:
        InputError: The image does not fit or leaves [0, 1], the network does not predict the
            label, the target is the label, or a name or number is not one that is known.
        CheckError: The network itself does not confirm the answer.
    """
    form = staged(network)
    begun = time.perf_counter()
    _check_numbers(ratio=ratio, margin=margin, time_limit=time_limit, gap=gap)
    pixels = pixels_of(form, image)
    goal = _goal(form, pixels, label, target, ratio, margin)
    measure = distance_named(distance) if isinstance(distance, str) else distance
    shape = formulation_named(formulation) if isinstance(formulation, str) else formulation
    problem = Problem(form, pixels, measure, goal, Box.around(pixels, form.input_shape))
    options = Options(time_limit=time_limit, threads=threads, gap=gap, seed=seed)
    if isinstance(bounds, str) and bounds not in (*HUNTS, *NETWORK_BOUNDS):
        raise unknown_name("bounds", bounds, (*HUNTS, *NETWORK_BOUNDS))
    solvers = (AUTO, *SOLVERS, *STRATEGIES, MIPVERIFY)
    if solver not in solvers:
        raise unknown_name("solver", solver, solvers)
    hunt = Hunt(problem, shape, solver, options, begun)
    with held_to(threads):
        if isinstance(bounds, str) and bounds in HUNTS:
            hunt.progressively(HUNTS[bounds])
        else:
            with until(begun + _BOUNDS_SHARE * time_limit):
                known = network_bounds(form, bounds) if isinstance(bounds, str) else list(bounds)
            hunt.plainly(known)
    attack = hunt.answer()
    if attack.adversarial is not None:
        check_attack(
            network,
            image=pixels.reshape(form.input_shape),
            adversarial=attack.adversarial,
            claimed=attack.distance,
            measured=measure.value(attack.adversarial.ravel() - pixels, problem.box),
            surplus=lambda logits: float(goal.surplus(logits)) + margin,
            folder=failures,
        )
    return attack


def pixels_of(network: StagedNetwork, image: NDArray[np.floating]) -> Vector:
    """An image (pixels,) in float64.

    Raises:
        InputError: It is not of the network's input shape, or leaves [0, 1].
    """
    array = np.asarray(image, np.float64)
    if array.shape != network.input_shape:
        raise InputError(
            subject="image to attack",
            found=f"an array of shape {array.shape}",
            expected=f"shape {network.input_shape}, the network's input without a batch axis",
            mend="reshape the image, or name another network",
        )
    if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
        raise InputError(
            subject="image to attack",
            found=f"pixels from {array.min():.6g} to {array.max():.6g}",
            expected="finite pixels in [0, 1]",
            mend="divide by 255 if the pixels are bytes; undo a normalisation",
        )
    return array.ravel()


def _goal(
    network: StagedNetwork,
    image: Vector,
    label: int,
    target: int | None,
    ratio: float,
    margin: float,
) -> Goal:
    for name, number in (("label", label), ("target", target)):
        if number is not None and number not in range(network.classes):
            raise InputError(
                subject=f"{name} of the attack",
                found=str(number),
                expected=f"a class from 0 to {network.classes - 1}",
                mend=f"correct the {name}",
            )
    predicted = int(np.argmax(network.logits(image)))
    if predicted != label:
        raise InputError(
            subject="image to attack",
            found=f"an image of class {label} that the network takes for {predicted}",
            expected="an image that the network classifies correctly",
            mend="choose another image: this one needs no attack",
        )
    if target is None:
        return Untargeted(label, network.classes, ratio, margin)
    if target == label:
        raise InputError(
            subject="target of the attack",
            found=f"{target}, the true class",
            expected="another class, or none for any other class",
            mend="choose another target",
        )
    return Targeted(target, network.classes, ratio, margin)


def _check_numbers(*, ratio: float, margin: float, time_limit: float, gap: float) -> None:
    for name, number, right, expected in (
        ("ratio", ratio, 1 <= ratio < np.inf, "1 or more"),
        ("margin", margin, 0 < margin < np.inf, "a number above 0"),
        ("time_limit", time_limit, time_limit > 0, "seconds, above 0"),
        ("gap", gap, 0 <= gap < 1, "from 0 to below 1"),
    ):
        if not right:
            raise InputError(
                subject=f"{name} of the attack",
                found=str(number),
                expected=expected,
                mend=f"correct {name}",
            )
