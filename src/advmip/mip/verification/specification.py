"""A network that is to be verified, and how that is done."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from advmip.checking.replay import Replay
from advmip.errors import InputError
from advmip.mip.bounds.operators import Stage, matrix_stages
from advmip.mip.solvers import Options, check_solver
from advmip.mip.verification.verdict import VerificationIngredients
from advmip.networks.network import Network
from advmip.networks.staged import StagedNetwork
from advmip.networks.staging import staged


@dataclass(frozen=True)
class Specification:
    """A network, and how it is verified.

    Attributes:
        network: The network.
        solver: "auto", "gurobi", "scip" or "highs".
        options: Of the solver; the time limit is that of a question.
        ingredients: What verification consists of.
        failures: The folder for a counterexample that fails its check.

    Raises:
        InputError: The time limit is out of range, there is no such solver, or the network has an
            operation that is not supported.
    """

    network: Network
    solver: str
    options: Options
    ingredients: VerificationIngredients
    failures: Path

    def __post_init__(self) -> None:
        if not self.options.time_limit > 0:
            raise InputError(
                subject="time_limit of the verification",
                found=str(self.options.time_limit),
                expected="seconds, above 0",
                mend="correct time_limit",
            )
        check_solver(self.solver)
        _ = self.form

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
