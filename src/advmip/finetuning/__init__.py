"""Cutting-plane fine-tuning: robustness from a handful of adversarial points."""

from advmip.finetuning.algorithm import finetune
from advmip.finetuning.finetuned import Finetuned
from advmip.finetuning.projection import InfeasibleCutsError

__all__ = ["Finetuned", "InfeasibleCutsError", "finetune"]
