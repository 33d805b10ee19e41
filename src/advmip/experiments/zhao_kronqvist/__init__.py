"""The runs behind the tables and figures of Zhao & Kronqvist 2024."""

from advmip.experiments.zhao_kronqvist.attacks import adversarial_sets, initial
from advmip.experiments.zhao_kronqvist.finetuning import finetuning_runs
from advmip.experiments.zhao_kronqvist.retraining import added_data, adversarial_training

__all__ = [
    "added_data",
    "adversarial_sets",
    "adversarial_training",
    "finetuning_runs",
    "initial",
]
