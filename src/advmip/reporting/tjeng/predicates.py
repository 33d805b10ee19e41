"""The poster's claims in words as small functions over the rows."""

from __future__ import annotations

import pandas as pd

from advmip.reporting.cells import one_per_seed
from advmip.reporting.predicates import Case, Evidence, Predicate, at_least, at_most, entering
from advmip.reporting.rows import MissingRowsError
from advmip.reporting.tjeng.names import ABLATION, ADVERSARIAL_ERROR, CONTROL, VERIFIERS

PREDICATES: dict[str, Predicate] = {}


class Verified(Evidence):
    """Evidence with the questions that the poster's claims ask."""

    def per_image(self, match: dict[str, object], quantity: str) -> pd.Series[float]:
        """A quantity of verifications, by image."""
        return one_per_seed(self.rows.select("verifications", match), quantity)

    def errors(self, network: str, quantity: str) -> float:
        """A bound of the adversarial error of a network, in percent."""
        match: dict[str, object] = {"experiment": ADVERSARIAL_ERROR, "paper_network": network}
        return float(self.per_image(match, quantity).mean())

    def run(self, networks: list[str]) -> list[str]:
        """Those networks whose adversarial error this scale bounds.

        Raises:
            MissingRowsError: There is none.
        """
        common = {"experiment": ADVERSARIAL_ERROR, "protocol": self.protocol}
        run = [name for name in networks if self.rows.expects({**common, "paper_network": name})]
        if not run:
            match = {"experiment": ADVERSARIAL_ERROR, "paper_network": networks[0]}
            raise MissingRowsError("verifications", match, self.rows.folder)
        return run


predicate = entering(PREDICATES, Verified)


@predicate
def costs_times(evidence: Verified, *, network: str, factors: dict[str, float]) -> list[Case]:
    """Without an optimisation a verification takes at least so many times the control's.

    What was stopped counts with its time, which makes the multiple one from below. The direction
    holds if it takes longer at all.
    """
    match: dict[str, object] = {"experiment": ABLATION, "paper_network": network}
    control = evidence.per_image(match | {"variant": CONTROL}, "seconds")
    cases = []
    for variant, factor in factors.items():
        seconds = evidence.per_image(match | {"variant": variant}, "seconds")
        both = pd.concat([seconds, control], axis=1, join="inner", keys=[0, 1]).mean()
        times = float(both[0] / both[1])
        label = f"without {VERIFIERS[variant]}"
        cases.append(at_least(label, [times], factor, times > 1, " times"))
    return cases


@predicate
def bounds_improve(evidence: Verified, *, networks: list[str]) -> list[Case]:
    """The lower bound is above PGD's and the upper one below that of the relaxation.

    The direction holds if neither is worse, and one of them better unless PGD and the relaxation
    meet already.
    """
    cases = []
    for network in evidence.run(networks):
        below = evidence.errors(network, "lower_error") - evidence.errors(network, "pgd_error")
        above = evidence.errors(network, "linear_error") - evidence.errors(network, "upper_error")
        gap = evidence.errors(network, "linear_error") - evidence.errors(network, "pgd_error")
        right = min(below, above) >= 0 and (max(below, above) > 0 or gap == 0)
        smallest = 1e-9
        cases.append(at_least(f"{network}, lower bound", [below], smallest, right, " points"))
        cases.append(at_least(f"{network}, upper bound", [above], smallest, right, " points"))
    return cases


@predicate
def intervals_close(evidence: Verified, *, networks: list[str], points: float) -> list[Case]:
    """Lower and upper bound of the adversarial error are at most so many points apart.

    The direction holds if they are closer than PGD and the relaxation bring them.
    """
    cases = []
    for network in evidence.run(networks):
        gap = evidence.errors(network, "upper_error") - evidence.errors(network, "lower_error")
        wide = evidence.errors(network, "linear_error") - evidence.errors(network, "pgd_error")
        cases.append(at_most(network, [gap], points, gap < wide, " points"))
    return cases
