"""Adversarial images hold when others replay them: saved, read again, in float32, elsewhere."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from brute_force import SHAPE
from numpy.typing import NDArray
from tiny_networks import as_network, instance

from advmip import Network, Verifier, minimal_attack
from advmip.checking.replay import Precision, Replay
from advmip.mip.margins import lead


def classes_elsewhere(network: Network, saved: Path, folder: Path) -> set[int]:
    """The classes that a saved image gets from torch and from ONNX Runtime, one by one and not."""
    exported = folder / "network.onnx"
    torch.onnx.export(
        network,
        (torch.zeros(1, *SHAPE),),
        str(exported),
        input_names=["images"],
        dynamic_axes={"images": {0: "batch"}},
        dynamo=False,
    )
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    image = np.load(saved).astype(np.float32)
    found: set[int] = set()
    for batch in (image[None], np.repeat(image[None], 9, axis=0)):
        runs = (session.run(None, {"images": batch})[0], network(torch.from_numpy(batch)).numpy())
        found |= {int(answer) for run in runs for answer in run.argmax(axis=1)}
    return found


def saved_array(image: NDArray[np.float64], folder: Path) -> Path:
    file = folder / "attacked.npy"
    np.save(file, image)
    return file


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("distance", "seed"), list(product(("l0", "l1", "l2", "linf", "tv", "l1+tv"), (0, 1, 4)))
)
def test_nearest_attacks_change_the_class_elsewhere(
    distance: str, seed: int, tmp_path: Path
) -> None:
    _, network, image, label = instance(seed)
    found = minimal_attack(network, image.reshape(SHAPE), label, distance)
    if found.adversarial is None:
        assert found.precision == Precision.NONE
        return
    assert found.status == "optimal"
    assert found.precision == "float32"
    assert label not in classes_elsewhere(
        network, saved_array(found.adversarial, tmp_path), tmp_path
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("norm", "seed"), list(product(("l1", "l2", "linf"), (1, 4))))
def test_counterexamples_change_the_class_elsewhere(norm: str, seed: int, tmp_path: Path) -> None:
    _, network, image, label = instance(seed)
    shaped = image.reshape(SHAPE)
    nearest = minimal_attack(network, shaped, label, norm).distance
    for factor in (1.0001, 1.1, 1.5):
        verdict = Verifier(network, factor * nearest, norm).verdict(shaped, label)
        assert verdict.status == "attackable"
        assert verdict.precision == "float32"
        saved = saved_array(verdict.adversarial, tmp_path)
        assert label not in classes_elsewhere(network, saved, tmp_path)


def test_what_float32_rounds_away_is_said_to_hold_in_float64_alone() -> None:
    # Class 1 wins only from pixels that float32 cannot tell from those where it does not.
    tiny, _, _, _ = instance(0, hidden=())
    tiny.weights = [np.array([[0.0, 0, 0, 0], [1.0, 0, 0, 0], [0.0, 0, 0, 0]])]
    tiny.biases = [np.array([0.0, -1.0 + 2.0**-24, -1.0])]
    network = as_network(tiny)
    image = np.array([0.5, 0.5, 0.5, 0.5])
    found = minimal_attack(network, image.reshape(SHAPE), 0, "linf", margin=1e-9)
    assert found.status == "optimal"
    assert found.distance == pytest.approx(0.5, abs=1e-6)
    replay = Replay(network)
    logits = replay.exact(found.adversarial[None])[0]
    assert lead(logits, 0) > 0
    assert found.precision == "float64"


def test_rounding_is_nothing_where_sums_are_exact() -> None:
    tiny, _, _, _ = instance(0, hidden=())
    tiny.weights, tiny.biases = [np.zeros((3, 4))], [np.array([1.0, 2.0, 3.0])]
    replay = Replay(as_network(tiny))
    image = np.full(SHAPE, 0.3)
    assert replay.rounding(image, lambda logits: lead(logits, 0)) == 0.0
    assert replay.precision(image, lambda logits: lead(logits, 0)) is Precision.FLOAT32
    assert replay.precision(image, lambda logits: lead(logits, 2)) is Precision.NONE
