"""Named ways through the tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from advmip.mip.branch_and_bound.branching import (
    Look,
    Reliability,
    Rule,
    largest_output,
    weighted_output,
)
from advmip.mip.branch_and_bound.order import DepthFirst, Order, Plunging


@dataclass(frozen=True)
class Strategy:
    """A way through the tree.

    Attributes:
        rule: Makes the branching rule.
        order: Makes the order of nodes.
        reason: What it is, in a few words.
        envelopes: Rounds of rows of envelopes at the root; none if left out.
    """

    rule: Callable[[], Rule]
    order: Callable[[], Order]
    reason: str
    envelopes: int = 0


_ROUNDS = 40

# By the name of the solver that they stand for.
STRATEGIES = {
    "branch-and-bound": Strategy(
        Reliability, DepthFirst, "envelopes, reliability branching, depth first", _ROUNDS
    ),
    "branch-and-bound-plunging": Strategy(
        Reliability, Plunging, "envelopes, reliability branching, plunging", _ROUNDS
    ),
    "branch-and-bound-weighted": Strategy(
        partial(Look, weighted_output),
        DepthFirst,
        "envelopes, weighted output, depth first",
        _ROUNDS,
    ),
    "branch-and-bound-paper": Strategy(
        partial(Look, largest_output), DepthFirst, "Ben Mhenni's: largest output, depth first"
    ),
}
