"""Claims about time."""

from __future__ import annotations

from advmip.errors import looked_up
from advmip.reporting.cells import cell_of
from advmip.reporting.predicates import Case, Predicate, at_least, at_most, entering
from advmip.reporting.zhao_kronqvist.evidence import FineTuning

PREDICATES: dict[str, Predicate] = {}
predicate = entering(PREDICATES, FineTuning)


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
        block = looked_up("block of published values", name, evidence.source.blocks)
        keys, numbers = max(block.values, key=lambda value: max(value[1].values()))
        for quantity, published in numbers.items():
            cell = cell_of(evidence.rows, evidence.source, block, keys, quantity, evidence.protocol)
            speed = published / cell.measured.mean
            label = str(block.match.get("paper_network", name))
            cases.append(at_least(label, [speed], factor, speed > 1, " times"))
    return cases
