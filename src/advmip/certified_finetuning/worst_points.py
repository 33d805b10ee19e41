"""Cuts at points of the balls that win: adversarial points, sought anew at every iterate.

The verifier is asked about each ball. One that it proves needs no cut; in one that holds an
adversarial point, the worst point of each class is sought that wins anywhere. Cuts are taken at all
points found so far, as in Algorithm 1.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from advmip.certified_finetuning.balls import Balls
from advmip.certified_finetuning.verdicts import Ask, Verdicts
from advmip.finetuning.cuts import AdversaryCuts
from advmip.finetuning.parameters import ParameterVector
from advmip.margins import factor_of_points
from advmip.margins import violation as misclassification
from advmip.mip.verification import Outcome, Verdict
from advmip.networks import Network

# Delta where logits are of the usual scale.
_MARGIN = 0.1
# Of the search for worse points: steps, each this share of the radius.
_STEPS, _SHARE = 40, 0.1


class WorstPoints:
    """The requirement that the verifier proves every ball, and cuts at points of them that win.

    Args:
        network: The network w_hat.
        balls: What is to be proved.
        margin: delta of (4), in units of the logits; if None, about a hundredth of how far those
            of the images are apart.
        ask: Makes the verifier of a network.
    """

    def __init__(self, network: Network, balls: Balls, margin: float | None, ask: Ask) -> None:
        self._precision, self._shape = network.mean.dtype, network.layout.shape
        self._network = copy.deepcopy(network).double()
        self._parameters = ParameterVector(network.body)
        self._balls, self._verdicts = balls, Verdicts(network, balls, ask)
        self._factor = factor_of_points(self._outputs_at(balls.centres), balls.labels)
        self._margin = _MARGIN / self._factor if margin is None else margin
        self._points = balls.centres[:0].reshape(-1, *self._shape)
        self._labels = balls.labels[:0]

    @property
    def count(self) -> int:
        """How many points cuts were taken at so far."""
        return len(self._labels)

    def violation(self, vector: Tensor) -> float:
        """V: by how much the proved margins of the balls that are not robust fall short of 0.

        Of an image that is misclassified itself nothing is proved: its own margin counts.
        """
        self._load(vector)
        total = 0.0
        for place, verdict in self._open(vector).items():
            margin = float(verdict.margins.min())
            if verdict.status is Outcome.MISCLASSIFIED:
                some = slice(place, place + 1)
                outputs = self._outputs_at(self._balls.centres[some])
                margin = -float(misclassification(outputs, self._balls.labels[some]))
            total += max(-self._factor * margin, 0.0)
        return total

    def found(self, vector: Tensor) -> Mapping[str, Tensor]:
        """Points (P, ...) that win at w, and the places (P,) of their balls."""
        points, places = [self._points[:0]], []
        self._load(vector)
        for place, verdict in self._open(vector).items():
            worst = self._worst(place)
            if not len(worst) and verdict.adversarial is not None:
                worst = torch.from_numpy(np.asarray(verdict.adversarial, np.float64)[None])
            points.append(worst)
            places += [place] * len(worst)
        return {"points": torch.cat(points), "places": torch.tensor(places, dtype=torch.int64)}

    def cuts(
        self, vector: Tensor, step: Tensor, found: Mapping[str, Tensor]
    ) -> list[AdversaryCuts]:
        """The cuts (11) at all points so far."""
        self._points = torch.cat([self._points, found["points"]])
        self._labels = torch.cat([self._labels, self._balls.labels[found["places"]]])
        if not len(self._labels):
            return []
        return [
            AdversaryCuts(
                self._network.body,
                self._parameters,
                vector,
                step,
                self._network.normalise(self._points),
                self._labels,
                margin=self._margin,
                radius=0.0,
                factor=self._factor,
            )
        ]

    def _load(self, vector: Tensor) -> None:
        rounded = self._parameters.unflatten(vector.to(self._precision).double())
        self._network.body.load_state_dict(rounded, strict=False)

    @torch.no_grad()
    def _outputs_at(self, points: Tensor) -> Tensor:
        """The logits (P, classes) at points (P, pixels)."""
        outputs: Tensor = self._network(points.reshape(-1, *self._shape))
        return outputs

    def _open(self, vector: Tensor) -> dict[int, Verdict]:
        """The verdicts on the balls that are not proved, by place."""
        verdicts = self._verdicts.at(vector, range(len(self._balls)))
        return {
            place: each for place, each in verdicts.items() if each.status is not Outcome.ROBUST
        }

    def _worst(self, place: int) -> Tensor:
        """For each class that wins somewhere in a ball a point (..., pixels) where it wins most."""
        centre, radius = self._balls.centres[place], self._balls.epsilon
        low, high = (centre - radius).clamp(min=0.0), (centre + radius).clamp(max=1.0)
        label = int(self._balls.labels[place])
        classes = self._network.outputs()
        others = torch.tensor([each for each in range(classes) if each != label])
        points = centre.expand(len(others), -1).clone()
        best, leads = points.clone(), torch.full((len(others),), -torch.inf).double()
        for _ in range(_STEPS):
            points.requires_grad_(True)
            outputs = self._network(points.reshape(-1, *self._shape))
            lead = outputs.gather(1, others[:, None])[:, 0] - outputs[:, label]
            (gradient,) = torch.autograd.grad(lead.sum(), points)
            better = lead.detach() > leads
            best[better], leads[better] = points.detach()[better], lead.detach()[better]
            points = (points.detach() + _SHARE * radius * gradient.sign()).clamp(low, high)
        return best[leads >= 0].reshape(-1, *self._shape)
