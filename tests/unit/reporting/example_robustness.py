"""Rows of networks made robust at some training images, from plain formulas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

EPSILON = 0.05
# By method, the points that the share of proved test images is above the 20 % of the network as it
# is: with ten training images, and with fifty.
METHODS = {
    "certificates": (25.0, 40.0),
    "points": (15.0, 30.0),
    "pgd_points": (1.0, 2.0),
    "linear_bounds": (20.0, 45.0),
}


def robustness_rows(network: str, seeds: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows by seed; every further seed proves one point more, and CNN two less."""
    start = 20.0 if network == "CNNLight" else 18.0
    yield 0, _row("initial", 0, start, distance=0.0)
    for seed in range(seeds):
        for method, gains in METHODS.items():
            for images, gain in zip((10, 50), gains, strict=True):
                seconds = {"seconds_total": 0.5 * images, "seconds_separation": 0.4 * images}
                points = {"points": 3 * images, "pgd_points": images}
                yield (
                    seed,
                    _row(
                        method,
                        images,
                        start + gain + seed,
                        distance=0.02 * images,
                        training_proved=50.0 if method == "pgd_points" else 100.0,
                        iterations=None if method == "linear_bounds" else 4,
                        points=points.get(method),
                        stopped="converged",
                        **seconds,
                    ),
                )


def _row(method: str, images: int, proved: float, **columns: Any) -> dict[str, Any]:
    return {
        "method": method,
        "epsilon": EPSILON,
        "training_images": images,
        "verified_images": 100,
        "proved": proved,
        "linear": 0.8 * proved,
        "unbroken": 70.0,
        "pgd_accuracy": 75.0,
        "clean_accuracy": 97.5,
        "test_images": 10000,
        "status": "ok",
        "checked": True,
        **columns,
    }
