"""Linear maps between a network's layers, in torch, and the affine stages that they make up."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.grad import conv2d_input

from advmip.networks.staged import AffineMap, Matrix, StagedNetwork

# A matrix with a larger share of entries is faster as a dense one.
_DENSE = 0.3


class Operator(Protocol):
    """A linear map between two layers, for a batch of N.

    Attributes:
        longest_sum: The most products that any entry of a result is summed from.
    """

    longest_sum: int

    def applied(self, values: Tensor) -> Tensor:
        """Outputs (N, outputs) of values (N, inputs)."""

    def magnitude(self, values: Tensor) -> Tensor:
        """Outputs (N, outputs) of values (N, inputs) by the map's absolute entries, or larger."""

    def pulled_back(self, forms: Tensor) -> Tensor:
        """Linear forms in the inputs (N, S, inputs), from forms in the outputs (N, S, outputs)."""

    def rows(self, kept: Tensor) -> Tensor:
        """Some of the outputs as linear forms in the inputs (kept, inputs)."""


@dataclass(frozen=True)
class Stage:
    """An affine map of earlier layers.

    Attributes:
        terms: Linear maps by layer; 0 is the image, k the k-th ReLU.
        bias: The constant (outputs,).
    """

    terms: Mapping[int, Operator]
    bias: Tensor

    @property
    def width(self) -> int:
        """How many outputs it has."""
        return len(self.bias)

    def pulled_back(self, forms: Tensor) -> dict[int, Tensor]:
        """Forms in each layer that is read, from forms in the outputs."""
        return {layer: term.pulled_back(forms) for layer, term in self.terms.items()}

    def rows(self, kept: Tensor) -> dict[int, Tensor]:
        """Some of the outputs as forms (1, kept, width) in each layer that is read."""
        return {layer: term.rows(kept)[None] for layer, term in self.terms.items()}


class DenseOperator:
    """A matrix with all its entries.

    Args:
        matrix: Outputs by inputs; gradients go through it.
        absolute: Its absolute values, if it is fixed.
    """

    def __init__(self, matrix: Tensor, absolute: Tensor | None = None) -> None:
        self._matrix = matrix
        self._absolute = absolute
        self.longest_sum = max(matrix.shape)

    def applied(self, values: Tensor) -> Tensor:
        """Outputs (N, outputs) of values (N, inputs)."""
        return values @ self._matrix.T

    def magnitude(self, values: Tensor) -> Tensor:
        """Outputs (N, outputs) by absolute entries."""
        absolute = self._matrix.abs() if self._absolute is None else self._absolute
        return values @ absolute.T

    def pulled_back(self, forms: Tensor) -> Tensor:
        """The product with the matrix from the left."""
        return forms @ self._matrix

    def rows(self, kept: Tensor) -> Tensor:
        """Rows of the matrix."""
        return self._matrix[kept]


class SparseOperator:
    """A fixed matrix of few entries.

    The products with a convolution of 1,568 neurons take half the time of torch's transposed
    convolution in float64 on one core, and that of a dense matrix is longer still.

    Args:
        matrix: Outputs by inputs.
        dtype: The precision of the products.
    """

    def __init__(self, matrix: Matrix, dtype: torch.dtype = torch.float64) -> None:
        transposed = Matrix(matrix.T.tocsr())
        self._matrix = matrix
        self._forward, self._back, self._absolute = (
            _compressed(each, dtype) for each in (matrix, transposed, abs(matrix))
        )
        counts = (np.diff(each.indptr).max(initial=0) for each in (matrix, transposed))
        self.longest_sum = int(max(counts))

    def applied(self, values: Tensor) -> Tensor:
        """Outputs (N, outputs) of values (N, inputs)."""
        return (self._forward @ values.T).T

    def magnitude(self, values: Tensor) -> Tensor:
        """Outputs (N, outputs) by absolute entries."""
        return (self._absolute @ values.T).T

    def pulled_back(self, forms: Tensor) -> Tensor:
        """The product with the matrix from the left."""
        flat = forms.flatten(0, 1)
        return (self._back @ flat.T).T.reshape(*forms.shape[:2], self._matrix.shape[1])

    def rows(self, kept: Tensor) -> Tensor:
        """Rows of the matrix."""
        return torch.from_numpy(self._matrix[kept.numpy()].toarray()).to(self._forward.dtype)


class ConvolutionOperator:
    """A convolution that stays one: the quickest in float32 and on a GPU.

    Args:
        layer: The convolution; gradients go through its weights.
        shape: Channels, height and width of its input.

    Raises:
        NotImplementedError: The padding is no number of zeros.
    """

    def __init__(self, layer: nn.Conv2d, shape: tuple[int, int, int]) -> None:
        if isinstance(layer.padding, str) or layer.padding_mode != "zeros":
            raise NotImplementedError(f"padding {layer.padding!r}, {layer.padding_mode}")
        self._weight, self._shape = layer.weight, shape
        self._settings = (layer.stride, layer.padding, layer.dilation, layer.groups)
        with torch.no_grad():
            empty = torch.zeros(1, *shape, device=layer.weight.device, dtype=layer.weight.dtype)
            self.outputs: tuple[int, ...] = tuple(self._convolved(empty, layer.weight).shape[1:])
        self.longest_sum = math.prod(layer.weight.shape) // min(layer.weight.shape[:2])

    def _convolved(self, values: Tensor, weight: Tensor) -> Tensor:
        stride, padding, dilation, groups = self._settings
        return functional.conv2d(values, weight, None, stride, padding, dilation, groups)

    def applied(self, values: Tensor) -> Tensor:
        """Outputs (N, outputs) of values (N, inputs)."""
        return self._convolved(values.reshape(-1, *self._shape), self._weight).flatten(1)

    def magnitude(self, values: Tensor) -> Tensor:
        """Outputs (N, outputs) by absolute weights."""
        return self._convolved(values.reshape(-1, *self._shape), self._weight.abs()).flatten(1)

    def pulled_back(self, forms: Tensor) -> Tensor:
        """The transposed convolution."""
        planes = forms.reshape(-1, *self.outputs)
        size = (len(planes), *self._shape)
        pulled: Tensor = conv2d_input(  # type: ignore[no-untyped-call]
            size, self._weight, planes, *self._settings
        )
        return pulled.reshape(*forms.shape[:2], math.prod(self._shape))

    def rows(self, kept: Tensor) -> Tensor:
        """Rows of the convolution's matrix."""
        chosen = functional.one_hot(kept, math.prod(self.outputs)).to(self._weight)
        return self.pulled_back(chosen[None])[0]


