"""Rows of repairs, from plain formulas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

EPSILON, CLEAN = 0.01, 96.5
COUNTS = (10, 50)
# By method what is proved of the balls, how many others come right, and the accuracy lost; every
# further seed has two points more of others.
REPAIRED = {
    "certificates": (100.0, 30.0, 0.1),
    "gradient_with_training": (40.0, 25.0, 0.2),
    "last_layer_l1": (0.0, 15.0, 10.0),
    "last_layer_linf": (20.0, 20.0, 15.0),
}


def repair_rows(seeds: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows by seed, for images as they are and in fog; in fog ten more of the others come right."""
    for task, more in (("misclassified", 0.0), ("fog", 10.0)):
        yield 0, _row(task, "initial", 0, others_right=0.0, distance=0.0)
        for seed in range(seeds):
            for method, (proved, others, lost) in REPAIRED.items():
                for images in COUNTS:
                    yield (
                        seed,
                        _row(
                            task,
                            method,
                            images,
                            training_right=100.0,
                            training_proved=proved,
                            others_right=others + more + 2.0 * seed,
                            clean_accuracy=CLEAN - lost,
                            distance=0.03 * images,
                            stopped="optimal" if "last" in method else "converged",
                            seconds_total=0.2 * images,
                        ),
                    )


def _row(task: str, method: str, images: int, **columns: Any) -> dict[str, Any]:
    return {
        "task": task,
        "method": method,
        "epsilon": EPSILON,
        "training_images": images,
        "other_images": 1000,
        "verified_images": 0,
        "clean_accuracy": CLEAN,
        "test_images": 10000,
        "status": "ok",
        "checked": True,
        **columns,
    }
