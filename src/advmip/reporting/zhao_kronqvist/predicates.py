"""The paper's claims in words as small functions over the rows."""

from __future__ import annotations

from typing import Any

import pandas as pd
from scipy import stats

from advmip.reporting.comparisons import cell_of, find_block, one_per_seed
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
    cases = []
    for network in networks:
        counts = evidence.planned(network, adversarial_counts)
        for quantity, attack in ATTACKS.items():
            gains = pd.concat(
                [evidence.improvement(network, count, quantity) for count in counts],
                axis=1,
                join="inner",
            )
            tau = [float(stats.kendalltau(counts, gain).statistic) for gain in gains.to_numpy()]
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
def accuracy_kept(
    evidence: FineTuning, *, networks: list[str], adversarial_counts: list[int], points: float
) -> list[Case]:
    """Clean accuracy stays within so many points of the initial one, whatever omega and count.

    The direction holds if it falls by less than a fifth of what PGD accuracy gains.
    """
    return [
        at_most(
            network,
            (changes := _largest_changes(evidence, network, adversarial_counts, "clean_accuracy")),
            points,
            bool(changes.mean() < _least_gain(evidence, network, adversarial_counts) / 5),
            " points",
        )
        for network in networks
    ]


@predicate
def loss_kept(
    evidence: FineTuning, *, networks: list[str], adversarial_counts: list[int], rise: float
) -> list[Case]:
    """The training loss rises by at most so much, whatever omega and number of examples.

    The direction holds if it less than doubles or rises by less than twice as much.
    """
    cases = []
    for network in networks:
        rises = _largest_rises(evidence, network, adversarial_counts, "training_loss")
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


@predicate
def violation_reached(
    evidence: FineTuning, *, networks: list[str], adversarial_counts: list[int], below: float
) -> list[Case]:
    """The smallest V of a run is below a bound on every network, for every number of examples.

    The direction holds if V falls below a tenth of its first value.
    """
    cases = []
    for network in networks:
        for count in evidence.planned(network, adversarial_counts):
            course = evidence.violation("tables", network, count, 0.0)
            first, last = course.iloc[0], course.iloc[-1]
            falls = last.mean() < first.mean() / 10
            cases.append(at_most(f"{network} with {count}", last, below, falls))
    return cases


@predicate
def violation_falls(
    evidence: FineTuning,
    *,
    experiment: str,
    network: str,
    adversarial_count: int,
    radii: list[float],
    iteration: int,
    ratio: float,
) -> list[Case]:
    """V after an iteration is at most so large a share of its first value, for each radius.

    A run that is shorter is judged by its last iteration. The direction holds if V falls.
    """
    cases = []
    for radius in radii:
        course = evidence.violation(experiment, network, adversarial_count, radius)
        first, later = course.iloc[0], course.loc[min(iteration, course.index.max())]
        label = f"radius {radius:g}, V from {first.mean():.3g} to {later.mean():.3g}"
        falls = later.mean() < first.mean()
        cases.append(at_most(label, later / first, ratio, falls))
    return cases


@predicate
def radius_lowers_violation(
    evidence: FineTuning,
    *,
    network: str,
    adversarial_count: int,
    radius: float,
    first_iteration: int,
) -> list[Case]:
    """V with a radius is below V without after every iteration from the first one named on.

    The direction holds if it is so in more than half of them.
    """
    with_radius, without = (
        evidence.violation("figure3", network, adversarial_count, value).loc[first_iteration:]
        for value in (radius, 0.0)
    )
    share = 100.0 * (with_radius < without).mean()
    return [at_least("iterations with less V", share, 100.0, share.mean() > 50, " %")]


@predicate
def radius_keeps_robustness(
    evidence: FineTuning,
    *,
    network: str,
    adversarial_count: int,
    radius: float,
    first_iteration: int,
    points: float,
) -> list[Case]:
    """PGD accuracy with and without a radius differs by at most so many points on average.

    The direction holds if it differs by at most twice as many.
    """
    with_radius, without = (
        evidence.course("figure3", network, adversarial_count, value, "pgd_accuracy").loc[
            first_iteration:
        ]
        for value in (radius, 0.0)
    )
    difference = (with_radius - without).abs().mean()
    similar = difference.mean() <= 2 * points
    return [at_most("mean difference", difference, points, similar, " points")]


