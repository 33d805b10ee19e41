"""The training loss l(w) over all training images: mean cross-entropy and its gradient."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from advmip.datasets import Dataset, augment
from advmip.finetuning.parameters import ParameterVector
from advmip.networks import Network

# Activations of a batch of this size stay in a processor's cache; a GPU wants larger ones.
_BATCH = {"cpu": 50, "cuda": 4000}
_BATCH_WITHOUT_RESIDUALS = 250


class TrainingLoss:
    """l(w) for one network body and one fixed set of training images."""

    def __init__(
        self, body: nn.Module, parameters: ParameterVector, inputs: Tensor, labels: Tensor
    ) -> None:
        """``inputs`` (N, C, H, W) in the space of the body, in its precision; ``labels`` (N,)."""
        self._body, self._parameters = body, parameters
        deep = any(isinstance(module, nn.BatchNorm2d) for module in body.modules())
        device = inputs.device.type
        self._batch = _BATCH[device] if deep or device == "cuda" else _BATCH_WITHOUT_RESIDUALS
        self._format = torch.channels_last if deep else torch.contiguous_format
        self._inputs = inputs.contiguous(memory_format=self._format)
        self._labels = labels
        self.count = len(labels)

    @classmethod
    def of(
        cls, network: Network, parameters: ParameterVector, train: Dataset, seed: int
    ) -> TrainingLoss:
        """The loss of a network on its device.

        Images are cropped and flipped by one fixed draw where the architecture is trained so.
        """
        images = augment(train.images, seed) if network.architecture.augmented else train.images
        device = network.mean.device
        with torch.no_grad():
            inputs = network.normalise(torch.from_numpy(images).to(device))
        return cls(network.body, parameters, inputs, torch.from_numpy(train.labels).to(device))

    def of_images(self, vector: Tensor) -> Tensor:
        """The loss of each image at ``vector`` (n,): shape (N,), float64."""
        prepared = self._prepared(vector)
        with torch.no_grad():
            return torch.cat(
                [
                    self._losses(self._parameters.call(self._body, prepared, inputs), labels)
                    for inputs, labels in self._batches()
                ]
            ).double()

    def value(
        self, vector: Tensor, ceiling: float = float("inf"), difficulty: Tensor | None = None
    ) -> tuple[float, bool]:
        """The mean loss at ``vector`` (n,), or a lower bound on it above ``ceiling``.

        Args:
            vector: w.
            ceiling: above it the loss need not be known.
            difficulty: shape (N,), a guess of each image's loss: the hardest are seen first, so
                that the ceiling is passed early.

        Returns:
            ``(loss, True)``, or ``(bound, False)`` as soon as the images seen so far alone bring
            the mean above ``ceiling``: cross-entropy is never negative.
        """
        total = 0.0
        prepared = self._prepared(vector)
        order = None if difficulty is None else difficulty.argsort(descending=True)
        with torch.no_grad():
            for inputs, labels in self._batches(order):
                outputs = self._parameters.call(self._body, prepared, inputs)
                total += float(self._losses(outputs, labels).sum())
                if total > ceiling * self.count:
                    return total / self.count, False
        return total / self.count, True

    def of_images_and_gradient(self, vector: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of each image at ``vector``, and the gradient of their mean.

        Returns:
            Shapes (N,) and (n,), float64.
        """
        every = []
        gradient = torch.zeros(self._parameters.count, dtype=torch.float64, device=vector.device)
        leaves = self._parameters.unflatten(self._prepared(vector))
        leaves = {name: leaf.detach().clone().requires_grad_() for name, leaf in leaves.items()}
        for inputs, labels in self._batches():
            losses = self._losses(functional_call(self._body, leaves, (inputs,)), labels)
            parts = torch.autograd.grad(losses.sum(), list(leaves.values()))
            gradient += self._parameters.flatten(dict(zip(leaves, parts, strict=True)))
            every.append(losses.detach())
        return torch.cat(every).double(), gradient / self.count

    @staticmethod
    def _losses(outputs: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(outputs, labels, reduction="none")

    def _prepared(self, vector: Tensor) -> Tensor:
        return vector.to(self._inputs.dtype)

    def _batches(self, order: Tensor | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """All images, batch by batch, in the order of these indices."""
        for start in range(0, self.count, self._batch):
            part: slice | Tensor = slice(start, start + self._batch)
            if order is not None:
                part = order[part]
            yield self._inputs[part].contiguous(memory_format=self._format), self._labels[part]
