"""What the verifier says of balls at the weights of an iterate."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from advmip.certified_finetuning.balls import Balls
from advmip.finetuning.parameters import ParameterVector
from advmip.mip.verification import Verdict, Verifier
from advmip.networks import Network

Ask = Callable[[Network], Verifier]


class Verdicts:
    """Verdicts on balls, none of which is sought twice at the same weights.

    Args:
        network: The network.
        balls: The balls.
        ask: Makes the verifier of a network.
    """

    def __init__(self, network: Network, balls: Balls, ask: Ask) -> None:
        self._network = copy.deepcopy(network)
        self._parameters = ParameterVector(network.body)
        self._balls, self._ask = balls, ask
        self._vector: Tensor | None = None
        self._known: dict[int, Verdict] = {}

    def at(self, vector: Tensor, places: Sequence[int]) -> dict[int, Verdict]:
        """The verdicts on some balls at w (n,), as the network holds it in its own precision."""
        if self._vector is None or not torch.equal(self._vector, vector):
            self._vector, self._known = vector.clone(), {}
            rounded = self._parameters.unflatten(vector.to(self._network.mean.dtype))
            self._network.body.load_state_dict(rounded, strict=False)
        left = [place for place in places if place not in self._known]
        if left:
            verifier = self._ask(self._network)
            for place in left:
                centre = self._balls.centres[place].reshape(self._network.layout.shape)
                label = int(self._balls.labels[place])
                self._known[place] = verifier.verdict(centre.numpy(), label)
        return {place: self._known[place] for place in places}