@predicate
def front_improves(
    evidence: FineTuning, *, network: str, violation_ratio: float, rise: float
) -> list[Case]:
    """Some Pareto point of Figure 1 cuts V to a share at little rise of the loss.

    The direction holds if some point has less V and the loss less than doubled.
    """
    pool = evidence.rows.select(
        "pool",
        {"paper_network": network, "experiment": "figure1", "protocol": evidence.protocol},
    )
    rises, eased = [], []
    for _, candidates in pool.groupby("seed"):
        first = candidates[candidates["iteration"] == 0].iloc[0]
        front = candidates[candidates["pareto"]]
        low = front[front["violation"] <= violation_ratio * first["violation"]]
        rises.append(float(low["loss"].min() - first["loss"]) if len(low) else float("inf"))
        eased.append(
            bool(
                (
                    (front["violation"] < first["violation"]) & (front["loss"] < 2 * first["loss"])
                ).any()
            )
        )
    label = f"rise of the loss where V is at most {violation_ratio:g} of its first value"
    return [at_most(label, rises, rise, all(eased))]


@predicate
def projection_share_between(
    evidence: FineTuning,
    *,
    networks: list[str],
    adversarial_counts: list[int],
    low: float,
    high: float,
) -> list[Case]:
    """The QPs take between two shares, in percent, of the total time.

    The direction holds if the share grows with the number of examples, as the paper's does.
    """
    cases = []
    for network in networks:
        shares = [
            100.0
            * evidence.fine_tuned(network, count, 0.0, "seconds_projection")
            / evidence.fine_tuned(network, count, 0.0, "seconds_total")
            for count in evidence.planned(network, adversarial_counts)
        ]
        grows = bool(shares[-1].mean() > shares[0].mean())
        least, most = (f(shares, key=lambda s: float(s.mean())) for f in (min, max))
        cases.append(at_least(f"{network}, smallest share", least, low, grows, " %"))
        cases.append(at_most(f"{network}, largest share", most, high, grows, " %"))
    return cases


@predicate
def faster_than_published(evidence: FineTuning, *, blocks: list[str], factor: float) -> list[Case]:
    """Our times are smaller than the published ones by at least a factor, in the largest case.

    The direction holds if they are smaller.
    """
    cases = []
    for name in blocks:
        block = find_block(evidence.source, name)
        keys, numbers = max(block.values, key=lambda value: max(value[1].values()))
        for quantity, published in numbers.items():
            cell = cell_of(evidence.rows, evidence.source, block, keys, quantity, evidence.protocol)
            speed = published / cell.measured.mean
            label = str(block.match.get("paper_network", name))
            cases.append(at_least(label, [speed], factor, speed > 1, " times"))
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


def _mean_over_counts(differences: Any) -> pd.Series[float]:
    """Mean of several numbers per seed, over the seeds that all of them have."""
    mean: pd.Series[float] = pd.concat(list(differences), axis=1, join="inner").mean(axis=1)
    return mean


def _largest_changes(
    evidence: FineTuning, network: str, counts: list[int], quantity: str
) -> pd.Series[float]:
    """The largest change from the initial value, either way, per seed."""
    largest: pd.Series[float] = _changes(evidence, network, counts, quantity).abs().max(axis=1)
    return largest


def _largest_rises(
    evidence: FineTuning, network: str, counts: list[int], quantity: str
) -> pd.Series[float]:
    """The largest rise above the initial value, per seed."""
    largest: pd.Series[float] = _changes(evidence, network, counts, quantity).max(axis=1)
    return largest


def _changes(evidence: FineTuning, network: str, counts: list[int], quantity: str) -> pd.DataFrame:
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


def _least_gain(evidence: FineTuning, network: str, counts: list[int]) -> float:
    return min(
        float(evidence.improvement(network, count, "pgd_accuracy").mean())
        for count in evidence.planned(network, counts)
    )
