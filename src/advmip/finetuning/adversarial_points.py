"""Adversarial points to be classified correctly: the requirements of Algorithm 1 as published."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cached_property

import torch
from torch import Tensor

from advmip.errors import InputError
from advmip.finetuning.cuts import AdversaryCuts
from advmip.finetuning.parameters import ParameterVector
from advmip.gradient_attacks import AdversarialSet
from advmip.margins import factor_of_points, violation
from advmip.networks import Network

# Delta of (4) where the logits of a point are of the usual scale.
_MARGIN = 1e-5


class AdversarialPoints:
    """The constraints (4) of points that are known from the start.

    Args:
        network: The network that they are misclassified by.
        points: Misclassified points with their true labels.
        margin: delta of (4), in units of the logits; if None, about a millionth of how far those
            of the points are apart.
        radius: epsilon-bar of the strengthened cuts (18), in units of the body's inputs.

    Raises:
        InputError: There is no point, a label is none of the network's, or a point is classified
            correctly.
    """

    def __init__(
        self, network: Network, points: AdversarialSet, margin: float | None, radius: float
    ) -> None:
        network = copy.deepcopy(network).frozen()
        self._body = network.body
        self._precise_body = copy.deepcopy(network.body).double()
        self._parameters = ParameterVector(network.body)
        self._inputs = torch.from_numpy(points.inputs).to(network.mean)
        self._labels = torch.from_numpy(points.labels).to(network.mean.device)
        self._margin, self._radius = margin, radius
        self._check()

    @cached_property
    @torch.no_grad()
    def _factor(self) -> float:
        """What brings the points' logits to the usual scale, which tolerances are meant for."""
        return factor_of_points(self._precise_body(self._inputs.double()), self._labels)

    def violation(self, vector: Tensor) -> float:
        """V of equation (10) with the network's own precision."""
        with torch.no_grad():
            outputs = self._parameters.call(self._body, vector.to(self._inputs.dtype), self._inputs)
        return float(violation(outputs, self._labels).double().sum())

    def found(self, vector: Tensor) -> Mapping[str, Tensor]:
        """Nothing: the points are known."""
        return {}

    def cuts(
        self, vector: Tensor, step: Tensor, found: Mapping[str, Tensor]
    ) -> list[AdversaryCuts]:
        """The cuts (11) of all points."""
        return [
            AdversaryCuts(
                self._precise_body,
                self._parameters,
                vector,
                step,
                self._inputs.double(),
                self._labels,
                margin=_MARGIN / self._factor if self._margin is None else self._margin,
                radius=self._radius,
                factor=self._factor,
            )
        ]

    def _check(self) -> None:
        count = len(self._labels)
        if count == 0:
            raise InputError(
                subject="adversarial set",
                found="no point",
                expected="at least one misclassified point",
                mend="attack with a larger radius or from more images",
            )
        with torch.no_grad():
            outputs = self._body(self._inputs)
        classes = outputs.shape[1]
        if int(self._labels.min()) < 0 or int(self._labels.max()) >= classes:
            raise InputError(
                subject="labels of the adversarial set",
                found=f"{int(self._labels.min())} to {int(self._labels.max())}",
                expected=f"0 to {classes - 1}, the network's outputs",
                mend="give each point the true label of its image",
            )
        correct = int((violation(outputs, self._labels) == 0).sum())
        if correct:
            raise InputError(
                subject=f"adversarial set of {count} points",
                found=f"{correct} that the network classifies correctly",
                expected="misclassified points only (Definition 1)",
                mend="drop them, or generate the set with this very network",
            )
