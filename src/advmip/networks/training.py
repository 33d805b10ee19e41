"""Training a network from random weights.

The same function trains the networks that Zhao & Kronqvist start from, and the two baselines that
their fine-tuning is compared with: adversarial data added to the training data (Table 1),
and training on adversarial examples made on the way (Madry et al. 2018).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from advmip.datasets import Dataset, augment
from advmip.datasets.dataset import CLASSES
from advmip.errors import InputError, unknown_name
from advmip.networks.architectures import Architecture
from advmip.networks.network import Network, new_network
from advmip.progress import track

Adversary = Callable[[nn.Module, Tensor, Tensor], Tensor]
# From network, images, labels and the epochs that have passed, a fraction included, to a loss.
Objective = Callable[[Network, Tensor, Tensor, float], Tensor]
Images = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

OPTIMIZERS = ("adam", "sgd")


def cross_entropy(network: Network, images: Tensor, labels: Tensor, epochs: float) -> Tensor:
    """The objective of plain training: the mean cross-entropy of a batch."""
    return nn.functional.cross_entropy(network(images), labels)


def penalised(objective: Objective, weight_penalty: float) -> Objective:
    """An objective, and how dear the sum of all absolute weights is.

    With sparse weights, fewer neurons are open in a ball, so that more can be proved (Xiao et al.
    2019).

    Args:
        objective: The objective.
        weight_penalty: At least 0.
    """
    if not weight_penalty:
        return objective

    def with_penalty(network: Network, images: Tensor, labels: Tensor, epochs: float) -> Tensor:
        matrices = [weights for weights in network.parameters() if weights.ndim > 1]
        size = torch.stack([weights.abs().sum() for weights in matrices]).sum()
        return objective(network, images, labels, epochs) + weight_penalty * size

    return with_penalty


def train(
    architecture: Architecture,
    dataset: Dataset,
    *,
    epochs: int,
    batch_size: int,
    optimizer: Literal["adam", "sgd"],
    learning_rate: float,
    momentum: float = 0.0,
    decay: float = 1.0,
    augmented: bool = False,
    seed: int = 0,
    adversary: Adversary | None = None,
    objective: Objective = cross_entropy,
    extra: tuple[Images, Labels] | None = None,
    progress: bool = True,
) -> Network:
    """Train a network on the cross-entropy loss, or another, on a GPU if there is one.

    As released, CNNLight and CNN have 10 epochs of batches of 64 with Adam at 0.001 and decay
    0.7 (the paper's text prints 0.7 as the learning rate), and ResNet8 has 10 epochs of batches
    of 64 with SGD at 0.01, momentum 0.9 and augmentation.

    Args:
        architecture: What to build.
        dataset: Training data, of the architecture's shape.
        epochs: Passes over the data, at least 1.
        batch_size: Images a step, at least 1.
        optimizer: "adam" or "sgd".
        learning_rate: At the first epoch, above 0.
        momentum: Of "sgd", from 0 to below 1; "adam" has none.
        decay: The learning rate's factor after each epoch, above 0; 1 keeps it.
        augmented: Whether the images are cropped and mirrored anew for each epoch.
        seed: Decides initial weights, order and augmentation.
        adversary: If given, every batch is replaced by `adversary(network, images, labels)`,
            computed with the network in evaluation mode.
        objective: What is made smaller, batch by batch.
        extra: Images (n, C, H, W) and labels (n,) that are added to the data, as they are:
            never augmented, and free to leave [0, 1].
        progress: Whether to show a progress bar.

    Returns:
        The network, frozen, on the CPU.

    Raises:
        InputError: A setting is out of range, the shapes differ, or the loss becomes NaN.
    """
    _check_settings(
        optimizer,
        momentum,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        decay=decay,
    )
    _check_data(architecture, "data set", dataset.images, dataset.labels)
    if extra is not None:
        _check_data(architecture, "added data", *extra)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    # Convolutions are faster with the channels last.
    network = new_network(architecture, seed).to(device).to(memory_format=torch.channels_last)
    if optimizer == "adam":
        descent: torch.optim.Optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    else:
        descent = torch.optim.SGD(network.parameters(), lr=learning_rate, momentum=momentum)
    schedule = torch.optim.lr_scheduler.StepLR(descent, step_size=1, gamma=decay)
    generator = torch.Generator().manual_seed(seed)
    images, labels = _tensors(dataset.images, dataset.labels, extra, device)
    steps = epochs * -(-len(labels) // batch_size)
    name = f"training {architecture.name}"
    with track(range(0), name, enabled=progress, total=steps) as bar:
        for epoch in range(epochs):
            if augmented:
                drawn = augment(dataset.images, seed=_epoch_seed(generator))
                images, labels = _tensors(drawn, dataset.labels, extra, device)
            total = torch.zeros((), device=device)
            order = torch.randperm(len(labels), generator=generator).to(device)
            for start in range(0, len(labels), batch_size):
                batch = order[start : start + batch_size]
                passed = epoch + start / len(labels)
                loss = _step(
                    network, images[batch], labels[batch], descent, adversary, objective, passed
                )
                total += loss * len(batch)
                bar.update()
            mean = float(total) / len(labels)
            bar.set_postfix(loss=f"{mean:.3f}", refresh=False)
            if not np.isfinite(mean):
                raise InputError(
                    subject=name,
                    found=f"a loss of {mean} in epoch {epoch + 1}",
                    expected="a finite loss",
                    mend=f"choose a learning rate below {learning_rate}",
                )
            schedule.step()
    return network.cpu().to(memory_format=torch.contiguous_format).frozen()


def _step(
    network: Network,
    images: Tensor,
    labels: Tensor,
    descent: torch.optim.Optimizer,
    adversary: Adversary | None,
    objective: Objective,
    epochs: float,
) -> Tensor:
    """One step of the optimiser; gives the batch's mean loss before it."""
    if adversary is not None:
        # The attack must not move batch norm's running statistics.
        network.eval()
        images = adversary(network, images, labels).detach()
    network.train()
    descent.zero_grad()
    loss = objective(network, images, labels, epochs)
    torch.autograd.backward(loss)
    descent.step()
    return loss.detach()


def _tensors(
    images: Images, labels: Labels, extra: tuple[Images, Labels] | None, device: torch.device
) -> tuple[Tensor, Tensor]:
    if extra is not None:
        images = np.concatenate([images, extra[0].astype(np.float32)])
        labels = np.concatenate([labels, extra[1].astype(np.int64)])
    return (
        torch.from_numpy(images).to(device, memory_format=torch.channels_last),
        torch.from_numpy(labels).to(device),
    )


def _epoch_seed(generator: torch.Generator) -> int:
    return int(torch.randint(2**31, (), generator=generator))


def _check_settings(optimizer: str, momentum: float, **positive: float) -> None:
    if optimizer not in OPTIMIZERS:
        raise unknown_name("optimizer", optimizer, OPTIMIZERS)
    wrong = {name: value for name, value in positive.items() if not value > 0}
    if not 0 <= momentum < 1:
        wrong["momentum"] = momentum
    for name, value in wrong.items():
        raise InputError(
            subject=f"training: {name}",
            found=str(value),
            expected="from 0 to below 1" if name == "momentum" else "a number above 0",
            mend=f"correct {name}",
        )


def _check_data(architecture: Architecture, source: str, images: Images, labels: Labels) -> None:
    """Check what a data set has not checked of itself: its shape, and all of added data."""
    expected = (len(labels), *architecture.input_shape)
    if images.shape != expected:
        found, wanted = f"images of shape {images.shape}", f"shape {expected}"
    elif not np.isfinite(images).all():
        found, wanted = "pixels that are NaN or infinite", "finite pixels"
    elif not np.isin(labels, range(CLASSES)).all():
        found, wanted = f"labels from {labels.min()} to {labels.max()}", f"0 to {CLASSES - 1}"
    else:
        return
    raise InputError(
        subject=f"training {architecture.name}: {source}",
        found=found,
        expected=wanted,
        mend=f"give it images and labels like those of {architecture.dataset}",
    )
