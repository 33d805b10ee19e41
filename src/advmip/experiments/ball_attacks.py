"""PGD in balls around images, which proofs are held against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from advmip.gradient_attacks import AttackSettings, pgd
from advmip.networks import Network, staged

# Of the radius, a step of PGD.
_STEP = 0.125


def attacked(
    network: Network,
    images: NDArray[np.float32],
    labels: Sequence[int],
    epsilon: float,
    *,
    iterations: int,
    seed: int,
) -> list[bool]:
    """Whether PGD finds another class in each L-infinity ball, as float64 sees it.

    Args:
        network: The network.
        images: The centres (N, C, H, W), in [0, 1].
        labels: Their classes.
        epsilon: The radius.
        iterations: The steps of PGD.
        seed: Of its random start.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        attack = AttackSettings(epsilon, _STEP * epsilon, iterations)
        found = pgd(network, torch.from_numpy(images), attack, clip=True)
    exact, form = images.astype(np.float64), staged(network)
    points = np.clip(found.double().numpy(), exact - epsilon, exact + epsilon)
    return [
        int(form.logits(point.ravel()).argmax()) != label
        for point, label in zip(np.clip(points, 0.0, 1.0), labels, strict=True)
    ]
