"""Who wins, and by how much, in the logits of one image.

An image keeps its class if that class's logit is above every other one. A tie is a win for the
attacker: what the network answers then hangs on the order of its classes.
"""

from __future__ import annotations

import numpy as np

from advmip.mip.goals import Goal
from advmip.mip.model import Vector


def runner_up(logits: Vector, label: int) -> int:
    """The class of the largest logit (classes,) besides that of a class."""
    return int(np.where(np.arange(len(logits)) == label, -np.inf, logits).argmax())


def lead(logits: Vector, label: int) -> float:
    """By how much the runner-up's logit exceeds that of a class, which is kept if it is below 0."""
    return float(logits[runner_up(logits, label)] - logits[label])


def typical_size(goal: Goal, outputs: Vector) -> float:
    """How far outputs (outputs,) or (outputs, N) are from a goal: the median over its cases.

    Not the least, which is 0 at a border, and not the largest, which one idle class may have.
    """
    apart = np.abs(goal.with_margin(0.0).surpluses(outputs))
    typical = float(np.median(apart)) or float(apart.max(initial=0.0))
    return typical if 0 < typical < np.inf else float(np.abs(outputs).max()) or 1.0
