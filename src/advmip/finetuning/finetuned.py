"""What a run of cutting planes leaves: its pool, and the networks that may be chosen from it."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import pandas as pd
from torch import Tensor

from advmip.finetuning.parameters import ParameterVector
from advmip.finetuning.pool import choose
from advmip.networks import Network


@dataclass(frozen=True)
class Finetuned:
    """What a run of Algorithm 1 leaves.

    Attributes:
        pool: One row per candidate: ``iteration``, ``alpha`` (0 and 0 for the initial network),
            ``violation`` V, ``loss``, ``complete`` (False: the loss is only a lower bound, high
            enough to prove the candidate dominated), ``pareto``.
        iterations: One row per iteration: the projection's size, distance, checks, and seconds.
        omega: The weights asked for.
        seconds: Processor time of the whole run.
    """

    network: Network
    steps: tuple[Tensor, ...]
    pool: pd.DataFrame
    iterations: pd.DataFrame
    omega: tuple[float, ...]
    seconds: float

    def choice(self, omega: float) -> dict[str, float]:
        """The pool's row chosen by equation (19) for this weight of the training loss."""
        row = self.pool.iloc[[choose(self.pool, omega)]]
        return {str(column): float(row[column].iloc[0]) for column in row}

    def model(self, omega: float) -> Network:
        """The network chosen by equation (19) for this weight of the training loss."""
        chosen = self.choice(omega)
        return self.candidate(int(chosen["iteration"]), float(chosen["alpha"]))

    def last(self) -> Network:
        """The last iterate, without the pool's selection."""
        return self.candidate(len(self.steps), 1.0)

    def candidate(self, iteration: int, alpha: float) -> Network:
        """The network with weights ``w_hat + alpha (w^iteration - w_hat)``."""
        network = copy.deepcopy(self.network)
        if iteration:
            parameters = ParameterVector(network.body)
            start = parameters.of(network.body).double()
            moved = start + alpha * self.steps[iteration - 1].to(start.device)
            tensors = parameters.unflatten(moved.to(network.mean.dtype))
            network.body.load_state_dict(tensors, strict=False)
        return network
