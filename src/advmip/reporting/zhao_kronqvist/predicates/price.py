"""Claims about what robustness costs: clean accuracy, and the training loss."""

from __future__ import annotations

from typing import Any

import pandas as pd

from advmip.reporting.predicates import Case, Predicate, at_least, at_most, entering
from advmip.reporting.zhao_kronqvist.evidence import FineTuning
from advmip.reporting.zhao_kronqvist.names import ATTACKS

PREDICATES: dict[str, Predicate] = {}
predicate = entering(PREDICATES, FineTuning)


@predicate
def accuracy_kept(
    evidence: FineTuning, *, networks: list[str], adversarial_counts: list[int], points: float
) -> list[Case]:
    """Clean accuracy stays within so many points of the initial one, whatever omega and count.

    The direction holds if it falls by less than a fifth of what PGD accuracy gains.
    """
    cases = []
    for network in networks:
        changes = _changes(evidence, network, adversarial_counts, "clean_accuracy").abs()
        largest = changes.max(axis=1)
        least_gain = min(
            float(evidence.improvement(network, count, "pgd_accuracy").mean())
            for count in evidence.planned(network, adversarial_counts)
        )
        cases.append(at_most(network, largest, points, largest.mean() < least_gain / 5, " points"))
    return cases


@predicate
def loss_kept(
    evidence: FineTuning, *, networks: list[str], adversarial_counts: list[int], rise: float
) -> list[Case]:
    """The training loss rises by at most so much, whatever omega and number of examples.

    The direction holds if it less than doubles or rises by less than twice as much.
    """
    cases = []
    for network in networks:
        rises = _changes(evidence, network, adversarial_counts, "training_loss").max(axis=1)
        initial = evidence.initial(network, "training_loss")
        cases.append(at_most(network, rises, rise, bool(rises.mean() < max(initial, 2 * rise))))
    return cases


@predicate
def omega_trades(
    evidence: FineTuning,
    *,
    network: str,
    adversarial_counts: list[int],
    high: float,
    low: list[float],
) -> list[Case]:
    """From a high to lower omegas FGSM and PGD accuracy rise and clean accuracy falls, on average.

    The direction holds if both robust accuracies rise.
    """
    gains = {
        quantity: _mean_over_counts(
            evidence.fine_tuned(network, count, omega, quantity)
            - evidence.fine_tuned(network, count, high, quantity)
            for count in evidence.planned(network, adversarial_counts)
            for omega in low
        )
        for quantity in [*ATTACKS, "clean_accuracy"]
    }
    robust = all(gains[quantity].mean() > 0 for quantity in ATTACKS)
    return [
        *(
            at_least(f"change of {attack}", gains[quantity], 0.0, robust, " points")
            for quantity, attack in ATTACKS.items()
        ),
        at_most("change of clean", gains["clean_accuracy"], 0.0, robust, " points"),
    ]


@predicate
def network_better(
    evidence: FineTuning, *, better: str, worse: str, adversarial_counts: list[int]
) -> list[Case]:
    """One network is more accurate than another on average, clean and under both attacks.

    The direction holds if it is so in two of the three.
    """
    gains = {
        label: _mean_over_counts(
            evidence.fine_tuned(better, count, omega, quantity)
            - evidence.fine_tuned(worse, count, omega, quantity).mean()
            for count in evidence.planned(better, adversarial_counts)
            for omega in evidence.omegas(better)
        )
        for quantity, label in [("clean_accuracy", "clean"), *ATTACKS.items()]
    }
    mostly = sum(bool(gain.mean() > 0) for gain in gains.values()) >= 2
    return [
        at_least(f"{label}, {better} less {worse}", gain, 0.0, mostly, " points")
        for label, gain in gains.items()
    ]


def _mean_over_counts(differences: Any) -> pd.Series[float]:
    """Mean of several numbers per seed, over the seeds that all of them have."""
    mean: pd.Series[float] = pd.concat(list(differences), axis=1, join="inner").mean(axis=1)
    return mean


def _changes(evidence: FineTuning, network: str, counts: list[int], quantity: str) -> pd.DataFrame:
    """Changes from the initial value: lines are seeds, columns settings."""
    initial = evidence.initial(network, quantity)
    return pd.concat(
        [
            evidence.fine_tuned(network, count, omega, quantity) - initial
            for count in evidence.planned(network, counts)
            for omega in evidence.omegas(network)
        ],
        axis=1,
        join="inner",
    )
