"""Training a network so that its robustness can be proved (Wong & Kolter 2018).

The loss of a batch is not that of its images but a bound of the worst in the balls around them:
linear forms bound the margin over each class from below, and cross-entropy falls as margins rise.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from advmip.mip.bounds.balls import Ball
from advmip.mip.bounds.layer_stages import layer_stages
from advmip.mip.bounds.linear import LinearBounds, margin_forms
from advmip.mip.bounds.lines import parallel
from advmip.networks.network import Network


def certified_margins(
    network: Network, images: Tensor, labels: Tensor, epsilon: float, *, forms: bool = True
) -> Tensor:
    """Lower bounds (N, classes) of o_y - o_j over L-infinity balls, to be differentiated.

    They hold up to rounding, which is no matter in training; proofs are `advmip.verify`'s.

    Args:
        network: Of convolutions, linear layers, ReLUs, flattening and sums.
        images: Images (N, C, H, W) in [0, 1].
        labels: Their classes y (N,).
        epsilon: The radius, at least 0.
        forms: Bound hidden neurons by linear forms too, as published; otherwise by intervals, in a
            fraction of time and memory (Zhang et al. 2020).

    Raises:
        InputError: The network has another operation.
    """
    stages = layer_stages(network)
    bounds = LinearBounds(stages, Ball(images.flatten(1), epsilon, "linf"), parallel, outward=False)
    if forms:
        bounds.by_forms()
    else:
        bounds.by_intervals()
    wanted = margin_forms(labels.cpu(), stages[-1].width, images.dtype)
    return bounds.forms(wanted.to(images.device)).least


class CertifiedLoss:
    """An objective of `train`: a bound of the mean cross-entropy over all images in the balls.

    Args:
        epsilon: The L-infinity radius, above 0.
        ramp: Epochs in which the radius grows from 0 to epsilon; at once, and a fresh network's
            bounds would be too loose to learn from.
        forms: As in `certified_margins`.
    """

    def __init__(self, epsilon: float, ramp: int = 0, *, forms: bool = True) -> None:
        self._epsilon = epsilon
        self._ramp = ramp
        self._forms = forms

    def radius(self, epochs: float) -> float:
        """The radius after so many epochs."""
        return self._epsilon * (min(1.0, epochs / self._ramp) if self._ramp else 1.0)

    def __call__(self, network: Network, images: Tensor, labels: Tensor, epochs: float) -> Tensor:
        """The bound of a batch after so many epochs."""
        margins = certified_margins(
            network, images.contiguous(), labels, self.radius(epochs), forms=self._forms
        )
        loss: Tensor = functional.cross_entropy(-margins, labels)
        return loss
