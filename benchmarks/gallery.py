"""The pictures of docs/gallery.md, from runs on the digits that scikit-learn brings.

Measurements that are there already are drawn anew without a run; remove their .csv to repeat them.

Usage: python benchmarks/gallery.py --out docs/gallery
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from gallery_drawings import draw_bounds, draw_distances, draw_times
from matplotlib.figure import Figure

import advmip
from advmip.memory import keep_freed_memory
from advmip.networks import ARCHITECTURES
from advmip.networks.training import train
from advmip.pictures import picture_columns
from advmip.reporting import style
from advmip.reporting.figure_files import save_figure
from advmip.threads import use_threads

# Digits of the test set that both networks classify correctly.
_DIGIT = 3
_VERIFIED = range(30)
_SECONDS = 300.0
_DISTANCES = ("l0", "l1", "l2", "l2-5", "linf", "tv", "tv-isotropic", "l1+tv")
_RADII = (0.01, 0.03, 0.05, 0.1)
_ATTACK = advmip.AttackSettings(0.1, 0.02, 10)
# What an exact attack may do without, from nothing to all: bounds and solver.
_WAYS: dict[str, dict[str, Any]] = {
    "the model alone, Gurobi": {"bounds": "interval", "solver": "gurobi"},
    "the model alone, SCIP": {"bounds": "interval", "solver": "scip"},
    "with search, ball and bounds": {"bounds": "progressive", "solver": "gurobi"},
}


@dataclass(frozen=True)
class Picture:
    """A picture: how its rows are measured, and how they are drawn."""

    measure: Callable[[], Iterator[Mapping[str, Any]]]
    draw: Callable[[Figure, pd.DataFrame], None]


@cache
def network(name: str) -> advmip.Network:
    """A network trained on the digits."""
    settings: dict[str, Any] = {
        "digits_dnn4": {"epochs": 50, "optimizer": "sgd", "learning_rate": 0.1},
        "digits_cnn_light": {
            "epochs": 15,
            "optimizer": "adam",
            "learning_rate": 0.005,
            "decay": 0.9,
        },
    }[name]
    data = advmip.load_dataset("digits", "train")
    return train(ARCHITECTURES[name], data, batch_size=32, progress=False, **settings).frozen()


def digit(place: int) -> tuple[np.ndarray[Any, np.dtype[np.float32]], int]:
    """A test image and its class."""
    test = advmip.load_dataset("digits", "test")
    return test.images[place], int(test.labels[place])


def distances() -> Iterator[Mapping[str, Any]]:
    """The nearest attack on one digit in every distance, and what each took."""
    image, label = digit(_DIGIT)
    yield {"distance": "", "predicted": label, **picture_columns(image)}
    for distance in _DISTANCES:
        attack = advmip.minimal_attack(
            network("digits_dnn4"), image, label, distance=distance, time_limit=_SECONDS
        )
        assert attack.adversarial is not None
        yield {
            "distance": distance,
            "predicted": attack.predicted,
            "status": attack.status,
            "value": attack.distance,
            "lower_bound": attack.lower_bound,
            "precision": attack.precision,
            "solver": attack.solver,
            "nodes": attack.nodes,
            **{f"seconds_{phase}": spent for phase, spent in attack.phases.items()},
            **picture_columns(attack.adversarial),
        }


def times() -> Iterator[Mapping[str, Any]]:
    """Processor seconds by phase: of attacks, of proofs, and of both ways to fine-tune."""
    for distance in ("l1", "l2", "linf", "l1+tv"):
        found = advmip.minimal_attack(
            network("digits_cnn_light"), *digit(_DIGIT), distance=distance, time_limit=_SECONDS
        )
        yield from _phases("an attack", distance, found.phases)
    for epsilon in _RADII:
        verdicts = [
            advmip.verify(network("digits_cnn_light"), *digit(place), epsilon=epsilon)
            for place in _VERIFIED
        ]
        spent = pd.DataFrame([verdict.phases for verdict in verdicts]).mean()
        yield from _phases("a proof, mean of 30", f"radius {epsilon}", spent.to_dict())
    data = advmip.load_dataset("digits", "train")
    points = advmip.generate_adversarial_set(
        network("digits_cnn_light"),
        data,
        advmip.PROTOCOLS["described"],
        _ATTACK,
        per_label=5,
        seed=0,
        progress=False,
    )
    tuned = advmip.finetune(
        network("digits_cnn_light"), data, points, iterations=20, progress=False
    )
    parts = tuned.iterations.filter(like="seconds_").sum()
    yield from _phases("fine-tuning", "finetune, 50 points", _named(parts.to_dict()))
    start = network("digits_cnn_light")
    images = [
        (data.images[place], int(data.labels[place]))
        for place in range(20)
        if start.answer(data.images[place]) == data.labels[place]
    ][:8]
    robust = advmip.robustify(start, data, images, epsilon=0.1, progress=False)
    yield from _phases("fine-tuning", "robustify, 8 images", robust.seconds)


def bounds() -> Iterator[Mapping[str, Any]]:
    """The best attack and the lower bound whenever one of them changed, by three ways."""
    image, label = digit(_DIGIT)
    for way, how in _WAYS.items():
        attack = advmip.minimal_attack(
            network("digits_cnn_light"),
            image,
            label,
            distance="l1",
            target=(label + 5) % 10,
            ratio=1.2,
            time_limit=_SECONDS,
            **how,
        )
        for seconds, found, bound in attack.trace:
            yield {"way": way, "seconds": seconds, "found": found, "bound": bound}
        yield {
            "way": way,
            "seconds": attack.seconds,
            "found": attack.distance,
            "bound": attack.lower_bound,
        }


def _phases(subject: str, name: str, spent: Mapping[Any, float]) -> Iterator[Mapping[str, Any]]:
    for phase, seconds in spent.items():
        yield {"subject": subject, "name": name, "phase": str(phase), "seconds": seconds}


def _named(columns: Mapping[Any, float]) -> dict[str, float]:
    return {str(name).removeprefix("seconds_"): spent for name, spent in columns.items()}


PICTURES = {
    "every_distance": Picture(distances, draw_distances),
    "where_time_goes": Picture(times, draw_times),
    "bounds_over_time": Picture(bounds, draw_bounds),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks/gallery"))
    folder = parser.parse_args().out
    use_threads(1)
    keep_freed_memory()
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in PICTURES.items():
        measured = folder / f"{name}.csv"
        if measured.is_file():
            rows = pd.read_csv(measured)
        else:
            rows = pd.DataFrame(list(picture.measure()))
        with style.figure_style():
            figure = Figure()
            picture.draw(figure, rows)
            save_figure(figure, rows, folder / name)
        print(folder / name, flush=True)


if __name__ == "__main__":
    main()
