"""The training loss l(w) over all training images: mean cross-entropy and its gradient."""

from __future__ import annotations

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
    """l(w) for one network body and one fixed set of training images.

    Images are held in the order of their loss at the first weights asked for, hardest first:
    partial sums then tell early that a candidate's loss must end above a ceiling.
    """

    def __init__(
        self, body: nn.Module, parameters: ParameterVector, inputs: Tensor, labels: Tensor
    ) -> None:
        """``inputs`` (N, C, H, W) in the space of the body, float32; ``labels`` (N,)."""
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

    def order_by_difficulty(self, vector: Tensor) -> float:
        """Sorts the images by their loss at ``vector``, hardest first; returns the mean loss."""
        losses = []
        with torch.no_grad():
            for inputs, labels in self._batches():
                outputs = self._parameters.call(self._body, self._prepared(vector), inputs)
                losses.append(functional.cross_entropy(outputs, labels, reduction="none").double())
        every = torch.cat(losses)
        order = every.argsort(descending=True)
        self._inputs = self._inputs[order].contiguous(memory_format=self._format)
        self._labels = self._labels[order]
        return float(every.mean())

    def value(self, vector: Tensor, ceiling: float = float("inf")) -> tuple[float, bool]:
        """The mean loss at ``vector`` (n,), or a lower bound on it above ``ceiling``.

        Returns:
            ``(loss, True)``, or ``(bound, False)`` as soon as the images seen so far alone bring
            the mean above ``ceiling``: cross-entropy is never negative.
        """
        total = 0.0
        prepared = self._prepared(vector)
        with torch.no_grad():
            for inputs, labels in self._batches():
                outputs = self._parameters.call(self._body, prepared, inputs)
                total += float(functional.cross_entropy(outputs, labels, reduction="sum"))
                if total > ceiling * self.count:
                    return total / self.count, False
        return total / self.count, True

    def value_and_gradient(self, vector: Tensor) -> tuple[float, Tensor]:
        """The mean loss at ``vector`` and its gradient, shape (n,), float64."""
        total = 0.0
        gradient = torch.zeros(self._parameters.count, dtype=torch.float64, device=vector.device)
        leaves = self._parameters.unflatten(self._prepared(vector))
        leaves = {name: leaf.detach().clone().requires_grad_() for name, leaf in leaves.items()}
        for inputs, labels in self._batches():
            outputs = functional_call(self._body, leaves, (inputs,))
            loss = functional.cross_entropy(outputs, labels, reduction="sum")
            parts = torch.autograd.grad(loss, list(leaves.values()))
            gradient += self._parameters.flatten(dict(zip(leaves, parts, strict=True)))
            total += float(loss.detach())
        return total / self.count, gradient / self.count

    def _prepared(self, vector: Tensor) -> Tensor:
        return vector.to(self._inputs.dtype)

    def _batches(self) -> zip[tuple[Tensor, Tensor]]:
        inputs, labels = (torch.split(t, self._batch) for t in (self._inputs, self._labels))
        return zip(inputs, labels, strict=True)
