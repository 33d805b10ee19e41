"""Claims about accuracy under attack."""

from __future__ import annotations

import pandas as pd

from advmip.reporting.cells import one_per_seed
from advmip.reporting.predicates import Case, Predicate, at_least, at_most, entering
from advmip.reporting.zhao_kronqvist.evidence import FineTuning
from advmip.reporting.zhao_kronqvist.names import ATTACKS

PREDICATES: dict[str, Predicate] = {}
predicate = entering(PREDICATES, FineTuning)


@predicate
def improvement_at_least(
    evidence: FineTuning, *, networks: list[str], adversarial_count: int, points: float
) -> list[Case]:
    """FGSM and PGD accuracy rise by so many points on every network, under the best omega."""
    cases = []
    for network in networks:
        for quantity, attack in ATTACKS.items():
            gain = evidence.improvement(network, adversarial_count, quantity)
            cases.append(at_least(f"{network}, {attack}", gain, points, gain.mean() > 0, " points"))
    return cases


@predicate
def improvement_reaches(
    evidence: FineTuning,
    *,
    networks: list[str],
    adversarial_counts: list[int],
    quantity: str,
    points: float,
) -> list[Case]:
    """The largest improvement over networks and numbers of examples reaches so many points."""
    gains = [
        (f"{network} with {count}", evidence.improvement(network, count, quantity))
        for network in networks
        for count in evidence.planned(network, adversarial_counts)
    ]
    label, gain = max(gains, key=lambda named: float(named[1].mean()))
    return [at_least(f"{label}, {ATTACKS[quantity]}", gain, points, gain.mean() > 0, " points")]


@predicate
def improvement_rises_with_count(
    evidence: FineTuning,
    *,
    networks: list[str],
    adversarial_counts: list[int],
    rank_correlation: float,
) -> list[Case]:
    """Kendall's rank correlation of improvement and number of examples is at least so high."""
    from scipy.stats import kendalltau  # longer to load than all other verdicts take

    cases = []
    for network in networks:
        counts = evidence.planned(network, adversarial_counts)
        for quantity, attack in ATTACKS.items():
            gains = pd.concat(
                [evidence.improvement(network, count, quantity) for count in counts],
                axis=1,
                join="inner",
            )
            tau = [float(kendalltau(counts, gain).statistic) for gain in gains.to_numpy()]
            rises = bool(gains.iloc[:, -1].mean() > gains.iloc[:, 0].mean())
            cases.append(at_least(f"{network}, {attack}", tau, rank_correlation, rises))
    return cases


@predicate
def improves_less(
    evidence: FineTuning, *, network: str, others: list[str], adversarial_count: int
) -> list[Case]:
    """A network gains something, but less than each of the others."""
    cases = []
    for quantity, attack in ATTACKS.items():
        own = evidence.improvement(network, adversarial_count, quantity)
        least = min(
            float(evidence.improvement(other, adversarial_count, quantity).mean())
            for other in others
        )
        positive = bool(own.mean() > 0)
        cases.append(at_least(f"{network}, {attack}", own, 0.0, positive, " points"))
        cases.append(
            at_most(f"{network} against the others, {attack}", own, least, positive, " points")
        )
    return cases


@predicate
def robustness_little_changed(
    evidence: FineTuning, *, networks: list[str], method: str, adversarial_count: int, points: float
) -> list[Case]:
    """A training method changes FGSM and PGD accuracy by at most so many points.

    The direction holds if the change is less than half of what fine-tuning gains.
    """
    cases = []
    for network in networks:
        for quantity, attack in ATTACKS.items():
            match = {
                "paper_network": network,
                "method": method,
                "adversarial_count": adversarial_count,
                "protocol": evidence.protocol,
            }
            trained = one_per_seed(evidence.rows.select("evaluations", match), quantity)
            change = (trained - evidence.initial(network, quantity)).abs()
            gain = evidence.improvement(network, adversarial_count, quantity).mean()
            cases.append(
                at_most(f"{network}, {attack}", change, points, change.mean() < gain / 2, " points")
            )
    return cases


@predicate
def accuracy_reached(
    evidence: FineTuning, *, network: str, adversarial_count: int, accuracies: dict[str, float]
) -> list[Case]:
    """FGSM and PGD accuracy reach so many percent under the best omega.

    The direction holds if they rise.
    """
    cases = []
    for quantity, percent in accuracies.items():
        gain = evidence.improvement(network, adversarial_count, quantity)
        reached = gain + evidence.initial(network, quantity)
        cases.append(at_least(ATTACKS[quantity], reached, percent, gain.mean() > 0, " %"))
    return cases
