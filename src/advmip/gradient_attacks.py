"""Gradient attacks through CleverHans: FGSM and PGD with their two protocols, Carlini-Wagner.

The published numbers of Zhao & Kronqvist come from another protocol than their text describes
(adversarial points outside the image box; on CIFAR-10 a radius in normalised space on randomly
cropped test images). Both are here, by name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from advmip.datasets import Dataset, augment
from advmip.datasets.dataset import CLASSES
from advmip.durability.storage import write_arrays
from advmip.errors import InputError
from advmip.extras import require
from advmip.margins import violation
from advmip.networks import Network
from advmip.progress import track

_BATCH = {"cpu": 250, "cuda": 10_000}


@dataclass(frozen=True)
class Protocol:
    """How an attack is run.

    Attributes:
        name: As shown in tables.
        normalised_space: The radius is measured, and the attack run, behind the normalisation of
            pixels; otherwise in pixels.
        clipped: Attacked images stay inside [0, 1] (pixels only).
        augmented: Images are randomly cropped and flipped first, where the network was trained so.
    """

    name: str
    normalised_space: bool
    clipped: bool
    augmented: bool


PROTOCOLS = {
    "published": Protocol("as published", normalised_space=True, clipped=False, augmented=True),
    "described": Protocol("as described", normalised_space=False, clipped=True, augmented=False),
}


@dataclass(frozen=True)
class AttackSettings:
    """Radius of the L-infinity ball, and step and iterations of PGD (FGSM: the radius alone)."""

    epsilon: float
    step: float
    iterations: int


@dataclass(frozen=True)
class CarliniWagnerSettings:
    """Step of Adam, its iterations, and searches for the weight of the misclassification."""

    learning_rate: float
    iterations: int
    searches: int


@dataclass(frozen=True)
class AdversarialSet:
    """Misclassified perturbed training images, worst first within each label.

    Attributes:
        inputs: What the network's body is given (normalised), in its precision, shape (N, C, H, W).
        labels: True labels, int64, shape (N,).
        image_indices: Which training image each came from, int64, shape (N,).
        violations: ``max_j f_j - f_y`` at the network attacked, likewise, shape (N,).
    """

    inputs: NDArray[np.floating]
    labels: NDArray[np.int64]
    image_indices: NDArray[np.int64]
    violations: NDArray[np.floating]

    def take(self, count: int) -> AdversarialSet:
        """The ``count / 10`` worst points of each label.

        Raises:
            InputError: ``count`` is no positive multiple of ten, or a label has too few points.
        """
        labels = np.unique(self.labels)
        per_label = count // 10
        if count <= 0 or count % 10:
            raise InputError(
                subject="number of adversarial points",
                found=str(count),
                expected="a positive multiple of ten: as many for each of ten labels",
                mend="choose 10, 20, ...",
            )
        parts = [np.flatnonzero(self.labels == label)[:per_label] for label in range(10)]
        short = [label for label, part in enumerate(parts) if len(part) < per_label]
        if short:
            raise InputError(
                subject=f"adversarial set of {len(self.labels)} points for {len(labels)} labels",
                found=f"fewer than {per_label} misclassified points with label {short[0]}",
                expected=f"{per_label} for each label",
                mend="attack with a larger radius, from more images, or ask for fewer points",
            )
        chosen = np.concatenate(parts)
        return AdversarialSet(**{name: array[chosen] for name, array in vars(self).items()})

    def save(self, path: Path) -> None:
        """Writes a compressed ``.npz`` atomically."""
        write_arrays(path, **vars(self))

    @classmethod
    def load(cls, path: Path) -> AdversarialSet:
        """Reads what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{name: arrays[name] for name in arrays.files})


@dataclass(frozen=True)
class Accuracies:
    """Accuracy in percent on clean and attacked images, their number, and the time it took."""

    clean: float
    fgsm: float
    pgd: float
    images: int
    seconds: float


def fgsm(
    function: Callable[[Tensor], Tensor], inputs: Tensor, epsilon: float, clip: bool
) -> Tensor:
    """Fast gradient sign method against the model's own predictions, as CleverHans defaults."""
    low, high = (0.0, 1.0) if clip else (None, None)
    attack = _cleverhans("fast_gradient_method")
    return attack(function, inputs, epsilon, np.inf, clip_min=low, clip_max=high).detach()


def pgd(
    function: Callable[[Tensor], Tensor], inputs: Tensor, settings: AttackSettings, clip: bool
) -> Tensor:
    """Projected gradient descent from a random start in the ball, as CleverHans defaults.

    Uses torch's global generator.
    """
    low, high = (0.0, 1.0) if clip else (None, None)
    attacked = _cleverhans("projected_gradient_descent")(
        function,
        inputs,
        settings.epsilon,
        settings.step,
        settings.iterations,
        np.inf,
        clip_min=low,
        clip_max=high,
        sanity_checks=False,
    )
    return attacked.detach()


def carlini_wagner(
    function: Callable[[Tensor], Tensor], inputs: Tensor, settings: CarliniWagnerSettings
) -> Tensor:
    """Carlini & Wagner's attack in L2, untargeted, inside [0, 1], as CleverHans has it.

    An image for which nothing is found comes back as it is.

    Args:
        function: From images (N, C, H, W) to logits (N, 10).
        inputs: Images, whose present classes are to be left.
        settings: How long it searches.
    """
    attacked = _cleverhans("carlini_wagner_l2")(
        function,
        inputs,
        CLASSES,
        lr=settings.learning_rate,
        binary_search_steps=settings.searches,
        max_iterations=settings.iterations,
    )
    return attacked.detach()


