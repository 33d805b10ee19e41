"""Margins of a classifier's outputs: by how much a point is misclassified, and their scale."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

# The scale that outputs are brought to: tolerances are meant for numbers of this size.
USUAL = 8.0


def other_classes(labels: Tensor, classes: int) -> Tensor:
    """For each label the classes other than it, in order: shape (N, classes - 1)."""
    every = torch.arange(classes, device=labels.device).expand(len(labels), classes)
    return every[every != labels[:, None]].view(len(labels), classes - 1)


def violation(outputs: Tensor, labels: Tensor) -> Tensor:
    """``|min_j {f_y - f_j, 0}|`` of each point; their sum is V(w) of equation (10).

    Args:
        outputs: logits, shape (N, classes).
        labels: shape (N,).
    """
    others = outputs.gather(1, other_classes(labels, outputs.shape[1])).amax(dim=1)
    return (others - outputs.gather(1, labels[:, None])[:, 0]).clamp(min=0.0)


def factor_to_usual(typical: float) -> float:
    """What brings numbers of a typical size, above 0, to the usual scale.

    A power of two, which is exact.
    """
    return float(2.0 ** np.round(np.log2(USUAL / typical)))


def factor_of_points(outputs: Tensor, labels: Tensor) -> float:
    """What brings the logits (N, classes) of points to the usual scale, by how far they are apart.

    Args:
        outputs: Logits, shape (N, classes).
        labels: The classes (N,) that others are held against.
    """
    apart = (outputs - outputs.gather(1, labels[:, None])).abs()
    apart = apart[apart > 0]
    return factor_to_usual(float(apart.median()) if len(apart) else USUAL)
