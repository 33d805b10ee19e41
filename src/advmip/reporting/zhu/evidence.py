"""What predicates ask of the rows of exact attacks and of adversarial training."""

from __future__ import annotations

import pandas as pd

from advmip.reporting.attack_evidence import AttackEvidence
from advmip.reporting.zhu.names import RETRAINED, TEST_EXAMPLES


class Attacked(AttackEvidence):
    """Evidence with the questions that the thesis's claims ask."""

    def accuracy(self, network: str, trained_on: str | None, tested_on: str | None) -> float:
        """The accuracy in percent of a network trained on examples of one distance.

        Args:
            network: The network's name in the thesis.
            trained_on: A distance; None for the network as first trained.
            tested_on: A distance; None for the test images themselves.
        """
        match = {
            "experiment": TEST_EXAMPLES,
            "paper_network": network,
            "trained_on": trained_on,
            "distance_name": tested_on,
        }
        return float(self.rows.select("accuracies", match)["accuracy"].mean())

    def change(self, network: str, trained_on: str, distance: str) -> pd.Series[float]:
        """The change of an objective by retraining, in percent, by rank of the image."""
        query = {"experiment": RETRAINED, "trained_on": trained_on, "distance_name": distance}
        return self.per_image(network, query, "change")
