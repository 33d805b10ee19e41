"""Feature visualisation: the image that excites a neuron most, with proof."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from advmip.checking.activations import check_activation
from advmip.checking.relu_inputs import relu_inputs
from advmip.errors import InputError
from advmip.margins import USUAL
from advmip.mip.bounds import network_bounds
from advmip.mip.bounds.network_bounds import whole_box
from advmip.mip.deadline import as_far_as, until
from advmip.mip.encoding import Interval
from advmip.mip.model import Vector
from advmip.mip.phases import Phases
from advmip.mip.problem import encode
from advmip.mip.solvers import Choice, Options, Solution, Status, choose
from advmip.mip.solvers.interface import unknown_solution
from advmip.networks.network import Network
from advmip.networks.staged import AffineMap, StagedNetwork
from advmip.networks.staging import staged
from advmip.threads import held_to

# Bounds have this share of the time at most: the solver needs the rest.
_BOUNDS_SHARE = 0.5
# Solvers' tolerances, in what enters the neuron: the image attains the bound up to these.
_TOLERANCE = 1e-5


@dataclass(frozen=True)
class ActivationMaximum:
    """The image that excites a neuron most.

    Attributes:
        status: "optimal" (with proof), "feasible" (an image without proof), "unknown".
        image: The image, in the network's input shape; None without one.
        activation: What enters the neuron, before its ReLU; -inf without an image. Below 0 no
            image that is known makes the neuron fire.
        upper_bound: No image brings more.
        nodes: Nodes of the solver's search tree.
        seconds: Wall time, with that of bounds that were named.
        processor_seconds: Processor time, all threads together.
        seconds_solver: The solver's part of it.
        solver: The solver that was taken; empty if there was no time for one.
        reason: Why it was.
    """

    status: Status
    image: NDArray[np.float64] | None
    activation: float
    upper_bound: float
    nodes: int
    seconds: float
    processor_seconds: float
    seconds_solver: float
    solver: str
    reason: str


def maximise_activation(
    network: Network,
    layer: int,
    unit: int,
    *,
    bounds: str | Sequence[Interval] = "lp",
    solver: str = "auto",
    time_limit: float = 300.0,
    gap: float = 1e-6,
    threads: int = 1,
    seed: int = 0,
    failures: Path = Path("failures"),
) -> ActivationMaximum:
    """Find the image in [0, 1] that maximises what enters a neuron.

    Zhu, Section 5.1, after Fischetti & Jo (2018): the model (6) to (14) with the neuron as its
    objective. What enters is maximised rather than what leaves it, max(p, 0): where the neuron can
    fire at all, both have the same optimum. The layers behind the neuron are left out.

    Args:
        network: The network, without max pooling.
        layer: The layer of ReLUs, from 1 in the order of computation; one more than there are
            stands for the logits.
        unit: The neuron, from 0.
        bounds: A method of `network_bounds`, or bounds that hold over [0, 1].
        solver: "auto", "gurobi", "scip" or "highs".
        time_limit: Seconds, above 0, from when the network has its staged form, which is made once
            for a network. Bounds that are named have half of them at most; what is proved until
            then holds.
        gap: The relative gap that counts as proof.
        threads: Threads of the solver and of the linear algebra.
        seed: Of the solver.
        failures: The folder for an answer that fails its check.

    Raises:
        InputError: There is no such neuron, or a name is not one that is known.
        CheckError: The network itself does not confirm the answer.
    """
    form = staged(network)
    begun, processor_begun = time.perf_counter(), time.process_time()
    phases = Phases("solver")
    _check_place(network, form, layer, unit)
    with held_to(threads), until(begun + _BOUNDS_SHARE * time_limit):
        known = network_bounds(form, bounds) if isinstance(bounds, str) else list(bounds)
    # The same problem for a neuron of any scale: tolerances are meant for those of the usual one.
    factor = USUAL / _length((*form.hidden, form.output)[layer - 1], unit)
    options = Options(time_limit=time_limit, threads=threads, gap=gap, seed=seed)
    pixels, solution, solver_taken, reason = None, unknown_solution(begun), "", ""
    with as_far_as(begun + time_limit):
        pixels, solution, choice = _searched(
            form, known, (layer, unit), factor, solver, options, phases
        )
        solver_taken, reason = choice.solver.name, choice.reason
    upper = min(-solution.bound / factor, float(known[layer - 1].upper[unit]))
    image, activation, status = None, -np.inf, Status.UNKNOWN
    if pixels is not None:
        activation = float(form.preactivations(pixels)[layer - 1][unit])
        missing = factor * (upper - activation)
        reached = missing <= (gap + _TOLERANCE) * (1.0 + factor * abs(activation))
        status = Status.OPTIMAL if reached else Status.FEASIBLE
        image = pixels.reshape(form.input_shape)
        check_activation(
            network,
            image=image,
            layer=layer,
            unit=unit,
            claimed=activation,
            upper_bound=upper,
            folder=failures,
        )
    return ActivationMaximum(
        status=status,
        image=image,
        activation=activation,
        upper_bound=upper,
        nodes=solution.nodes,
        seconds=time.perf_counter() - begun,
        processor_seconds=time.process_time() - processor_begun,
        seconds_solver=phases.seconds["solver"],
        solver=solver_taken,
        reason=reason,
    )


def _length(stage: AffineMap, unit: int) -> float:
    """The sum of a neuron's absolute weights; 1 if it has none."""
    own = stage.rows(np.array([unit]))
    return sum(float(abs(matrix).sum()) for matrix in own.terms.values()) or 1.0


def _searched(
    form: StagedNetwork,
    bounds: Sequence[Interval],
    place: tuple[int, int],
    factor: float,
    solver: str,
    options: Options,
    phases: Phases,
) -> tuple[Vector | None, Solution, Choice]:
    """Let a solver maximise what enters a neuron, by its layer and number, times a factor.

    Returns:
        The image (pixels,), if there is one; the solution, of the opposite; what was chosen.
    """
    layer, unit = place
    encoding = encode(whole_box(form), bounds, depth=layer - 1)
    entering = -encoding.preactivations[-1][np.array([unit])].times(factor)
    (cost,) = entering.written_out(len(encoding.model.lower))
    model = encoding.model.with_objective(cost, float(entering.constant[0]))
    choice = choose(solver, model)
    with phases.timed("solver"):
        solution = choice.solver.solve(model, options)
    pixels = None
    if solution.point is not None:
        pixels = np.clip(encoding.change.values(solution.point), 0.0, 1.0)
    return pixels, solution, choice


def _check_place(network: Network, form: StagedNetwork, layer: int, unit: int) -> None:
    stages = (*form.hidden, form.output)
    if len(relu_inputs(network, torch.zeros(1, *form.input_shape))) != len(stages):
        raise InputError(
            subject=f"network {network.architecture.name}",
            found="max pooling, clips or the like, whose ReLUs are none of the network's own",
            expected="ReLUs between affine layers only",
            mend="replace max pooling by average pooling or by strides",
        )
    if not 1 <= layer <= len(stages):
        raise InputError(
            subject="layer of the neuron",
            found=str(layer),
            expected=f"a layer from 1 to {len(stages)}, the last for the logits",
            mend="correct the layer",
        )
    width = stages[layer - 1].width
    if not 0 <= unit < width:
        raise InputError(
            subject=f"neuron of layer {layer}",
            found=str(unit),
            expected=f"a neuron from 0 to {width - 1}",
            mend="correct the neuron",
        )
