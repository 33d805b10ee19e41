"""Named ways through the tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from advmip.mip.branch_and_bound.branching import (
    BranchingRule,
    LargestScore,
    ReliabilityBranching,
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
        strengthened: The root's relaxation is lifted before the tree grows.
    """

    rule: Callable[[], BranchingRule]
    order: Callable[[], Order]
    reason: str
    strengthened: bool = False


# By the name of the solver that they stand for.
STRATEGIES = {
    "branch-and-bound": Strategy(
        ReliabilityBranching,
        DepthFirst,
        "strengthened root, reliability branching, depth first",
        True,
    ),
    "branch-and-bound-plunging": Strategy(
        ReliabilityBranching, Plunging, "strengthened root, reliability branching, plunging", True
    ),
    "branch-and-bound-weighted": Strategy(
        partial(LargestScore, weighted_output),
        DepthFirst,
        "strengthened root, weighted output, depth first",
        True,
    ),
    "branch-and-bound-paper": Strategy(
        partial(LargestScore, largest_output),
        DepthFirst,
        "Ben Mhenni's: largest output, depth first",
    ),
}
