"""Claims about what is proved: of the training images chosen, and of test images."""

from __future__ import annotations

import pandas as pd

from advmip.experiments.zhao_kronqvist.certified_instances import (
    CERTIFICATES,
    EXPERIMENT,
    INITIAL,
    PGD_POINTS,
    POINTS,
)
from advmip.reporting.cells import one_per_seed
from advmip.reporting.plan import by_method
from advmip.reporting.predicates import Case, Evidence, Predicate, at_least, at_most, entering
from advmip.reporting.rows import MissingRowsError

PREDICATES: dict[str, Predicate] = {}


class Proofs(Evidence):
    """Evidence with the questions that claims about proofs ask."""

    def settings(self, networks: list[str], *methods: str) -> list[tuple[str, float]]:
        """The networks and radii at which all of some methods were run.

        Raises:
            MissingRowsError: There is none.
        """
        found = self.rows.frame("robustness")
        at_all = [
            set(zip(part["paper_network"], part["epsilon"], strict=True))
            for part in (found[found["method"] == method] for method in methods)
        ]
        common = [place for place in sorted(set.intersection(*at_all)) if place[0] in networks]
        if not common:
            match = {
                "experiment": by_method(EXPERIMENT, methods[-1]),
                "paper_network": networks[0],
                "protocol": self.protocol,
            }
            raise MissingRowsError("robustness", match, self.rows.folder)
        return common

    def of(self, network: str, epsilon: float, method: str) -> pd.DataFrame:
        """The rows of a network made robust by one method."""
        match = {"experiment": EXPERIMENT, "protocol": self.protocol, "method": method}
        return self.rows.select(
            "robustness", match | {"paper_network": network, "epsilon": epsilon}
        )

    def initial(self, network: str, epsilon: float) -> float:
        """The share of test images that are proved with the network as it is."""
        return float(self.of(network, epsilon, INITIAL)["proved"].iloc[0])


predicate = entering(PREDICATES, Proofs)


@predicate
def finitely_many_points(evidence: Proofs, *, networks: list[str]) -> list[Case]:
    """Cuts at finitely many points end with all chosen images proved; the labels say how many.

    The direction holds if most of them are.
    """
    cases = []
    for network, epsilon in evidence.settings(networks, POINTS):
        for count, part in evidence.of(network, epsilon, POINTS).groupby("training_images"):
            proved = one_per_seed(part, "training_proved")
            points = one_per_seed(part, "points").mean()
            label = f"{network}, ε = {epsilon:g}, {points:.0f} points for {count} images, proved"
            cases.append(at_least(label, proved, 100.0, proved.mean() > 50, " %"))
    return cases


@predicate
def pgd_buys_no_certificates(evidence: Proofs, *, networks: list[str], points: float) -> list[Case]:
    """Algorithm 1 on PGD's points raises the share of proved test images by at most so much.

    The direction holds if cuts of certificates raise it by more than twice as much.
    """
    cases = []
    for network, epsilon in evidence.settings(networks, CERTIFICATES, PGD_POINTS):
        start = evidence.initial(network, epsilon)
        corrected, certified = (
            _at_most_images(evidence.of(network, epsilon, method)) - start
            for method in (PGD_POINTS, CERTIFICATES)
        )
        less = 2 * max(corrected.mean(), 0.0) < certified.mean()
        label = f"{network}, ε = {epsilon:g}"
        cases.append(at_most(label, corrected, points, bool(less), " points"))
    return cases


@predicate
def certificates_need_fewer_images(evidence: Proofs, *, networks: list[str]) -> list[Case]:
    """Cuts of certificates prove more with the fewest images than PGD's points with the most.

    The direction holds if they prove more with equally many.
    """
    cases = []
    for network, epsilon in evidence.settings(networks, CERTIFICATES, PGD_POINTS):
        certified, corrected = (
            evidence.of(network, epsilon, method) for method in (CERTIFICATES, PGD_POINTS)
        )
        fewest, most = certified["training_images"].min(), corrected["training_images"].max()
        few = one_per_seed(certified[certified["training_images"] == fewest], "proved")
        many = _at_most_images(corrected).mean()
        label = f"{network}, ε = {epsilon:g}, {fewest} images against {most} points"
        right = _at_most_images(certified).mean() > many
        cases.append(at_least(label, few - many, 0.0, bool(right), " points"))
    return cases


def _at_most_images(part: pd.DataFrame) -> pd.Series[float]:
    """The share of proved test images per seed, with the most training images."""
    return one_per_seed(part[part["training_images"] == part["training_images"].max()], "proved")
