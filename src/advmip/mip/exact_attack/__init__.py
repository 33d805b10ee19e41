"""The nearest attack and its proof: search, ball, bounds, solver, and again."""

from advmip.mip.exact_attack.exact_attack import ExactAttack
from advmip.mip.exact_attack.ingredients import PROGRESSIVE, PROGRESSIVE_VARIANTS, Ingredients
from advmip.mip.exact_attack.result import Attack

__all__ = ["PROGRESSIVE", "PROGRESSIVE_VARIANTS", "Attack", "ExactAttack", "Ingredients"]
