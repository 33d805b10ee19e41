"""The rows of networks made robust, as claims about them ask for."""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd

from advmip.reporting.plan import by_method
from advmip.reporting.predicates import Evidence
from advmip.reporting.rows import MissingRowsError, where

# A network, and what else is the same for all methods that are compared on it.
Setting = dict[str, Any]


class RobustRuns(Evidence):
    """Evidence with the questions that claims about networks made robust ask."""

    experiment: ClassVar[str]
    # Columns that tell settings apart, the network first.
    keys: ClassVar[tuple[str, ...]] = ("paper_network", "epsilon")

    def frame(self) -> pd.DataFrame:
        """The rows of the experiment."""
        return where(self.rows.frame("robustness"), {"experiment": self.experiment})

    def settings(self, networks: list[str], *methods: str) -> list[Setting]:
        """The settings at which all of some methods were run.

        Raises:
            MissingRowsError: There is none.
        """
        found = self.frame()
        at_all = [
            set(found.loc[found["method"] == method, list(self.keys)].itertuples(False, None))
            for method in methods
        ]
        common = [each for each in sorted(set.intersection(*at_all)) if each[0] in networks]
        if not common:
            raise self._missing(networks, methods[-1])
        return [dict(zip(self.keys, each, strict=True)) for each in common]

    def _missing(self, networks: list[str], method: str) -> MissingRowsError:
        """Says which rows of a method are not there: of a network that the scale ought to have."""
        experiment, plan = by_method(self.experiment, method), self.rows.plan
        planned = [
            network
            for network in networks
            if plan is None
            or plan.runs(experiment, self.protocol, network, None)
            or plan.attacks(experiment, network, None)
        ]
        match = {
            "experiment": experiment,
            "paper_network": (planned or networks)[0],
            "protocol": self.protocol,
        }
        return MissingRowsError("robustness", match, self.rows.folder)

    def of(self, setting: Setting, method: str) -> pd.DataFrame:
        """The rows of a setting by one method.

        Raises:
            MissingRowsError: There is none.
        """
        match = {"protocol": self.protocol, "method": method, **setting}
        found = where(self.frame(), match)
        if found.empty:
            raise MissingRowsError(
                "robustness", match | {"experiment": self.experiment}, self.rows.folder
            )
        return found


def described(setting: Setting) -> str:
    """A setting in words."""
    network, *others = setting.items()
    return ", ".join([str(network[1]), *(_written(*each) for each in others)])


def _written(name: str, value: Any) -> str:
    return f"ε = {value:g}" if name == "epsilon" else str(value)
