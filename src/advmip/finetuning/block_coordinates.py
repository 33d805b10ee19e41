"""Algorithm 2: an approximate projection that frees a random part of the weights at a time.

Biases are always free; of every other parameter tensor a share ``1 - fixed_ratio`` of the entries
is drawn. From one sweep to the next half of the free entries is kept and the rest is drawn from the
fixed ones: by Proposition 1 disjoint sets could not improve.

Source: Zhao & Kronqvist 2024, Section 4. One sweep at a ratio of 0.8 is what they used on ResNet8.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

import torch
from torch import Tensor

from advmip.finetuning.cuts import CutBlock, RestrictedCuts
from advmip.finetuning.parameters import ParameterVector
from advmip.finetuning.projection import Projection, ProjectionResult


def project_by_blocks(
    blocks: Sequence[CutBlock],
    parameters: ParameterVector,
    *,
    fixed_ratio: float,
    sweeps: int,
    generator: torch.Generator,
    device: torch.device,
) -> ProjectionResult:
    """A step that satisfies all rows, of nearly the smallest norm.

    Args:
        blocks: rows ``A d >= c``.
        parameters: which coordinates belong to which tensor.
        fixed_ratio: share of the entries of each weight tensor held fixed, in (0, 1).
        sweeps: T of Algorithm 2.
        generator: of the random choice (on the CPU).
        device: where the vectors live.

    Raises:
        InfeasibleCutsError: the free weights alone cannot satisfy the cuts.
    """
    start = time.process_time()
    step = torch.zeros(parameters.count, dtype=torch.float64, device=device)
    free = _draw_free(parameters, fixed_ratio, generator)
    for sweep in range(sweeps):
        if sweep:
            free = _redraw_free(parameters, free, generator)
        coordinates = free.nonzero()[:, 0].to(device)
        fixed_step = step.clone()
        fixed_step[coordinates] = 0.0
        projection = Projection(len(coordinates), device)
        for block in blocks:
            projection.add(RestrictedCuts(block, coordinates, fixed_step))
        result = projection.solve()
        step = fixed_step
        step[coordinates] = result.step
    return dataclasses.replace(
        result, step=step, distance=float(step.norm()), seconds=time.process_time() - start
    )


def _draw_free(
    parameters: ParameterVector, fixed_ratio: float, generator: torch.Generator
) -> Tensor:
    """Boolean mask of shape (n,): all biases and a share of every other tensor."""
    free = torch.ones(parameters.count, dtype=torch.bool)
    for entry in parameters.entries:
        if not entry.name.endswith("bias"):
            size = entry.stop - entry.start
            fixed = torch.randperm(size, generator=generator)[: round(fixed_ratio * size)]
            free[entry.start + fixed] = False
    return free


def _redraw_free(parameters: ParameterVector, free: Tensor, generator: torch.Generator) -> Tensor:
    """Keeps half of the free entries of each tensor and replaces the others by fixed ones."""
    renewed = free.clone()
    for entry in parameters.entries:
        part = slice(entry.start, entry.stop)
        fixed = (~free[part]).nonzero()[:, 0]
        if len(fixed):
            freed = free[part].nonzero()[:, 0]
            exchanged = min(len(freed) // 2, len(fixed))
            leaving = freed[torch.randperm(len(freed), generator=generator)[:exchanged]]
            entering = fixed[torch.randperm(len(fixed), generator=generator)[:exchanged]]
            renewed[entry.start + leaving] = False
            renewed[entry.start + entering] = True
    return renewed
