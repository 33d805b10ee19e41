"""Fine-tuning until it is proved: Theorem 1 of Zhao & Kronqvist (2024) as an algorithm.

The cuts of Algorithm 1 come from a verifier that is asked anew at every iterate, in place of
adversarial points that are found once.
"""

from advmip.certified_finetuning.algorithm import CUTS, robustify
from advmip.certified_finetuning.result import Fate, Robustified, TunedImage

__all__ = ["CUTS", "Fate", "Robustified", "TunedImage", "robustify"]
