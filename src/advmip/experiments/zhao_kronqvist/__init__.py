"""The runs behind the tables and figures of Zhao & Kronqvist 2024."""

from advmip.experiments.zhao_kronqvist.attacks import adversarial_set, initial
from advmip.experiments.zhao_kronqvist.finetuning import finetuning
from advmip.experiments.zhao_kronqvist.retraining import added_data, adversarial_training

__all__ = [
    "added_data",
    "adversarial_set",
    "adversarial_training",
    "finetuning",
    "initial",
]
