"""Claims about repairs: what is proved of them, what carries over, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from advmip.experiments.zhao_kronqvist.certified_instances import (
    CERTIFICATES,
    GRADIENT_WITH_TRAINING,
    LAST_LAYER_L1,
    LAST_LAYER_LINF,
    REPAIRS,
)
from advmip.reporting.cells import one_per_seed
from advmip.reporting.predicates import Case, Predicate, at_least, at_most, entering
from advmip.reporting.zhao_kronqvist.predicates.robust_runs import RobustRuns, described
from advmip.reporting.zhao_kronqvist.repair_table import repairs

PREDICATES: dict[str, Predicate] = {}


class Repairs(RobustRuns):
    """Evidence with the questions that claims about repairs ask."""

    experiment = REPAIRS
    keys = ("paper_network", "task", "epsilon")

    def frame(self) -> pd.DataFrame:
        """The rows of repairs, with the accuracy that each costs."""
        return repairs(self.rows)

    def beside(
        self, networks: list[str], method: str, quantity: str
    ) -> Iterator[tuple[str, pd.Series[float], pd.Series[float]]]:
        """For the same images a quantity per seed after cuts of certificates, and by a method.

        Each with the setting and the number of images in words.
        """
        for setting in self.settings(networks, CERTIFICATES, method):
            others = self.of(setting, method)
            for count, part in self.of(setting, CERTIFICATES).groupby("training_images"):
                same = others[others["training_images"] == count]
                label = f"{described(setting)}, {count} images"
                yield label, one_per_seed(part, quantity), one_per_seed(same, quantity)


predicate = entering(PREDICATES, Repairs)


@predicate
def balls_are_repaired(evidence: Repairs, *, networks: list[str]) -> list[Case]:
    """Cuts of certificates end with every ball proved; the direction holds if most are."""
    cases = []
    for setting in evidence.settings(networks, CERTIFICATES):
        for count, part in evidence.of(setting, CERTIFICATES).groupby("training_images"):
            proved = one_per_seed(part, "training_proved")
            label = f"{described(setting)}, {count} images"
            cases.append(at_least(label, proved, 100.0, proved.mean() > 50, " %"))
    return cases


@predicate
def repair_of_points_leaves_balls(
    evidence: Repairs, *, networks: list[str], share: float
) -> list[Case]:
    """Programs of the last layer, right at every point, prove at most a share of the balls.

    The direction holds if cuts of certificates prove more.
    """
    return [
        at_most(label, points, share, certified.mean() > points.mean(), " %")
        for method in (LAST_LAYER_L1, LAST_LAYER_LINF)
        for label, certified, points in evidence.beside(networks, method, "training_proved")
    ]


@predicate
def repair_costs_no_accuracy(
    evidence: Repairs, *, networks: list[str], points: float
) -> list[Case]:
    """Cuts of certificates cost at most so many points of clean accuracy.

    The direction holds if the program of the last layer costs more.
    """
    return [
        at_most(label, certified, points, certified.mean() < last_layer.mean(), " points")
        for label, certified, last_layer in evidence.beside(
            networks, LAST_LAYER_L1, "accuracy_lost"
        )
    ]


@predicate
def repair_carries_over(evidence: Repairs, *, networks: list[str], points: float) -> list[Case]:
    """After cuts of certificates no fewer other images come right than after gradient descent.

    Descent sees training images too. The direction holds if it is at most so many points more.
    """
    cases = []
    for label, certified, descent in evidence.beside(
        networks, GRADIENT_WITH_TRAINING, "others_right"
    ):
        more = certified - descent.reindex(certified.index)
        cases.append(at_least(label, more, 0.0, more.mean() >= -points, " points"))
    return cases
