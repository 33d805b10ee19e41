"""Claims about the violation V, and what a radius does to it."""

from __future__ import annotations

from advmip.reporting.predicates import Case, Predicate, at_least, at_most, entering
from advmip.reporting.zhao_kronqvist.evidence import FineTuning

PREDICATES: dict[str, Predicate] = {}
predicate = entering(PREDICATES, FineTuning)


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
