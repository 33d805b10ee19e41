"""When an attack under way counts as proved: by the gap of its distance, of its square too."""

from __future__ import annotations

import time

import numpy as np
import pytest
from tiny_networks import instance

from advmip.mip.distances import Box, distance_named
from advmip.mip.exact_attack.progress import ALL_CASES, Progress
from advmip.mip.goals import untargeted
from advmip.mip.heuristics.incumbent import Incumbent
from advmip.mip.problem import Problem
from advmip.mip.solvers import Options
from advmip.networks.staging import staged


@pytest.mark.parametrize("distance", ["linf", "l1", "l2", "l2-5"])
@pytest.mark.parametrize(("missing", "status"), [(0.7, "optimal"), (1.3, "feasible")])
def test_a_bound_within_the_gap_is_a_proof(distance: str, missing: float, status: str) -> None:
    gap = 1e-2
    _, network, image, label = instance(0)
    form = staged(network)
    pixels = image.ravel()
    problem = Problem(
        form,
        pixels,
        distance_named(distance),
        untargeted(label, form.classes, margin=0.0),
        Box.around(pixels, network.layout, 0.0, 1.0),
    )
    progress = Progress(problem, Options(time_limit=10.0, gap=gap), time.perf_counter())
    progress.incumbent = Incumbent(np.zeros_like(pixels), 2.0)
    progress.raise_bound(ALL_CASES, 2.0 * (1.0 - missing * gap))
    progress.proved = True
    assert progress.result().status == status
