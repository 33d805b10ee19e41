"""What a row says of an attack."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from advmip.experiments.rows import Row
from advmip.mip import Attack
from advmip.mip.distances import L0


def attack_columns(attack: Attack, image: NDArray[np.float64]) -> Row:
    """What an attack found and proved, and how long its perturbation is by every measure.

    Args:
        attack: The attack.
        image: The original, of the network's input shape.
    """
    row: Row = {
        "outcome": attack.status.value,
        "distance": attack.distance,
        "lower_bound": attack.lower_bound,
        "predicted": attack.predicted,
        "solver_taken": attack.solver,
        "solver_reason": attack.reason,
        "nodes": attack.nodes,
        "unstable": attack.unstable,
        "seconds_total": attack.processor_seconds,
        **{f"seconds_{phase}": seconds for phase, seconds in attack.phases.items()},
    }
    if attack.adversarial is not None:
        change = np.abs(attack.adversarial - image).ravel()
        row |= {
            "changed_pixels": int((change > L0.unchanged).sum()),
            "total_change": float(change.sum()),
            "euclidean": float(np.linalg.norm(change)),
            "largest_change": float(change.max()),
        }
    return row
