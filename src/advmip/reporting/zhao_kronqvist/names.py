"""Networks, runs and quantities of the paper, as rows and published values name them."""

from __future__ import annotations

from typing import Any

from advmip.experiments.zhao_kronqvist.certified_instances import (
    CERTIFICATES,
    FOG,
    GRADIENT,
    GRADIENT_WITH_TRAINING,
    INITIAL,
    LAST_LAYER_L1,
    LAST_LAYER_LINF,
    LINEAR_BOUNDS,
    MISCLASSIFIED,
    PGD_POINTS,
    POINTS,
)

# Networks of the paper, and how the names of their blocks of published values begin.
NETWORKS = {"CNNLight": "cnn_light", "CNN": "cnn", "ResNet8": "resnet8"}

# Those with several seeds of the attack, and with examples chosen from parts of the images.
SEEDED_NETWORKS = ("CNNLight", "CNN")

# The tables' runs, and further seeds of them.
RUNS = ["tables", "extension1"]

FINE_TUNED: dict[str, Any] = {"method": "fine-tuned", "radius": 0, "experiment": RUNS}
ALL_WEIGHTS_FREE = "all weights free"
ADDED_DATA, ADVERSARIAL_TRAINING = "adversarial data added", "PGD adversarial training"
METHODS = ("initial", ADDED_DATA, ADVERSARIAL_TRAINING, "fine-tuned")

ATTACKS = {"fgsm_accuracy": "FGSM", "pgd_accuracy": "PGD"}
QUANTITIES = {
    "training_loss": "Loss",
    "clean_accuracy": "Clean (%)",
    "fgsm_accuracy": "FGSM (%)",
    "pgd_accuracy": "PGD (%)",
}
ACCURACIES = [quantity for quantity in QUANTITIES if quantity.endswith("_accuracy")]

# Fine-tuning until images are proved, and what stands beside it: a run's method, in words.
CERTIFIED_METHODS = {
    INITIAL: "as it is",
    CERTIFICATES: "cuts of certificates",
    POINTS: "cuts at points that win",
    PGD_POINTS: "Algorithm 1, PGD points",
    LINEAR_BOUNDS: "training on linear bounds",
    GRADIENT: "descent on the images",
    GRADIENT_WITH_TRAINING: "descent, training images beside",
    LAST_LAYER_L1: "last layer, program in L1",
    LAST_LAYER_LINF: "last layer, program in L∞",
}

# Which images a repair starts from, in words.
TASKS = {MISCLASSIFIED: "misclassified", FOG: "in fog"}
