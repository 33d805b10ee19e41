"""Branch and bound for verification, with bounds by linear forms in place of programs.

Two trees: over the signs of neurons (`sign_tree.py`), and over boxes of inputs where these are few
(`input_tree.py`). Both prove that no point of a region meets a goal, case by case, or come across
one that does; all bounds that count are in float64, widened by their rounding.
"""

from advmip.mip.verification_tree.asked import Asked, TreeProof
from advmip.mip.verification_tree.input_tree import MOST_INPUTS, InputTree
from advmip.mip.verification_tree.sign_tree import SignTree

__all__ = ["MOST_INPUTS", "Asked", "InputTree", "SignTree", "TreeProof"]
