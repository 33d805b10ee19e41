"""A branch and bound of our own over the signs of neurons (Ben Mhenni et al. 2024)."""

from advmip.mip.branch_and_bound.strategy import STRATEGIES, Strategy
from advmip.mip.branch_and_bound.tree import Tree, refusal, tree_for

__all__ = ["STRATEGIES", "Strategy", "Tree", "refusal", "tree_for"]
