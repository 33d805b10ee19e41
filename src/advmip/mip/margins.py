"""Who wins, and by how much, in the logits of one image.

An image keeps its class if that class's logit is above every other one. A tie is a win for the
attacker: what the network answers then hangs on the order of its classes.
"""

from __future__ import annotations

import numpy as np

from advmip.margins import USUAL
from advmip.mip.model import Vector


def runner_up(logits: Vector, label: int) -> int:
    """The class of the largest logit (classes,) besides that of a class."""
    return int(np.where(np.arange(len(logits)) == label, -np.inf, logits).argmax())


def lead(logits: Vector, label: int) -> float:
    """By how much the runner-up's logit exceeds that of a class, which is kept if it is below 0."""
    return float(logits[runner_up(logits, label)] - logits[label])


def scale(logits: Vector, label: int) -> float:
    """How far the logits (classes,) of an image are apart: the median distance to its class's.

    Not the least, which is 0 at a border, and not the largest, which one idle class may have.
    """
    apart = np.abs(np.delete(logits, label) - logits[label])
    typical = float(np.median(apart)) or float(apart.max(initial=0.0))
    return typical if typical > 0 else float(np.abs(logits).max()) or 1.0


def normalisation(logits: Vector, label: int) -> float:
    """What logits (classes,) like those of an image are multiplied by to be of the usual scale."""
    return USUAL / scale(logits, label)
