"""A quick gradient attack inside a ball of any norm, before anything is proved."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from advmip.mip.bounds.balls import Ball
from advmip.mip.deadline import is_up
from advmip.networks.network import Network

_STEPS = 40
_STARTS = 3


def attack_in_ball(
    network: Network, ball: Ball, label: int, rivals: Sequence[int], seed: int
) -> Tensor:
    """Points of a ball where a gradient search ends, in the best case adversarial ones.

    Frank & Wolfe's steps: each goes towards the ball's point that is lowest by the gradient, which
    needs no projection and is a corner of the ball. Every rival is steered to from the image and
    from random corners; all stop as soon as one point is misclassified, or the time is up.

    Args:
        network: The network.
        ball: The ball around one image.
        label: The class of the image.
        rivals: Classes to steer to.
        seed: Of the starts.

    Returns:
        Points (rivals * starts, pixels) in the ball, up to rounding.
    """
    weights = next(network.parameters())
    random = torch.Generator().manual_seed(seed)
    count = len(rivals) * _STARTS
    corners = torch.randn(1, count, ball.images.shape[1], generator=random, dtype=torch.float64)
    points = ball.lowest(corners)[0]
    points[: len(rivals)] = ball.images
    steered = torch.tensor(list(rivals)).repeat(_STARTS)[:, None]
    for step in range(_STEPS):
        inputs = points.reshape(-1, *network.architecture.input_shape).to(weights)
        inputs.requires_grad_()
        logits = network(inputs).cpu()
        if bool((logits.argmax(dim=1) != label).any()) or is_up():
            break
        lead = logits[:, label] - logits.gather(1, steered)[:, 0]
        (gradient,) = torch.autograd.grad(lead.sum(), inputs)
        lowest = ball.lowest(gradient.reshape(1, count, -1).cpu().double())[0]
        points = points + 2.0 / (step + 2.0) * (lowest - points)
    return points
