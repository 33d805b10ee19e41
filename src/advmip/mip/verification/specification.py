"""What is asked of every image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from advmip.checking.replay import Replay
from advmip.errors import InputError, unknown_name
from advmip.mip.bounds.balls import NORMS
from advmip.mip.bounds.operators import Stage, matrix_stages
from advmip.mip.distances import Distance, distance_named
from advmip.mip.solvers import Options
from advmip.mip.verification.verdict import VerificationIngredients
from advmip.networks.network import Network
from advmip.networks.staged import StagedNetwork
from advmip.networks.staging import staged


@dataclass(frozen=True)
class Specification:
    """Whether every image within a radius keeps its class, and how that is found out.

    Attributes:
        network: The network.
        epsilon: The ball's radius, above 0 and at most the distance of two images.
        norm: "linf", "l1" or "l2".
        solver: "auto", "gurobi", "scip" or "highs".
        options: Of the solver; the time limit is that of an image.
        ingredients: What verification consists of.
        failures: The folder for an adversarial image that fails its check.

    Raises:
        InputError: A number is out of range, there is no such norm, or the network has an
            operation that is not supported.
    """

    network: Network
    epsilon: float
    norm: str
    solver: str
    options: Options
    ingredients: VerificationIngredients
    failures: Path

    def __post_init__(self) -> None:
        if self.norm not in NORMS:
            raise unknown_name("norm", self.norm, NORMS)
        pixels = self.form.pixels
        farthest = {"linf": 1.0, "l1": pixels, "l2": np.sqrt(pixels)}[self.norm]
        limit = self.options.time_limit
        for name, number, right, expected in (
            (
                "epsilon",
                self.epsilon,
                0 < self.epsilon <= farthest,
                f"above 0, at most {farthest:g}",
            ),
            ("time_limit", limit, limit > 0, "seconds, above 0"),
        ):
            if not right:
                raise InputError(
                    subject=f"{name} of the verification",
                    found=str(number),
                    expected=expected,
                    mend=f"correct {name}",
                )

    @cached_property
    def replay(self) -> Replay:
        """The network as others run it."""
        return Replay(self.network)

    @cached_property
    def form(self) -> StagedNetwork:
        """The staged network."""
        return staged(self.network)

    @cached_property
    def stages(self) -> list[Stage]:
        """Its stages, to be bounded in batches."""
        return matrix_stages(self.form)

    @cached_property
    def distance(self) -> Distance:
        """The distance of the ball."""
        return distance_named(self.norm)
