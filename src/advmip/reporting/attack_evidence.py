"""What predicates of several sources ask of the rows of exact attacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from advmip.reporting.cells import one_per_seed
from advmip.reporting.predicates import Evidence
from advmip.reporting.rows import MissingRowsError

# Columns and values that select attacks, such as those of an experiment in one distance.
Query = Mapping[str, Any]


class AttackEvidence(Evidence):
    """Evidence with the questions on attacks that claims ask."""

    def planned(
        self, networks: Sequence[str], queries: Sequence[Query], other: Query
    ) -> list[tuple[str, Query]]:
        """The networks and queries that this scale runs together with another query.

        Raises:
            MissingRowsError: It runs none of them.
        """
        both = [
            (network, query)
            for network in networks
            for query in queries
            if self._expects(network, query) and self._expects(network, other)
        ]
        if not both:
            lacking = other if self._expects(networks[0], queries[0]) else queries[0]
            match = {"paper_network": networks[0], **lacking}
            raise MissingRowsError("attacks", match, self.rows.folder)
        return both

    def per_image(self, network: str, query: Query, quantity: str) -> pd.Series[float]:
        """A quantity of attacks on a network, by rank of the image; without those unanswered."""
        match = {"paper_network": network, **query}
        return one_per_seed(self.rows.select("attacks", match), quantity)

    def pairs(self, network: str, these: Query, those: Query, quantity: str) -> pd.DataFrame:
        """A quantity of two kinds of attacks (columns 0 and 1), on the images that both answer."""
        series = [self.per_image(network, query, quantity) for query in (these, those)]
        return pd.concat(series, axis=1, join="inner", keys=[0, 1])

    def _expects(self, network: str, query: Query) -> bool:
        match = {"paper_network": network, "protocol": self.protocol, **query}
        return self.rows.expects(match)
