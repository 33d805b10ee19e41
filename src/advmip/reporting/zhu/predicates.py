"""The thesis's claims in words as small functions over the rows."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from advmip.reporting.attack_evidence import Query
from advmip.reporting.predicates import Case, Predicate, at_least, at_most, entering
from advmip.reporting.zhu.evidence import Attacked
from advmip.reporting.zhu.names import MODELS, PROGRESSIVE
from advmip.reporting.zhu.printing import distance_label

PREDICATES: dict[str, Predicate] = {}
predicate = entering(PREDICATES, Attacked)


@predicate
def solves_as_many(
    evidence: Attacked, *, networks: list[str], these: list[Query], those: Query, points: float
) -> list[Case]:
    """These attacks are solved as often as those, or by at most so many percent less.

    The direction holds if it is at most twice as many.
    """
    cases = []
    for network, query in evidence.planned(networks, these, those):
        means = evidence.pairs(network, query, those, "solved").mean()
        less = float(means[1] - means[0])
        label = f"{network}, {_named(those)} less {_named(query)}"
        cases.append(at_most(label, [less], points, less <= 2 * points, " % solved"))
    return cases


@predicate
def all_solved(evidence: Attacked, *, networks: list[str], these: list[Query]) -> list[Case]:
    """Every one of these attacks is solved; the direction holds if more than half of them are."""
    cases = []
    for network, query in evidence.planned(networks, these, these[0]):
        solved = evidence.per_image(network, query, "solved").mean()
        cases.append(at_least(f"{network}, {_named(query)}", [solved], 100.0, solved > 50, " %"))
    return cases


@predicate
def takes_less(
    evidence: Attacked,
    *,
    networks: list[str],
    quantity: str,
    these: list[Query],
    those: Query,
    ratio: float,
) -> list[Case]:
    """The mean of a quantity over these attacks is at most so large a share of that over those.

    The direction holds if it is smaller.
    """
    cases = []
    for network, query in evidence.planned(networks, these, those):
        means = evidence.pairs(network, query, those, quantity).mean()
        share = _share(means[0], means[1])
        label = f"{network}, {_named(query)} to {_named(those)}"
        cases.append(at_most(label, [share], ratio, share < 1, " times"))
    return cases


@predicate
def shorter_on_larger(evidence: Attacked, *, networks: list[str], these: list[Query]) -> list[Case]:
    """From each network to the next the mean objective falls, for each kind of attack.

    The direction holds if it falls from the first to the last.
    """
    cases = []
    for query in these:
        run = [network for network, _ in evidence.planned(networks, [query], query)]
        means = [float(evidence.per_image(each, query, "objective").mean()) for each in run]
        falls = means[-1] < means[0]
        for (first, before), (second, after) in pairwise(zip(run, means, strict=True)):
            label = f"{_named(query)}, {second} to {first}"
            cases.append(at_most(label, [_share(after, before)], 1.0, falls, " times"))
    return cases


@predicate
def accuracy_slightly_lower(
    evidence: Attacked, *, network: str, trained_on: list[str], points: float
) -> list[Case]:
    """Each retrained network loses accuracy on the test images, at most so many points.

    The direction holds if accuracy changes by at most so much, either way.
    """
    first = evidence.accuracy(network, None, None)
    cases = []
    for name in trained_on:
        loss = first - evidence.accuracy(network, name, None)
        small = abs(loss) <= points
        label = f"loss with {distance_label(name)}"
        cases.append(at_least(label, [loss], 0.0, small, " points"))
        cases.append(at_most(label, [loss], points, small, " points"))
    return cases


@predicate
def examples_raise_accuracy(
    evidence: Attacked, *, network: str, trained_on: list[str], points: float
) -> list[Case]:
    """Accuracy on adversarial examples rises by so many points, on average over all pairs.

    The direction holds if it rises.
    """
    gain = float(
        np.mean(
            [
                evidence.accuracy(network, name, tested) - evidence.accuracy(network, None, tested)
                for name in trained_on
                for tested in trained_on
            ]
        )
    )
    return [at_least("mean gain", [gain], points, gain > 0, " points")]


@predicate
def best_on_their_own(evidence: Attacked, *, network: str, trained_on: list[str]) -> list[Case]:
    """Each retrained network is most accurate on examples like those that it was trained on.

    The direction holds if it is more accurate there than on the others on average.
    """
    cases = []
    for name in trained_on:
        own = evidence.accuracy(network, name, name)
        others = [evidence.accuracy(network, name, other) for other in trained_on if other != name]
        label = f"{distance_label(name)}, own less best other"
        cases.append(
            at_least(label, [own - max(others)], 0.0, own > float(np.mean(others)), " points")
        )
    return cases


@predicate
def best_training(
    evidence: Attacked, *, network: str, best: str, trained_on: list[str]
) -> list[Case]:
    """The mean accuracy over all kinds of examples is highest with one kind in training.

    The direction holds if it is above the average of the other kinds.
    """
    means = {
        name: float(np.mean([evidence.accuracy(network, name, other) for other in trained_on]))
        for name in trained_on
    }
    others = {name: mean for name, mean in means.items() if name != best}
    above = means[best] > float(np.mean(list(others.values())))
    return [
        at_least(
            f"{distance_label(best)} less {distance_label(name)}",
            [means[best] - mean],
            0.0,
            above,
            " points",
        )
        for name, mean in others.items()
    ]


@predicate
def accuracies_between(
    evidence: Attacked, *, network: str, trained_on: list[str], low: float, high: float
) -> list[Case]:
    """All accuracies on adversarial examples of all networks lie between two numbers.

    The direction holds if they differ by at most twice as much.
    """
    found = [
        evidence.accuracy(network, name, tested)
        for name in [None, *trained_on]
        for tested in trained_on
    ]
    close = max(found) - min(found) <= 2 * (high - low)
    return [
        at_least("smallest", [min(found)], low, close, " %"),
        at_most("largest", [max(found)], high, close, " %"),
    ]


@predicate
def retraining_lowers_objective(
    evidence: Attacked, *, network: str, trained_on: list[str], distances: list[str]
) -> list[Case]:
    """Attacks on retrained networks are no longer than those on the network as first trained.

    The direction holds if they are shorter on average over the distances.
    """
    return _objective_changes(evidence, network, trained_on, distances, at_most, -1.0)


@predicate
def retraining_raises_objective(
    evidence: Attacked, *, network: str, trained_on: list[str], distances: list[str]
) -> list[Case]:
    """Attacks on retrained networks are no shorter than those on the network as first trained.

    The direction holds if they are longer on average over the distances.
    """
    return _objective_changes(evidence, network, trained_on, distances, at_least, 1.0)


def _objective_changes(
    evidence: Attacked,
    network: str,
    trained_on: list[str],
    distances: list[str],
    bounded: Callable[..., Case],
    sign: float,
) -> list[Case]:
    cases = []
    for name in trained_on:
        changes = {each: evidence.change(network, name, each) for each in distances}
        right = sign * np.mean([change.mean() for change in changes.values()]) > 0
        for distance, change in changes.items():
            label = f"trained on {distance_label(name)}, attacked in {distance_label(distance)}"
            cases.append(bounded(label, change, 0.0, bool(right), " %"))
    return cases


def _named(query: Query) -> str:
    """A kind of attacks in words: the model, or the distance where the model is ours."""
    if query["experiment"] == PROGRESSIVE:
        return distance_label(query["distance_name"])
    return MODELS[query["experiment"]]


def _share(part: float, whole: float) -> float:
    """Their ratio; nothing of nothing is all of it."""
    if whole == 0:
        return 1.0 if part == 0 else float("inf")
    return float(part / whole)
