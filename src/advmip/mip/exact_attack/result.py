"""What an exact attack comes to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from advmip.checking.replay import Precision
from advmip.mip.solvers import Status


@dataclass(frozen=True)
class Attack:
    """What an exact attack found and proved: how near is the nearest adversarial example?

    Attributes:
        status: "optimal" (with proof), "feasible" (an attack without proof), "infeasible" (proved
            that there is none), "unknown" (neither within the time).
        distance: Of the attack; inf without one.
        lower_bound: No attack is nearer than this.
        adversarial: The attacked image, in the network's input shape; None without one.
        precision: In which arithmetic the network itself confirms it: "float32", in float64 and in
            float32 by more than any library rounds; "float64", in float64 alone; else empty.
        predicted: The class that the network gives it; None without one.
        nodes: Nodes of the solver's search trees.
        seconds: Wall time of everything.
        processor_seconds: Processor time of everything, all threads together.
        phases: Processor seconds of the search, of the bounds and of the solver.
        unstable: How many of the network's neurons kept a binary, in the largest model.
        solver: The solver that was taken; empty if none was needed.
        reason: Why it was.
        trace: Seconds, best distance and lower bound, whenever one of them changed.
    """

    status: Status
    distance: float
    lower_bound: float
    adversarial: NDArray[np.float64] | None
    precision: Precision
    predicted: int | None
    nodes: int
    seconds: float
    processor_seconds: float
    phases: dict[str, float]
    unstable: int
    solver: str
    reason: str
    trace: tuple[tuple[float, float, float], ...] = field(repr=False)
