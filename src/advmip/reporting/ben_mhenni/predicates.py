"""The paper's claims in words as small functions over the rows."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pandas as pd

from advmip.reporting.attack_evidence import AttackEvidence, Query
from advmip.reporting.ben_mhenni.instances import EFFICIENCY, INSTANCES
from advmip.reporting.ben_mhenni.names import DISTANCES, METHODS, SOLVERS
from advmip.reporting.cells import one_per_seed
from advmip.reporting.predicates import Case, Predicate, at_least, at_most, entering

PREDICATES: dict[str, Predicate] = {}
predicate = entering(PREDICATES, AttackEvidence)
_PER_NODE = "seconds_per_node"


@predicate
def solver_takes_less(
    evidence: AttackEvidence,
    *,
    networks: list[str],
    distances: list[str],
    solver: str,
    than: str,
    quantity: str,
    ratio: float,
) -> list[Case]:
    """On the same attacks one solver takes at most so large a share of what another takes.

    Of the means; "seconds_per_node" is all seconds over all nodes. Attacks say nothing, and are
    left out, that neither ended, or that one ended after more seconds than the other was given.
    The direction holds if it is less.
    """
    cases = []
    for network, these, those in _both(evidence, networks, distances, solver, than):
        totals = _totals(evidence, network, these, those)
        if quantity == _PER_NODE:
            sums = totals["seconds_total"] / totals["nodes"].clip(lower=1)
        else:
            sums = totals[quantity]
        if sums.isna().any() or not sums[1] > 0:
            continue
        share = float(sums[0] / sums[1])
        label = f"{network}, {DISTANCES[these['distance_name']]}"
        cases.append(at_most(label, [share], ratio, share < 1, " times"))
    return cases


@predicate
def solver_leaves_no_more(
    evidence: AttackEvidence,
    *,
    networks: list[str],
    distances: list[str],
    solver: str,
    than: str,
) -> list[Case]:
    """One solver leaves no more of the same attacks unfinished than another.

    Within the time that both were given, where one was given less.
    """
    cases = []
    for network, these, those in _both(evidence, networks, distances, solver, than):
        unfinished, seconds, limits = _times(evidence, network, these, those)
        common = limits.min(axis=1)
        late = limits.gt(common, axis=0) & seconds.gt(common, axis=0)
        means = unfinished.where(~late, INSTANCES).mean()
        more = float(means[0] - means[1])
        label = f"{network}, {DISTANCES[these['distance_name']]}, {SOLVERS[solver]}"
        cases.append(at_most(label, [more], 0.0, more <= 0, " of 50 more"))
    return cases


@predicate
def methods_exceed(
    evidence: AttackEvidence, *, network: str, quantity: str, these: list[str], those: list[str]
) -> list[Case]:
    """The mean of a quantity is at least as large with each of these methods as with those.

    The direction holds if it is so on average.
    """

    def mean(method: str) -> float:
        match = {"experiment": "appearance", "paper_network": network, "method": method}
        values = one_per_seed(evidence.rows.select("perturbations", match), quantity)
        return float(values.mean()) if len(values) else float("nan")

    means = {method: mean(method) for method in (*these, *those)}
    ours, others = (np.nanmean([means[each] for each in group]) for group in (these, those))
    return [
        at_least(
            f"{METHODS[one]} less {METHODS[other]}",
            [means[one] - means[other]],
            0.0,
            bool(ours > others),
            " points",
        )
        for one, other in product(these, those)
        if np.isfinite([means[one], means[other]]).all()
    ]


@predicate
def time_grows_with_neurons(
    evidence: AttackEvidence, *, networks: list[str], distance: str, solver: str
) -> list[Case]:
    """From each network to the next larger one the mean time grows.

    The direction holds if it grows from the first to the last.
    """
    query = {"experiment": EFFICIENCY, "distance_name": distance, "solver": solver}
    run = [
        network
        for network in _run(evidence, networks, query)
        if evidence.rows.refusal("attacks", {"paper_network": network, **query}) is None
    ]
    means = [float(evidence.per_image(each, query, "seconds_total").mean()) for each in run]
    grows = means[-1] > means[0]
    return [
        at_least(f"{after} to {before}", [means[place + 1] / means[place]], 1.0, grows, " times")
        for place, (before, after) in enumerate(pairwise(run))
    ]


def _totals(
    evidence: AttackEvidence, network: str, these: Query, those: Query
) -> dict[str, pd.Series[float]]:
    """Seconds and nodes of two solvers (0 and 1) over the attacks that tell them apart."""
    unfinished, seconds, limits = _times(evidence, network, these, those)
    ended = unfinished == 0
    first = ended[0] & (ended[1] | (limits[1] >= np.minimum(seconds[0], limits[0])))
    second = ended[1] & (ended[0] | (limits[0] >= np.minimum(seconds[1], limits[1])))
    telling = unfinished.index[first | second]
    return {
        quantity: evidence.pairs(network, these, those, quantity).reindex(telling).sum(skipna=False)
        for quantity in ("seconds_total", "nodes")
    }


def _times(
    evidence: AttackEvidence, network: str, these: Query, those: Query
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Of two solvers on the same attacks: unfinished (0 or 50), seconds, and seconds given."""
    unfinished, seconds, limits = (
        evidence.pairs(network, these, those, quantity)
        for quantity in ("unfinished", "seconds_total", "time_limit")
    )
    return unfinished, seconds.reindex(unfinished.index), limits.reindex(unfinished.index)


def _both(
    evidence: AttackEvidence, networks: list[str], distances: list[str], solver: str, than: str
) -> list[tuple[str, Query, Query]]:
    """The networks with the queries of both solvers, where this scale runs both."""
    queries: list[tuple[Query, Query]] = [
        ({**common, "solver": solver}, {**common, "solver": than})
        for common in ({"experiment": EFFICIENCY, "distance_name": each} for each in distances)
    ]
    found: list[tuple[str, Query, Query]] = []
    for network, (these, those) in product(networks, queries):
        if all(_answered(evidence, network, query) for query in (these, those)):
            found.append((network, these, those))
    if not found:
        # Says what is missing, or that it is left out.
        evidence.planned(networks, [queries[0][0]], queries[0][1])
    return found


def _run(evidence: AttackEvidence, networks: list[str], query: Query) -> list[str]:
    return [network for network, _ in evidence.planned(networks, [query], query)]


def _answered(evidence: AttackEvidence, network: str, query: Query) -> bool:
    match = {"paper_network": network, **query}
    if evidence.rows.refusal("attacks", match) is not None:
        return False
    return evidence.rows.expects({**match, "protocol": evidence.protocol})
