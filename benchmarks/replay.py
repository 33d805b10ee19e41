"""Adversarial images in the hands of others: from their files, through ONNX Runtime in float32.

Attacks and counterexamples of verification are made, saved, read again and replayed on the network
exported to ONNX, alone and in a batch. Those that are said to hold in float32 must change the class
in every run: others are counted apart.

    python benchmarks/replay.py results/demo/networks/*.safetensors --images 5
    python benchmarks/replay.py eran_mnist_3x50.onnx --dataset mnist --data-dir DIR --images 10
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from advmip.checking.replay import Precision, Replay
from advmip.datasets import Dataset, load_dataset
from advmip.durability.storage import write_array
from advmip.mip import Verifier, minimal_attack
from advmip.mip.margins import lead
from advmip.networks import Network, load_network
from advmip.progress import track

_DISTANCES = ("l0", "l1", "l2", "linf", "tv", "l1+tv")
_SOLVERS = ("highs", "scip", "branch-and-bound")
_NORMS = ("linf", "l1", "l2")
# Balls in which there surely is an attack, hardly one, and one by far.
_RADII = (1.0001, 1.02, 2.0)
_BATCH = 7


class Runtime:
    """A network as ONNX Runtime runs it.

    Args:
        file: The network: an ONNX file itself, or one that is exported from.
        folder: Where an exported file goes.
    """

    def __init__(self, file: Path, network: Network, folder: Path) -> None:
        exported = file
        if file.suffix != ".onnx":
            exported = folder / f"{file.stem}.onnx"
            example = torch.zeros(1, *network.architecture.input_shape)
            torch.onnx.export(
                network,
                (example,),
                str(exported),
                input_names=["images"],
                dynamic_axes={"images": {0: "batch"}},
                dynamo=False,
            )
        self._session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def classes(self, image: NDArray[np.float64]) -> set[int]:
        """The classes that an image gets, alone and in a batch."""
        single = image[None].astype(np.float32)
        batches = (single, np.repeat(single, _BATCH, axis=0))
        runs = (self._session.run(None, {self._input: batch})[0] for batch in batches)
        return {int(answer) for run in runs for answer in np.asarray(run).argmax(axis=1)}


def images_of(
    network: Network, dataset: Dataset, count: int
) -> Iterator[tuple[NDArray[np.float64], int]]:
    """The first images that a network classifies correctly, in float64 too, and their classes."""
    shape = network.architecture.input_shape
    replay, found = Replay(network), 0
    for image, label in zip(dataset.images, dataset.labels, strict=True):
        shaped = image.reshape(shape).astype(np.float64)
        if found < count and lead(replay.exact(shaped[None])[0], int(label)) < 0:
            found += 1
            yield shaped, int(label)


def answers(
    network: Network, image: NDArray[np.float64], label: int, time_limit: float
) -> Iterator[tuple[str, Precision, NDArray[np.float64]]]:
    """What was asked, in which arithmetic the answer is said to hold, and the answer."""
    nearest = {}
    for place, distance in enumerate(_DISTANCES):
        solver = _SOLVERS[place % len(_SOLVERS)]
        solver = "auto" if distance in ("l0", "l2", "tv") else solver
        attack = minimal_attack(
            network, image, label, distance, solver=solver, time_limit=time_limit
        )
        if attack.adversarial is not None:
            nearest[distance] = attack.distance
            yield f"attack {distance}", attack.precision, attack.adversarial
    for norm in _NORMS:
        for factor in _RADII if norm in nearest else ():
            verdict = Verifier(network, factor * nearest[norm], norm, time_limit=time_limit)
            found = verdict.verdict(image, label)
            if found.adversarial is not None:
                yield f"verify {norm}", found.precision, found.adversarial


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("networks", nargs="+", type=Path)
    parser.add_argument("--dataset", help="else the network's own")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--images", type=int, default=5)
    parser.add_argument("--time-limit", type=float, default=20.0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in options.networks:
            network = load_network(file)
            runtime = Runtime(file, network, folder)
            named = options.dataset or network.architecture.dataset
            dataset = load_dataset(named, "test", options.data_dir)
            images = list(images_of(network, dataset, options.images))
            for image, label in track(images, file.stem, enabled=True):
                for asked, precision, adversarial in answers(
                    network, image, label, options.time_limit
                ):
                    saved = folder / "attacked.npy"
                    write_array(saved, adversarial)
                    kept = label in runtime.classes(np.load(saved))
                    counts[asked, "keeps its class" if kept else "changes it"] += 1
                    counts[asked, precision.value] += 1
                    if kept and precision is Precision.FLOAT32:
                        counts[asked, "WRONG"] += 1
                        print(f"{file.stem}: {asked} of class {label} keeps its class")
    columns = ("float32", "float64", "changes it", "keeps its class", "WRONG")
    print(f"{'asked':<14}" + "".join(f"{column:>17}" for column in columns))
    for asked in dict.fromkeys(asked for asked, _ in counts):
        print(f"{asked:<14}" + "".join(f"{counts[asked, column]:>17}" for column in columns))


if __name__ == "__main__":
    main()