def generate_adversarial_set(
    network: Network,
    train: Dataset,
    protocol: Protocol,
    settings: AttackSettings,
    *,
    per_label: int,
    seed: int,
    progress: bool = True,
) -> AdversarialSet:
    """PGD on every training image; the ``per_label`` worst misclassified points of each label.

    Source: Zhao & Kronqvist 2024, Section 5, and the released ``generate_adv_data_pgd_fgm_nn.py``.

    Args:
        network: the network attacked.
        train: training images and labels.
        protocol: how the attack is run.
        settings: radius, step and iterations.
        per_label: how many points to keep of each label.
        seed: of PGD's random start and of the augmentation.
        progress: show a bar.
    """
    device = next(network.parameters()).device
    images = augment(train.images, seed) if _augments(protocol, network) else train.images
    attacked_inputs: list[NDArray[np.floating]] = []
    violations: list[NDArray[np.floating]] = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for batch, labels in _batches(
            images, train.labels, device, "PGD on training set", progress
        ):
            function, clean = _attacked_function(network, protocol, batch)
            attacked = pgd(function, clean, settings, protocol.clipped)
            # CleverHans gives float32, whatever the network's precision is.
            precise = attacked.to(network.mean.dtype)
            inputs = precise if protocol.normalised_space else network.normalise(precise)
            with torch.no_grad():
                outputs = network.body(inputs)
            attacked_inputs.append(inputs.cpu().numpy())
            violations.append(violation(outputs, labels).cpu().numpy())
    every_input, every_violation = np.concatenate(attacked_inputs), np.concatenate(violations)
    chosen: list[NDArray[np.int64]] = []
    for label in np.unique(train.labels):
        candidates = np.flatnonzero((train.labels == label) & (every_violation > 0))
        order = np.argsort(-every_violation[candidates], kind="stable")
        chosen.append(candidates[order][:per_label])
    indices = np.concatenate(chosen)
    return AdversarialSet(
        every_input[indices], train.labels[indices], indices, every_violation[indices]
    )


def evaluate(
    network: Network,
    test: Dataset,
    protocol: Protocol,
    settings: AttackSettings,
    *,
    seed: int,
    progress: bool = True,
) -> Accuracies:
    """Accuracy on clean test images and under FGSM and PGD, in percent.

    Args:
        network: the network attacked.
        test: test images and labels.
        protocol: how the attacks are run.
        settings: radius, step and iterations.
        seed: of PGD's random start and of the augmentation.
        progress: show a bar.
    """
    start = time.process_time()
    device = next(network.parameters()).device
    images = augment(test.images, seed) if _augments(protocol, network) else test.images
    correct = np.zeros(3, dtype=np.int64)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for batch, labels in _batches(images, test.labels, device, "attacks on test set", progress):
            function, clean = _attacked_function(network, protocol, batch)
            variants = (
                clean,
                fgsm(function, clean, settings.epsilon, protocol.clipped),
                pgd(function, clean, settings, protocol.clipped),
            )
            with torch.no_grad():
                for position, inputs in enumerate(variants):
                    correct[position] += int((function(inputs).argmax(dim=1) == labels).sum())
    clean_share, fgsm_share, pgd_share = (100.0 * correct / len(images)).tolist()
    return Accuracies(clean_share, fgsm_share, pgd_share, len(images), time.process_time() - start)


def accuracy(network: Network, images: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Accuracy in percent on images (N, C, H, W) in [0, 1]."""
    device = next(network.parameters()).device
    with torch.no_grad():
        correct = sum(
            int((network(batch).argmax(dim=1) == truth).sum())
            for batch, truth in _batches(images, labels, device, "accuracy", progress=False)
        )
    return 100.0 * correct / len(images)


def _cleverhans(attack: str) -> Callable[..., Tensor]:
    """One of CleverHans's attacks, each in a module of its name.

    Raises:
        InputError: CleverHans is not installed.
    """
    require("cleverhans", subject="gradient attacks")
    found: Callable[..., Tensor] = getattr(
        import_module(f"cleverhans.torch.attacks.{attack}"), attack
    )
    return found


def _augments(protocol: Protocol, network: Network) -> bool:
    return protocol.augmented and network.architecture.augmented


def _attacked_function(
    network: Network, protocol: Protocol, images: Tensor
) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """The function to attack and the point to start from, in the protocol's space."""
    if protocol.normalised_space:
        precision = network.mean.dtype
        return lambda inputs: network.body(inputs.to(precision)), network.normalise(images)
    return network, images


def _batches(
    images: NDArray[np.float32],
    labels: NDArray[np.int64],
    device: torch.device,
    description: str,
    progress: bool,
) -> Iterator[tuple[Tensor, Tensor]]:
    size = _BATCH[device.type]
    starts = range(0, len(images), size)
    for start in track(starts, description, enabled=progress):
        part = slice(start, start + size)
        yield torch.from_numpy(images[part]).to(device), torch.from_numpy(labels[part]).to(device)
