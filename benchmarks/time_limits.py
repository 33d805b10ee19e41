"""Time limits: by how much calls end after theirs, on networks of up to 30,000 neurons.

A call may end later than its limit by a second, or by a tenth of the limit if that is more. The
networks have random weights; an image of noise is attacked, verified, and a neuron excited.

Usage: python benchmarks/time_limits.py --limits 0.5 2 --networks wide_convolution
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from torch import nn

from advmip.errors import InputError
from advmip.memory import keep_freed_memory
from advmip.mip import maximise_activation, minimal_attack, verify
from advmip.mip.activation_maximization import ActivationMaximum
from advmip.mip.exact_attack import Attack
from advmip.mip.verification import Verdict
from advmip.networks import Network, staged
from advmip.networks.architectures import ARCHITECTURES, Architecture
from advmip.networks.network import new_network
from advmip.threads import use_threads

_DISTANCES = ("l0", "l1", "l2", "l2-5", "linf", "tv", "l1+tv")
_SOLVERS = ("auto", "gurobi", "scip", "highs", "branch-and-bound")
_BOUNDS = ("progressive", "exact", "weaker", "lp", "interval")
_COLUMNS = (
    *("network", "call", "distance", "bounds", "solver"),
    *("limit", "seconds", "over", "kept", "status"),
)
_RADII = {"linf": 0.05, "l1": 2.0, "l2": 0.5}


def _convolutions(*channels: int) -> nn.Module:
    """Convolutions over 28x28 pixels, and the logits of what they say."""
    layers = [
        layer
        for depth, width in itertools.pairwise((1, *channels))
        for layer in (nn.Conv2d(depth, width, 3, padding=1), nn.ReLU())
    ]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels[-1] * 28 * 28, 10))


def _dense(*widths: int) -> nn.Module:
    layers = [
        layer
        for inputs, outputs in itertools.pairwise((784, *widths))
        for layer in (nn.Linear(inputs, outputs), nn.ReLU())
    ]
    return nn.Sequential(nn.Flatten(), *layers, nn.Linear(widths[-1], 10))


def _grey(name: str, build: Callable[[], nn.Module]) -> Architecture:
    return replace(ARCHITECTURES["cnn_light"], name=name, paper_name=name, build=build)


NETWORKS = {
    each.name: each
    for each in (
        _grey("dense_256x4", lambda: _dense(256, 256, 256, 256)),
        ARCHITECTURES["shapes_resnet"],
        ARCHITECTURES["mnist_convmed"],
        ARCHITECTURES["mnist_maxpool"],
        _grey("wide_convolution", lambda: _convolutions(36)),
        _grey("deep_convolution", lambda: _convolutions(12, 12, 12)),
        _grey("wide_dense", lambda: _dense(30000)),
    )
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--distances", nargs="+", default=_DISTANCES)
    parser.add_argument("--solvers", nargs="+", default=_SOLVERS)
    parser.add_argument("--bounds", nargs="+", default=_BOUNDS)
    parser.add_argument("--limits", nargs="+", type=float, default=(0.5, 2.0))
    parser.add_argument("--calls", nargs="+", default=("attack", "verify", "strongest"))
    return parser.parse_args()


Call = Callable[..., Attack | Verdict | ActivationMaximum]


def calls(
    network: Network, options: argparse.Namespace
) -> Iterator[tuple[str, str, str, str, Call]]:
    """Every call of the grid: its kind, distance, bounds and solver, and itself."""
    image = np.random.default_rng(0).random(network.architecture.input_shape)
    label = network.answer(image)
    call: Call
    for distance, bounds, solver in itertools.product(
        options.distances, options.bounds, options.solvers
    ):
        call = partial(
            minimal_attack, network, image, label, distance, bounds=bounds, solver=solver
        )
        yield "attack", distance, bounds, solver, call
    solvers = [each for each in options.solvers if each != "branch-and-bound"]
    for norm, solver in itertools.product(_RADII, solvers):
        call = partial(verify, network, image, label, _RADII[norm], norm, solver=solver)
        yield "verify", norm, "", solver, call
    layer = len(staged(network).hidden) + 1
    methods = [each for each in options.bounds if each != "progressive"]
    for bounds, solver in itertools.product(methods, solvers):
        call = partial(maximise_activation, network, layer, 0, bounds=bounds, solver=solver)
        yield "strongest", "", bounds, solver, call


def measured(call: Call, limit: float) -> tuple[float, str]:
    """How many seconds a call took, and how it ended."""
    begun = time.perf_counter()
    try:
        status = str(call(time_limit=limit).status)
    except InputError as error:
        status = f"refused: {error.found}"
    return time.perf_counter() - begun, status


def main() -> None:
    options = arguments()
    use_threads(1)
    keep_freed_memory()
    rows = []
    for name in options.networks:
        network = new_network(NETWORKS[name], seed=0).frozen()
        begun = time.perf_counter()
        form = staged(network)
        print(f"{name}: {form.neurons} neurons, staged in {time.perf_counter() - begun:.2f} s")
        for (*place, call), limit in itertools.product(calls(network, options), options.limits):
            if place[0] not in options.calls:
                continue
            seconds, status = measured(call, limit)
            allowed = limit + max(1.0, 0.1 * limit)
            rows.append((name, *place, limit, seconds, seconds - limit, seconds <= allowed, status))
            if seconds > allowed:
                print("late:", *place, f"{limit:g} s: {seconds:.1f} s, {status}", flush=True)
    table = pd.DataFrame(rows, columns=_COLUMNS)
    summary = table.groupby(["network", "call", "bounds", "limit"]).agg(
        calls=("over", "size"), worst_over=("over", "max"), kept=("kept", "sum")
    )
    print(summary.to_string(float_format="%.2f"))
    print(f"worst: {table['over'].max():.2f} s over; {table['kept'].sum()} of {len(table)} in time")


if __name__ == "__main__":
    main()
