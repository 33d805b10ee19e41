"""What predicates and figures ask of the rows of fine-tuning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from advmip.reporting.cells import one_per_seed
from advmip.reporting.predicates import Evidence
from advmip.reporting.rows import MissingRowsError
from advmip.reporting.zhao_kronqvist.names import FINE_TUNED


class FineTuning(Evidence):
    """Evidence with the questions that the paper's claims ask."""

    def planned(self, network: str, counts: Sequence[int]) -> list[int]:
        """Those of the numbers of examples that this scale runs for a network.

        Raises:
            MissingRowsError: It runs none of them.
        """
        runs = [count for count in counts if self.rows.planned(network, self.protocol, count)]
        if not runs:
            match = {"paper_network": network, "adversarial_count": list(counts)}
            raise MissingRowsError("evaluations", match, self.rows.folder)
        return runs

    def initial(self, network: str, quantity: str) -> float:
        """A quantity of the network before fine-tuning, the mean over the seeds."""
        match = {"paper_network": network, "method": "initial", "protocol": self.protocol}
        return float(one_per_seed(self.rows.select("evaluations", match), quantity).mean())

    def fine_tuned(self, network: str, count: int, omega: float, quantity: str) -> pd.Series[float]:
        """A quantity of the fine-tuned network, one number per seed."""
        match = {
            **FINE_TUNED,
            "paper_network": network,
            "adversarial_count": count,
            "omega": omega,
            "protocol": self.protocol,
        }
        return one_per_seed(self.rows.select("evaluations", match), quantity)

    def omegas(self, network: str) -> list[float]:
        """The weights omega that were run for a network."""
        match = {**FINE_TUNED, "paper_network": network, "protocol": self.protocol}
        known = self.rows.select("evaluations", match)["omega"].dropna()
        return sorted(float(omega) for omega in known.unique())

    def improvement(self, network: str, count: int, quantity: str) -> pd.Series[float]:
        """Percentage points gained by fine-tuning, per seed, under the best omega."""
        per_omega = [
            self.fine_tuned(network, count, omega, quantity) for omega in self.omegas(network)
        ]
        best = pd.concat(per_omega, axis=1).max(axis=1)
        return best - self.initial(network, quantity)

    def course(
        self, experiment: str, network: str, count: int, radius: float, quantity: str
    ) -> pd.DataFrame:
        """A quantity of the iterates, one line per iteration and one column per seed."""
        match = self._run(experiment, network, count, radius)
        chosen = self.rows.select("iterations", match)
        course: pd.DataFrame = chosen.pivot_table(
            index="iteration", columns="seed", values=quantity
        )
        return course

    def violation(self, experiment: str, network: str, count: int, radius: float) -> pd.DataFrame:
        """V of the choice with omega = 0 after each iteration, one column per seed.

        That is the smallest V of the pool so far; iteration 0 is the initial network.
        """
        match = self._run(experiment, network, count, radius)
        return smallest_violation(self.rows.select("pool", match))

    def _run(self, experiment: str, network: str, count: int, radius: float) -> dict[str, Any]:
        return {
            "experiment": experiment,
            "paper_network": network,
            "adversarial_count": count,
            "radius": radius,
            "protocol": self.protocol,
        }


def smallest_violation(pool: pd.DataFrame) -> pd.DataFrame:
    """The smallest V among the candidates up to each iteration, one column per seed.

    It is V of the choice (19) with omega = 0 if the run had ended there.

    Args:
        pool: Rows of one run per seed, with columns seed, iteration and violation.
    """
    least = pool.pivot_table(index="iteration", columns="seed", values="violation", aggfunc="min")
    return least.cummin()
