"""The smallest perturbation that changes a network's decision, with proof."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from advmip.checking.attacks import check_attack
from advmip.checking.replay import Replay
from advmip.errors import InputError, unknown_name
from advmip.margins import USUAL
from advmip.mip.attack_tree import STRATEGIES
from advmip.mip.bounds import NETWORK_BOUNDS, network_bounds
from advmip.mip.deadline import until
from advmip.mip.distances import Box, Distance, distance_named
from advmip.mip.domain import Domain, allowed_changes
from advmip.mip.encoding import Interval
from advmip.mip.exact_attack import PROGRESSIVE, PROGRESSIVE_VARIANTS, Attack, ExactAttack
from advmip.mip.formulations import Formulation, formulation_named
from advmip.mip.goals import Goal, counterexample, targeted, untargeted
from advmip.mip.heuristics.ball_attack import logits_of
from advmip.mip.input_conditions import on_outputs_alone
from advmip.mip.margins import lead, runner_up, typical_size
from advmip.mip.mipverify import MIPVERIFY
from advmip.mip.model import Vector
from advmip.mip.problem import Problem
from advmip.mip.solvers import AUTO, SOLVERS, Options
from advmip.networks.staged import StagedNetwork
from advmip.networks.staging import staged
from advmip.networks.tracing import as_classifier, as_function
from advmip.properties import Property
from advmip.threads import held_to

# By how much a winner must win unless told otherwise, where logits are of the usual scale.
_MARGIN = 1e-6
# Attacks are sought so many times as clear of rounding as they must be.
_AMPLY = 2.0
# Bounds over the whole box have this share of the time at most: a solver needs the rest.
_BOUNDS_SHARE = 0.5


def minimal_attack(
    network: nn.Module,
    image: NDArray[np.floating],
    label: int | Property,
    distance: str | Distance = "linf",
    target: int | None = None,
    ratio: float = 1.0,
    margin: float | None = None,
    formulation: str | Formulation = "big-m",
    bounds: str | Sequence[Interval] = PROGRESSIVE,
    solver: str = "auto",
    time_limit: float = 300.0,
    gap: float = 1e-4,
    threads: int = 1,
    seed: int = 0,
    failures: Path = Path("failures"),
    lower: ArrayLike = 0.0,
    upper: ArrayLike = 1.0,
    allowed: ArrayLike | None = None,
) -> Attack:
    """Find the nearest image that the network classifies otherwise, or that violates a property.

    With bounds "progressive", a gradient search and the linear programs of activation patterns
    give a first attack. Its distance U cuts the box to the ball {distance <= U}, over which the
    neurons are bounded by linear forms, then by linear programs; what becomes stable loses its
    binary. In L-infinity, if the solver is left open, a tree over signs with bounds by forms tries
    to exclude all that is nearer, in turn with the solver. The solver must only beat U. When it
    finds a clearly nearer attack early, the ball shrinks again. If it has not come to its end after
    85 % of the time, the rest is for a better lower bound, in smaller balls that grow.

    Args:
        network: The network, or a module of torch (`from_torch`).
        image: In the domain, of the network's input shape, or as `Layout.own` takes it.
        label: Its true class, which the network must predict; or a property of one box, whose
            nearest counterexample is sought in that box.
        distance: "l0", "l1", "l2", "l2-K" (K breakpoints), "linf", "tv", "tv-isotropic", "l1+tv",
            or a `Distance`.
        target: The class to be reached; any other class if left out.
        ratio: The factor by which the winner's logit must exceed the others', at least 1 (1.2 in
            Fischetti & Jo and in Zhu, equation (15)).
        margin: By how much it must exceed them besides, in units of the logits, above 0; if left
            out, a ten-millionth of how far the image's logits are apart.
        formulation: "big-m", "big-m-output", "indicator", "partition", or a `Formulation`.
        bounds: "progressive"; "progressive-without-" and one of its `Ingredients`; a method of
            `network_bounds`; or bounds that hold over the domain.
        solver: "auto", "gurobi", "scip", "highs", one of `attack_tree.STRATEGIES`, or
            "mipverify": MIPVerify.jl's model (`mip.mipverify`), for Gurobi or an open solver.
        time_limit: Seconds, above 0, from when the network has its staged form, which is made once
            for a network. Bounds over the whole box that are named have half of them at most; what
            is proved until then holds.
        gap: The relative gap of distance and lower bound that counts as proof; solvers are asked
            for it of their objective, for L2 the square.
        threads: Threads of the solver and of the linear algebra.
        seed: Of the search and the solver.
        failures: The folder for an answer that fails its check.
        lower: The least value that a pixel may have, or that each may, of the input's shape.
        upper: The largest.
        allowed: Which pixels may be changed, flags of the input's shape; all if left out.

    The attack that is returned wins in float32 too, by more than rounding does there, where there
    is such a point within the gap; its `precision` says so.

    Raises:
        InputError: The image does not fit or leaves the domain, the network does not predict the
            label or the image is a counterexample itself, the target is the label, nothing is
            allowed to change, or a name or number is not one that is known.
        CheckError: The network itself does not confirm the answer.
    """
    if isinstance(label, Property):
        network = as_function(network, np.shape(image))
        lower, upper = _box_of(label, staged(network))
        network, label = on_outputs_alone(network, network.outputs(), label)
    else:
        network = as_classifier(network, np.shape(image))
    form = staged(network)
    begun = time.perf_counter()
    check_choices(
        distance=distance,
        formulation=formulation,
        bounds=bounds,
        solver=solver,
        ratio=ratio,
        margin=margin,
        time_limit=time_limit,
        gap=gap,
    )
    domain = Domain.of(lower, upper, network)
    pixels = domain.pixels_of(network, image)
    logits = form.logits(pixels)
    border = _border(label, logits, target, ratio)
    # The same problem for logits of any scale: tolerances are meant for those of the usual one.
    plain = border if isinstance(label, Property) else untargeted(label, form.classes)
    factor = USUAL / typical_size(plain, logits)
    goal = border.scaled(factor).with_margin(_MARGIN if margin is None else margin * factor)
    measure = distance_named(distance) if isinstance(distance, str) else distance
    measure = measure.over(float((domain.upper - domain.lower).max()))
    shape = formulation_named(formulation) if isinstance(formulation, str) else formulation
    layout = network.layout.of_image(np.shape(image))
    box = Box.around(pixels, layout, domain.lower, domain.upper)
    changing = allowed_changes(allowed, network)
    if changing is not None:
        box = box.on(changing)
    problem = Problem(
        form.with_logits_times(factor),
        pixels,
        measure,
        goal,
        box,
        lower=domain.lower,
        upper=domain.upper,
    )
    options = Options(time_limit=time_limit, threads=threads, gap=gap, seed=seed)

    def surplus(logits: Vector) -> float:
        return float(border.surplus(logits)) * factor

    with held_to(threads):
        replay = Replay(network)
        shaped = pixels.reshape(form.input_shape)
        extra_margin = _AMPLY * replay.rounding(shaped, surplus)
        search = ExactAttack(
            problem, shape, solver, options, logits_of(network, factor), extra_margin, begun
        )
        if isinstance(bounds, str) and bounds in PROGRESSIVE_VARIANTS:
            search.solve_progressively(PROGRESSIVE_VARIANTS[bounds])
        else:
            with until(begun + _BOUNDS_SHARE * time_limit):
                known = (
                    network_bounds(problem.network, bounds, domain.lower, domain.upper)
                    if isinstance(bounds, str)
                    else [*bounds[:-1], bounds[-1].times(factor)]
                )
            search.solve_directly(known)
        attack = search.result()
        found = attack.adversarial
        if found is not None and replay.precision(found, surplus) is not replay.best:
            search.raise_margin(_AMPLY * replay.rounding(found, surplus))
            attack = search.result()
        if attack.adversarial is None:
            return attack
        precision = check_attack(
            network,
            image=shaped,
            adversarial=attack.adversarial,
            claimed=attack.distance,
            measured=measure.value(attack.adversarial.ravel() - pixels, problem.box),
            surplus=surplus,
            folder=failures,
            domain=(domain.lower.reshape(form.input_shape), domain.upper.reshape(form.input_shape)),
        )
    return replace(attack, precision=precision)


def _box_of(property_: Property, form: StagedNetwork) -> tuple[Vector, Vector]:
    """The one box of a property of a network of this size."""
    property_.check_sizes(form.pixels, form.classes)
    boxes = property_.boxes
    if len(boxes) > 1:
        raise InputError(
            subject=property_.name,
            found=f"cases of {len(boxes)} boxes",
            expected="cases of one box, in which the nearest counterexample is sought",
            mend="attack the cases of each box by themselves",
        )
    shape = form.input_shape
    return property_.cases[0].lower.reshape(shape), property_.cases[0].upper.reshape(shape)


def _border(label: int | Property, logits: Vector, target: int | None, ratio: float) -> Goal:
    """What the logits of an attack exceed; those of the image must not.

    Raises:
        InputError: They do, or there is no such class.
    """
    if isinstance(label, Property):
        goal = counterexample(label.cases, len(logits))
        if goal.surplus(logits) >= 0:
            raise InputError(
                subject="image to attack",
                found=f"a counterexample of {label.name}",
                expected="a point that is none",
                mend="choose another point: this one needs no attack",
            )
        return goal
    _check_classes(logits, label, target)
    if target is None:
        return untargeted(label, len(logits), ratio, 0.0)
    return targeted(target, len(logits), ratio, 0.0)


def _check_classes(logits: Vector, label: int, target: int | None) -> None:
    for name, number in (("label", label), ("target", target)):
        if number is not None:
            check_class(name, number, len(logits))
    if lead(logits, label) >= 0:
        rival = runner_up(logits, label)
        verb = "takes for" if lead(logits, label) > 0 else "gives the same logit as to class"
        raise InputError(
            subject="image to attack",
            found=f"an image of class {label} that the network {verb} {rival}",
            expected="an image that the network classifies correctly",
            mend="choose another image: this one needs no attack",
        )
    if target == label:
        raise InputError(
            subject="target of the attack",
            found=f"{target}, the true class",
            expected="another class, or none for any other class",
            mend="choose another target",
        )


def check_class(name: str, number: int, classes: int) -> None:
    """Say which classes there are where a "label" or a "target" is none.

    Raises:
        InputError: It is none.
    """
    if number not in range(classes):
        raise InputError(
            subject=f"{name} of the attack",
            found=str(number),
            expected=f"a class from 0 to {classes - 1}",
            mend=f"correct the {name}",
        )


def check_choices(
    *,
    distance: str | Distance = "linf",
    formulation: str | Formulation = "big-m",
    bounds: str | Sequence[Interval] = PROGRESSIVE,
    solver: str = AUTO,
    ratio: float = 1.0,
    margin: float | None = None,
    time_limit: float = 300.0,
    gap: float = 1e-4,
    **_others: object,
) -> None:
    """Find out, before any image is attacked, whether `minimal_attack` would refuse an argument.

    Raises:
        InputError: A name or number is not one that is known.
    """
    if isinstance(distance, str):
        distance_named(distance)
    if isinstance(formulation, str):
        formulation_named(formulation)
    if isinstance(bounds, str) and bounds not in (*PROGRESSIVE_VARIANTS, *NETWORK_BOUNDS):
        raise unknown_name("bounds", bounds, (*PROGRESSIVE_VARIANTS, *NETWORK_BOUNDS))
    solvers = (AUTO, *SOLVERS, *STRATEGIES, MIPVERIFY)
    if solver not in solvers:
        raise unknown_name("solver", solver, solvers)
    for name, number, right, expected in (
        ("ratio", ratio, 1 <= ratio < np.inf, "1 or more"),
        ("margin", margin, margin is None or 0 < margin < np.inf, "a number above 0"),
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
