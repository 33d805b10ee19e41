"""The likeliest class besides one, and its lead, in the logits of one image."""

from __future__ import annotations

import numpy as np

from advmip.mip.model import Vector


def runner_up(logits: Vector, label: int) -> int:
    """The class of the largest logit (classes,) besides that of a class."""
    return int(np.where(np.arange(len(logits)) == label, -np.inf, logits).argmax())


def lead(logits: Vector, label: int) -> float:
    """By how much the runner-up's logit exceeds that of a class; negative if it does not."""
    return float(logits[runner_up(logits, label)] - logits[label])
