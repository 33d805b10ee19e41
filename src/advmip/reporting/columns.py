"""The columns that rows of each kind must have."""

from __future__ import annotations

_IDENTITY = ["experiment", "network", "paper_network", "dataset", "protocol", "seed"]

_ACCURACIES = ["clean_accuracy", "fgsm_accuracy", "pgd_accuracy"]

REQUIRED_COLUMNS: dict[str, list[str]] = {
    "evaluations": [
        *_IDENTITY,
        *["method", "adversarial_count", "radius", "iterations", "omega", "violation"],
        *["training_loss", *_ACCURACIES, "test_images", "status", "checked"],
        *["seconds_total", "seconds_projection"],
    ],
    "iterations": [
        *_IDENTITY,
        *["adversarial_count", "radius", "iterations", "iteration", "violation", "loss"],
        *["pgd_accuracy", "seconds_projection"],
    ],
    "pool": [
        *_IDENTITY,
        *["adversarial_count", "radius", "iterations", "iteration", "alpha", "violation"],
        *["loss", "pareto"],
    ],
    "robustness": [
        *_IDENTITY,
        *["task", "method", "epsilon", "training_images", "training_right", "training_proved"],
        *["other_images", "others_right", "verified_images"],
        *["proved", "linear", "unbroken", "pgd_accuracy", "clean_accuracy", "distance"],
        *["iterations", "points", "constraints", "stopped", "seconds_total", "status", "checked"],
    ],
    "timings": [*_IDENTITY, "what", "seconds"],
    "networks": [*_IDENTITY, "hidden_layers", "accuracy", "units", "layers"],
    "bounds": [*_IDENTITY, "bounds", "seconds", "unstable", "neurons"],
    "accuracies": [
        *_IDENTITY,
        *["trained_on", "examples_added", "distance_name", "accuracy", "test_images"],
    ],
    "attacks": [
        *_IDENTITY,
        *["trained_on", "examples_added"],
        *["rank", "label", "target", "distance_name", "bounds", "time_limit", "gap"],
        *["outcome", "distance", "lower_bound", "changed_pixels", "total_change", "euclidean"],
        *["nodes", "seconds_bounds", "seconds_solver", "seconds_total", "status", "checked"],
        *["neurons", "unstable", "solver"],
    ],
    "neurons": [
        *_IDENTITY,
        *["layer", "unit", "lower", "upper", "outcome", "activation", "activation_bound"],
        *["seconds_solver", "status", "checked"],
    ],
    "pictures": [
        *_IDENTITY,
        *["shown", "image", "label", "layer", "unit", "height", "width", "pixels", "variation"],
        *["status", "checked"],
    ],
    "perturbations": [
        *_IDENTITY,
        *["image", "rank", "label", "method", "outcome", "success", "distance"],
        *["unchanged_share", "busy_share", "similarity", "total_change", "variation"],
        *["image_variation", "status", "checked"],
    ],
    "nodes": [
        *_IDENTITY,
        *["number", "parent", "neuron", "active", "value", "outcome", "status", "checked"],
    ],
    "answers": [
        *_IDENTITY,
        *["instance", "onnx", "vnnlib", "population", "solver", "time_limit", "published_limit"],
        *["answer", "counterexample", "seconds_total", "status", "checked"],
    ],
    "published_answers": [*_IDENTITY, "instance", "tool", "answer", "seconds"],
    "samples": [*_IDENTITY, "x1", "x2", "value", "lower", "upper"],
    "verifications": [
        *_IDENTITY,
        *["variant", "image", "epsilon", "time_limit", "pgd_attacked", "outcome", "evidence"],
        *["nodes", "seconds_interval", "seconds_linear", "seconds_lp", "seconds_mip"],
        *["seconds_total", "status", "checked"],
    ],
}
