"""Margins of a classifier's outputs: by how much a point is misclassified."""

from __future__ import annotations

import torch
from torch import Tensor


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
