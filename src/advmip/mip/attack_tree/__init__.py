"""The tree for attacks: branch and bound over the signs of neurons (Ben Mhenni et al. 2024)."""

from advmip.mip.attack_tree.strategy import STRATEGIES, Strategy
from advmip.mip.attack_tree.tree import AttackTree, refusal, tree_for

__all__ = ["STRATEGIES", "AttackTree", "Strategy", "refusal", "tree_for"]
