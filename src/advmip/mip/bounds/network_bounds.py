"""Bounds of all neurons over the whole box of images, once for a network."""

from __future__ import annotations

import numpy as np

from advmip.errors import unknown_name
from advmip.layout import Layout
from advmip.mip.bounds.interval import interval_bounds
from advmip.mip.bounds.mixed_integer import mixed_integer_bounds
from advmip.mip.bounds.relaxation import relaxation_bounds
from advmip.mip.distances import Box
from advmip.mip.distances.no_distance import NoDistance
from advmip.mip.encoding import Interval
from advmip.mip.goals import NO_GOAL
from advmip.mip.model import Vector
from advmip.mip.problem import Problem
from advmip.networks.staged import StagedNetwork

NETWORK_BOUNDS = ("none", "interval", "lp", "weaker", "exact")

# Seconds for each program: of "weaker" as in the thesis; of "exact" no limit that matters.
_WEAKER, _EXACT = 1.0, 3600.0


def network_bounds(
    network: StagedNetwork,
    method: str,
    lower: Vector | float = 0.0,
    upper: Vector | float = 1.0,
    *,
    solver: str = "auto",
    time_limit: float = _EXACT,
    progress: bool = False,
) -> list[Interval]:
    """Bounds of the inputs of each layer of ReLUs, and last of the logits, over the whole domain.

    Under a deadline (`mip.deadline`) they are what is proved until then.

    Args:
        network: The network.
        method: "none" (infinite), "interval", "lp", "exact" (two mixed-integer programs for each
            neuron) or "weaker" (the same with a second for each; Zhu, Section 5.2).
        lower: The least value of every input, or of each (inputs,).
        upper: The largest.
        solver: Of the mixed-integer programs.
        time_limit: Seconds for each program of "exact".
        progress: Whether to show a progress bar.

    Raises:
        InputError: There is no such method.
    """
    if method not in NETWORK_BOUNDS:
        raise unknown_name("bounds", method, NETWORK_BOUNDS)
    if method == "none":
        stages = (*network.hidden, network.output)
        infinite = [np.full(stage.width, np.inf) for stage in stages]
        return [Interval(-most, most) for most in infinite]
    problem = whole_box(network, lower, upper)
    bounds = interval_bounds(problem)
    if method == "interval":
        return bounds
    relaxed = relaxation_bounds(problem, bounds)
    assert relaxed is not None  # the box is not empty
    if method == "lp":
        return relaxed
    limit = _WEAKER if method == "weaker" else time_limit
    return mixed_integer_bounds(
        problem, relaxed, time_limit=limit, solver=solver, progress=progress
    )


def whole_box(
    network: StagedNetwork, lower: Vector | float = 0.0, upper: Vector | float = 1.0
) -> Problem:
    """The problem in which every image of the domain is as good as any other."""
    corner = np.zeros(network.pixels) + lower
    box = Box.around(corner, Layout(network.input_shape), lower, upper)
    return Problem(network, corner, NoDistance(), NO_GOAL, box, lower=lower, upper=upper)
