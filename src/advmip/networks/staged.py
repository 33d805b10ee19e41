"""A network as stages of affine maps, each followed by a ReLU.

Every ReLU network is such a sequence: with x_0 the image and x_k = max(p_k, 0),

    p_k = sum_{j < k} W_{kj} x_j + b_k,        logits = sum_j W_j x_j + b.

A residual sum is a stage that reads more than one earlier layer. Whatever is affine between two
ReLUs (convolutions, folded batch norms, average pooling, normalisation) is one matrix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Vector = NDArray[np.float64]
Matrix = sparse.csr_array


@dataclass(frozen=True, eq=False)
class AffineMap:
    """An affine function of the layers before it, in float64.

    Attributes:
        terms: Matrices (outputs, width of the layer) by layer; 0 is the image, k the k-th ReLU.
        bias: The constant (outputs,).
    """

    terms: Mapping[int, Matrix]
    bias: Vector

    @property
    def width(self) -> int:
        """How many outputs it has."""
        return len(self.bias)

    def __call__(self, layers: list[Vector]) -> Vector:
        """Outputs (outputs,) or (outputs, N) for the layers' values (width,) or (width, N)."""
        first = layers[0]
        outputs = self.bias if first.ndim == 1 else np.repeat(self.bias[:, None], first.shape[1], 1)
        for layer, matrix in self.terms.items():
            outputs = outputs + matrix @ layers[layer]
        return outputs

    def rows(self, kept: NDArray[np.intp]) -> AffineMap:
        """The map to some of the outputs only."""
        return AffineMap({j: matrix[kept] for j, matrix in self.terms.items()}, self.bias[kept])

    def scaled(self, factor: float) -> AffineMap:
        """The map with all outputs multiplied; exact for powers of two."""
        terms = {j: Matrix(matrix * factor) for j, matrix in self.terms.items()}
        return AffineMap(terms, self.bias * factor)


@dataclass(frozen=True, eq=False)
class StagedNetwork:
    """A classifier as affine maps with ReLUs between them.

    Attributes:
        input_shape: The shape of an image, without a batch axis.
        hidden: The affine map into each layer of ReLUs, in order.
        output: The affine map to the logits.
    """

    input_shape: tuple[int, ...]
    hidden: tuple[AffineMap, ...]
    output: AffineMap

    @cached_property
    def neurons(self) -> int:
        """How many ReLUs there are."""
        return sum(stage.width for stage in self.hidden)

    @property
    def classes(self) -> int:
        """How many logits there are."""
        return self.output.width

    @property
    def pixels(self) -> int:
        """How many numbers an image has."""
        return int(np.prod(self.input_shape))

    def preactivations(self, image: Vector) -> list[Vector]:
        """What enters each layer of ReLUs, and last the logits.

        Args:
            image: One image (pixels,), or many as columns (pixels, N).
        """
        layers = [image]
        entering = []
        for stage in self.hidden:
            entering.append(stage(layers))
            layers.append(np.maximum(entering[-1], 0.0))
        return [*entering, self.output(layers)]

    def logits(self, image: Vector) -> Vector:
        """The logits (classes,) of an image (pixels,), or (classes, N) of many (pixels, N)."""
        return self.preactivations(image)[-1]

    def with_logits_times(self, factor: float) -> StagedNetwork:
        """The network with all logits multiplied; exact for powers of two."""
        return replace(self, output=self.output.scaled(factor))

    def keeping(self, kept: list[NDArray[np.intp]]) -> StagedNetwork:
        """The network without neurons whose ReLU is 0 wherever it is asked.

        Args:
            kept: The neurons that stay, for each layer of ReLUs.
        """
        if all(len(rows) == stage.width for stage, rows in zip(self.hidden, kept, strict=True)):
            return self
        read = [np.arange(self.pixels), *kept]

        # A map that stays as it is stays the same object, and so does what is kept of it.
        def shortened(stage: AffineMap, rows: NDArray[np.intp]) -> AffineMap:
            return stage if len(rows) == stage.width else stage.rows(rows)

        def narrowed(stage: AffineMap) -> AffineMap:
            if all(len(read[j]) == matrix.shape[1] for j, matrix in stage.terms.items()):
                return stage
            terms = {j: Matrix(matrix[:, read[j]]) for j, matrix in stage.terms.items()}
            return AffineMap(terms, stage.bias)

        hidden = map(shortened, self.hidden, kept)
        return StagedNetwork(
            self.input_shape, tuple(narrowed(stage) for stage in hidden), narrowed(self.output)
        )

    def pulled_back(self, entering: list[Vector], weights: Vector) -> Vector:
        """The gradient with respect to the image of weights @ logits.

        Args:
            entering: What `preactivations` gave for the images, (width, N) each.
            weights: Weights of the logits (classes, N).

        Returns:
            The gradient (pixels, N).
        """
        gradients = [np.zeros((self.pixels, weights.shape[1]))]
        gradients += [np.zeros_like(values) for values in entering[:-1]]
        for depth in range(len(self.hidden), -1, -1):
            stage = self.output if depth == len(self.hidden) else self.hidden[depth]
            above = weights
            if depth < len(self.hidden):
                above = gradients[depth + 1] * (entering[depth] > 0)
            for layer, matrix in stage.terms.items():
                gradients[layer] += matrix.T @ above
        return gradients[0]
