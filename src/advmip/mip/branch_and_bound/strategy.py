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
from advmip.mip.branch_and_bound.order import BestFirst, DepthFirst, Order, Plunging


@dataclass(frozen=True)
class Strategy:
    """A way through the tree.

    Attributes:
        rule: Makes the branching rule.
        order: Makes the order of nodes.
        reason: What it is, in a few words.
    """

    rule: Callable[[], Rule]
    order: Callable[[], Order]
    reason: str


# By the name of the solver that they stand for.
STRATEGIES = {
    "branch-and-bound": Strategy(Reliability, DepthFirst, "reliability branching, depth first"),
    "branch-and-bound-largest": Strategy(
        partial(Look, largest_output), DepthFirst, "Ben Mhenni's: largest output, depth first"
    ),
    "branch-and-bound-weighted": Strategy(
        partial(Look, weighted_output), DepthFirst, "largest weighted output, depth first"
    ),
    "branch-and-bound-best": Strategy(Reliability, BestFirst, "reliability, best first"),
    "branch-and-bound-plunging": Strategy(Reliability, Plunging, "reliability, plunging"),
    "branch-and-bound-strong": Strategy(
        partial(Reliability, trials=float("inf")), DepthFirst, "strong branching, depth first"
    ),
}
