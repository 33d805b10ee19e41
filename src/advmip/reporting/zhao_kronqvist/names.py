"""Networks, runs and quantities of the paper, as rows and published values name them."""

from __future__ import annotations

from typing import Any

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
