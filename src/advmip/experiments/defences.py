"""What networks are trained against, as settings name it."""

from __future__ import annotations

from typing import TypedDict

from torch import Tensor, nn

from advmip.gradient_attacks import AttackSettings, pgd
from advmip.mip.certified_training import CertifiedLoss
from advmip.networks.training import Adversary, Objective, cross_entropy, penalised
from advmip.settings import Defence

# Of the radius: the step of Madry et al. on CIFAR-10, 2/255 in a ball of 8/255.
_INNER_STEP = 0.25


class Against(TypedDict):
    """The arguments of `train` that decide what a network is trained against."""

    adversary: Adversary | None
    objective: Objective


def training_against(defence: Defence | None) -> Against:
    """The arguments of `train` for what the settings of a network name; None for nothing."""
    if defence is None:
        return {"adversary": None, "objective": cross_entropy}
    method, epsilon = defence["method"], defence["epsilon"]
    objective: Objective = cross_entropy
    if method == "linear-bounds":
        objective = CertifiedLoss(epsilon, defence["ramp"], forms=defence["hidden"] == "forms")
    return {
        "adversary": pgd_adversary(epsilon, defence["iterations"]) if method == "pgd" else None,
        "objective": penalised(objective, defence["weight_penalty"]),
    }


def pgd_adversary(epsilon: float, iterations: int) -> Adversary:
    """PGD that stays in the image box, with a radius in pixels (Madry et al. 2018)."""
    attack = AttackSettings(epsilon, _INNER_STEP * epsilon, iterations)

    def adversary(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
        return pgd(network, images, attack, clip=True)

    return adversary
