"""Claims about what is proved: of the training images chosen, and of test images."""

from __future__ import annotations

import pandas as pd

from advmip.experiments.zhao_kronqvist.certified_instances import (
    CERTIFICATES,
    INITIAL,
    PGD_POINTS,
    POINTS,
    PROOFS,
)
from advmip.reporting.cells import one_per_seed
from advmip.reporting.predicates import Case, Predicate, at_least, at_most, entering
from advmip.reporting.zhao_kronqvist.predicates.robust_runs import RobustRuns, Setting, described

PREDICATES: dict[str, Predicate] = {}


class Proofs(RobustRuns):
    """Evidence with the questions that claims about proofs ask."""

    experiment = PROOFS

    def initial(self, setting: Setting) -> float:
        """The share of test images that are proved with the network as it is."""
        return float(self.of(setting, INITIAL)["proved"].iloc[0])


predicate = entering(PREDICATES, Proofs)


@predicate
def finitely_many_points(evidence: Proofs, *, networks: list[str]) -> list[Case]:
    """Cuts at finitely many points end with all chosen images proved; the labels say how many.

    The direction holds if most of them are.
    """
    cases = []
    for setting in evidence.settings(networks, POINTS):
        for count, part in evidence.of(setting, POINTS).groupby("training_images"):
            proved = one_per_seed(part, "training_proved")
            points = one_per_seed(part, "points").mean()
            label = f"{described(setting)}, {points:.0f} points for {count} images, proved"
            cases.append(at_least(label, proved, 100.0, proved.mean() > 50, " %"))
    return cases


@predicate
def pgd_buys_no_certificates(evidence: Proofs, *, networks: list[str], points: float) -> list[Case]:
    """Algorithm 1 on PGD's points raises the share of proved test images by at most so much.

    The direction holds if cuts of certificates raise it by more than twice as much.
    """
    cases = []
    for setting in evidence.settings(networks, CERTIFICATES, PGD_POINTS):
        start = evidence.initial(setting)
        corrected, certified = (
            _at_most_images(evidence.of(setting, method)) - start
            for method in (PGD_POINTS, CERTIFICATES)
        )
        less = 2 * max(corrected.mean(), 0.0) < certified.mean()
        cases.append(at_most(described(setting), corrected, points, bool(less), " points"))
    return cases


@predicate
def certificates_need_fewer_images(evidence: Proofs, *, networks: list[str]) -> list[Case]:
    """Cuts of certificates prove more with the fewest images than PGD's points with the most.

    The direction holds if they prove more with equally many.
    """
    cases = []
    for setting in evidence.settings(networks, CERTIFICATES, PGD_POINTS):
        certified, corrected = (
            evidence.of(setting, method) for method in (CERTIFICATES, PGD_POINTS)
        )
        fewest, most = certified["training_images"].min(), corrected["training_images"].max()
        few = one_per_seed(certified[certified["training_images"] == fewest], "proved")
        many = _at_most_images(corrected).mean()
        label = f"{described(setting)}, {fewest} images against {most} points"
        right = _at_most_images(certified).mean() > many
        cases.append(at_least(label, few - many, 0.0, bool(right), " points"))
    return cases


def _at_most_images(part: pd.DataFrame) -> pd.Series[float]:
    """The share of proved test images per seed, with the most training images."""
    return one_per_seed(part[part["training_images"] == part["training_images"].max()], "proved")
