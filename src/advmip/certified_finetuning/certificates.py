"""Cuts of certified margins: linearised certificates, each of which speaks for a whole ball.

Bounds by linear forms (`mip.bounds.linear`) say of each image and other class j

    f_y(x; w) - f_j(x; w) >= m_j(w)   for all x in the ball,

and m_j is differentiable in the weights w almost everywhere. Where a point of the ball gives the
cut (7), whose left-hand side it is at that point, m_j itself gives

    m_j(w^k) + grad m_j(w^k) . (w - w^k) >= delta.

A ball that linear forms leave open may be robust all the same: where they are not far from a proof
the verifier is asked, and no cut is taken of a ball that it proves.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor

from advmip.certified_finetuning.balls import Balls
from advmip.certified_finetuning.verdicts import Ask, Verdicts
from advmip.finetuning.cuts import WrittenCuts
from advmip.finetuning.parameters import ParameterVector
from advmip.margins import factor_of_points, other_classes
from advmip.mip.bounds.balls import Ball
from advmip.mip.bounds.layer_stages import layer_stages
from advmip.mip.bounds.linear import LinearBounds, margin_forms
from advmip.mip.verification import Outcome
from advmip.networks import Network

# Delta, and the margin at which a certificate counts as one, where logits are of the usual scale.
# With less the last few iterates come and go about 0; with more the weights move farther.
_MARGIN, _CLEAR = 0.1, 1e-5
# Where forms are farther from a proof, the verifier hardly ever has one.
_HOPELESS = -2.0


class Certificates:
    """The requirement that linear forms prove every ball, and cuts of their bounds.

    Args:
        network: The network w_hat: of convolutions, linear layers, ReLUs, flattening and sums.
        balls: What is to be proved.
        margin: delta, in units of the logits; if None, about a hundredth of how far those of the
            images are apart.
        ask: Makes the verifier of a network; None to rest on linear forms alone.

    Raises:
        InputError: The network has another operation.
    """

    def __init__(
        self, network: Network, balls: Balls, margin: float | None, ask: Ask | None
    ) -> None:
        self._precision = network.mean.dtype
        self._parameters = ParameterVector(network.body)
        self._network = copy.deepcopy(network).double().eval().requires_grad_(True)
        self._balls = balls
        self._verdicts = None if ask is None else Verdicts(network, balls, ask)
        with torch.no_grad():
            outputs = self._network(balls.centres.reshape(-1, *network.layout.shape))
        self._factor = factor_of_points(outputs, balls.labels)
        self._margin = _MARGIN if margin is None else margin * self._factor
        self._others = other_classes(balls.labels, outputs.shape[1])
        self._forms = margin_forms(balls.labels, outputs.shape[1], torch.float64)
        self._seen: tuple[Tensor, Tensor] | None = None
        layer_stages(self._network)

    def margins(self, vector: Tensor) -> Tensor:
        """Bounds (N, classes - 1) of the margins over the other classes, in the usual scale.

        They are those of the weights w (n,) as the network holds them, in its own precision.
        """
        if self._seen is None or not torch.equal(self._seen[0], vector):
            with torch.no_grad():
                self._load(vector)
                every = [self._bounds(place) for place in range(len(self._balls))]
            self._seen = vector.clone(), torch.stack(every)
        return self._seen[1]

    def violation(self, vector: Tensor) -> float:
        """V: by how much the least margins fall short of a proof, summed over the open balls."""
        lacking = _CLEAR - self.margins(vector).amin(dim=1)
        return float(lacking[self._open(vector)].sum())

    def found(self, vector: Tensor) -> Mapping[str, Tensor]:
        """Gradients (m, n) of the margins below delta of open balls, and what these lack (m,).

        Linear forms that prove a ball by less than delta are cut as well.
        """
        margins = self.margins(vector)
        short = margins < self._margin
        short[self._proved(vector)] = False
        self._load(vector)
        weights = list(self._network.body.parameters())
        rows, lacking = [torch.zeros(0, self._parameters.count)], [torch.zeros(0).double()]
        for place in short.any(dim=1).nonzero()[:, 0].tolist():
            bounds = self._bounds(place)[short[place]]
            parts = torch.autograd.grad(
                bounds, weights, torch.eye(len(bounds)).double(), is_grads_batched=True
            )
            # In single precision they take half the room; a cut need be no tangent to the last bit.
            rows.append(torch.cat([part.flatten(1) for part in parts], dim=1).float())
            lacking.append(self._margin - bounds.detach())
        return {"rows": torch.cat(rows), "lacking": torch.cat(lacking)}

    def cuts(self, vector: Tensor, step: Tensor, found: Mapping[str, Tensor]) -> list[WrittenCuts]:
        """The linearised certificates, those that there are."""
        if not len(found["lacking"]):
            return []
        return [WrittenCuts(found["rows"].double(), found["lacking"], step)]

    def _open(self, vector: Tensor) -> list[int]:
        """The places of the balls that nothing proves."""
        least = self.margins(vector).amin(dim=1)
        places = (least < _CLEAR).nonzero()[:, 0].tolist()
        proved = self._proved(vector)
        return [place for place in places if place not in proved]

    def _proved(self, vector: Tensor) -> list[int]:
        """The places of the balls that the verifier proves, but linear forms do not."""
        if self._verdicts is None:
            return []
        least = self.margins(vector).amin(dim=1)
        hopeful = ((least < _CLEAR) & (least > _HOPELESS)).nonzero()[:, 0].tolist()
        verdicts = self._verdicts.at(vector, hopeful)
        return [place for place, each in verdicts.items() if each.status is Outcome.ROBUST]

    def _load(self, vector: Tensor) -> None:
        rounded = self._parameters.unflatten(vector.to(self._precision).double())
        self._network.body.load_state_dict(rounded, strict=False)

    def _bounds(self, place: int) -> Tensor:
        """The margins of an image at the present weights, differentiable in them."""
        centre = self._balls.centres[place : place + 1]
        ball = Ball(centre, self._balls.epsilon, "linf")
        bounds = LinearBounds(layer_stages(self._network), ball, outward=False)
        bounds.by_forms()
        wanted = self._factor * self._forms[place, self._others[place]]
        return bounds.forms(wanted[None]).least[0]