class DiagonalOperator:
    """Each value times a factor of its own.

    Args:
        factors: The factors (width,); gradients go through them.
    """

    longest_sum = 1

    def __init__(self, factors: Tensor) -> None:
        self._factors = factors

    def applied(self, values: Tensor) -> Tensor:
        """Products (N, width)."""
        return values * self._factors

    def magnitude(self, values: Tensor) -> Tensor:
        """Products (N, width) with absolute factors."""
        return values * self._factors.abs()

    def pulled_back(self, forms: Tensor) -> Tensor:
        """The coefficients times the factors."""
        return forms * self._factors

    def rows(self, kept: Tensor) -> Tensor:
        """Rows of the diagonal matrix."""
        return functional.one_hot(kept, len(self._factors)).to(self._factors) * self._factors


class IdentityOperator(DiagonalOperator):
    """A layer as it is: factors of 1."""


class ComposedOperator:
    """One linear map after another.

    Args:
        outer: The one that is applied last.
        inner: The one that is applied first.
    """

    def __init__(self, outer: Operator, inner: Operator) -> None:
        self._outer, self._inner = outer, inner
        # Relative errors of the two add up.
        self.longest_sum = outer.longest_sum + inner.longest_sum

    def applied(self, values: Tensor) -> Tensor:
        """Outputs (N, outputs) of values (N, inputs)."""
        return self._outer.applied(self._inner.applied(values))

    def magnitude(self, values: Tensor) -> Tensor:
        """Outputs (N, outputs) by the absolute entries of both maps, not of their product."""
        return self._outer.magnitude(self._inner.magnitude(values))

    def pulled_back(self, forms: Tensor) -> Tensor:
        """Forms in the inputs, by way of those in between."""
        return self._inner.pulled_back(self._outer.pulled_back(forms))

    def rows(self, kept: Tensor) -> Tensor:
        """Some of the outputs as forms in the inputs."""
        return self._inner.pulled_back(self._outer.rows(kept)[None])[0]


class SummedOperator:
    """The sum of two linear maps of one layer.

    Args:
        first: A map.
        second: Another with as many outputs.
    """

    def __init__(self, first: Operator, second: Operator) -> None:
        self._first, self._second = first, second
        self.longest_sum = first.longest_sum + second.longest_sum

    def applied(self, values: Tensor) -> Tensor:
        """Outputs (N, outputs) of values (N, inputs)."""
        return self._first.applied(values) + self._second.applied(values)

    def magnitude(self, values: Tensor) -> Tensor:
        """Outputs (N, outputs) by the absolute entries of both maps, not of their sum."""
        return self._first.magnitude(values) + self._second.magnitude(values)

    def pulled_back(self, forms: Tensor) -> Tensor:
        """The sum of what both pull back."""
        return self._first.pulled_back(forms) + self._second.pulled_back(forms)

    def rows(self, kept: Tensor) -> Tensor:
        """Some of the outputs as forms in the inputs."""
        return self._first.rows(kept) + self._second.rows(kept)


def matrix_stages(network: StagedNetwork, dtype: torch.dtype = torch.float64) -> list[Stage]:
    """The stages of a network, the logits last, as fixed matrices.

    Each is kept as long as its map is, which networks share that differ in other maps.
    """
    stages = (*network.hidden, network.output)
    for stage in stages:
        kept = _KEPT.setdefault(stage, {})
        if dtype not in kept:
            kept[dtype] = _fixed(stage, dtype)
    return [_KEPT[stage][dtype] for stage in stages]


_KEPT: WeakKeyDictionary[AffineMap, dict[torch.dtype, Stage]] = WeakKeyDictionary()


def longest_sum(stages: Sequence[Stage]) -> int:
    """The most products that any entry of an application or pull-back is summed from."""
    return max(term.longest_sum for stage in stages for term in stage.terms.values())


def _fixed(stage: AffineMap, dtype: torch.dtype) -> Stage:
    terms: dict[int, Operator] = {}
    for layer, matrix in stage.terms.items():
        if matrix.nnz > _DENSE * matrix.shape[0] * matrix.shape[1]:
            written_out = torch.from_numpy(matrix.toarray()).to(dtype)
            terms[layer] = DenseOperator(written_out, written_out.abs())
        else:
            terms[layer] = SparseOperator(matrix, dtype)
    return Stage(terms, torch.from_numpy(stage.bias).to(dtype))


def _compressed(matrix: Matrix, dtype: torch.dtype) -> Tensor:
    # Copies, since SciPy sorts a matrix in place when it likes.
    starts, columns = (
        torch.tensor(each, dtype=torch.int64) for each in (matrix.indptr, matrix.indices)
    )
    values = torch.tensor(matrix.data, dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its sparse tensors beta
        return torch.sparse_csr_tensor(starts, columns, values, matrix.shape)
