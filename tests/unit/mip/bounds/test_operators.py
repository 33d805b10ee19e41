"""Operators are the matrices that they stand for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from scipy import sparse
from torch import Tensor, nn

from advmip.mip.bounds.operators import (
    ComposedOperator,
    ConvolutionOperator,
    DenseOperator,
    DiagonalOperator,
    IdentityOperator,
    Operator,
    SparseOperator,
    SummedOperator,
)

DOUBLE = torch.float64
SHAPE = (2, 7, 6)
INPUTS = 84


def random(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)


def convolution() -> tuple[Operator, Tensor]:
    """One with everything: strided, padded, dilated, in groups; and its matrix."""
    torch.manual_seed(0)
    layer = nn.Conv2d(2, 4, 3, stride=2, padding=1, dilation=2, groups=2, bias=False).double()
    with torch.no_grad():
        columns = layer(torch.eye(INPUTS, dtype=DOUBLE).unflatten(1, SHAPE)).flatten(1)
    return ConvolutionOperator(layer.requires_grad_(False), SHAPE), columns.T.contiguous()


def fixed() -> tuple[Operator, Tensor]:
    _, matrix = convolution()
    return SparseOperator(sparse.csr_array(matrix.numpy())), matrix


def dense() -> tuple[Operator, Tensor]:
    matrix = random(9, INPUTS)
    return DenseOperator(matrix), matrix


def identity() -> tuple[Operator, Tensor]:
    return IdentityOperator(torch.ones(INPUTS, dtype=DOUBLE)), torch.eye(INPUTS, dtype=DOUBLE)


def diagonal() -> tuple[Operator, Tensor]:
    factors = random(INPUTS)
    return DiagonalOperator(factors), factors.diag()


def composed() -> tuple[Operator, Tensor]:
    """A convolution of scaled pixels, whose absolute entries are the products of both."""
    (outer, one), (inner, other) = convolution(), diagonal()
    return ComposedOperator(outer, inner), one @ other


def summed() -> tuple[Operator, Tensor]:
    """A layer as it is and scaled, nowhere with different signs."""
    (first, one), factors = identity(), random(INPUTS).abs()
    return SummedOperator(first, DiagonalOperator(factors)), one + factors.diag()


@pytest.mark.parametrize("made", [convolution, fixed, dense, identity, diagonal, composed, summed])
def test_an_operator_is_its_matrix(made: Callable[[], tuple[Operator, Tensor]]) -> None:
    operator, matrix = made()
    values, forms, kept = random(3, INPUTS).abs(), random(3, 5, len(matrix)), [0, 7, 2]
    torch.testing.assert_close(operator.applied(values), values @ matrix.T)
    torch.testing.assert_close(operator.magnitude(values), values @ matrix.abs().T)
    torch.testing.assert_close(operator.pulled_back(forms), forms @ matrix)
    torch.testing.assert_close(operator.rows(torch.tensor(kept)), matrix[kept])
    assert operator.longest_sum >= int((matrix != 0).sum(1).max())
    assert operator.longest_sum >= int((matrix != 0).sum(0).max())


def test_where_terms_cancel_the_magnitude_is_larger() -> None:
    first, second = (
        DenseOperator(torch.tensor([[1.0, 2.0]])),
        DenseOperator(torch.tensor([[-1.0, 1.0]])),
    )
    values = torch.ones(1, 2)
    assert SummedOperator(first, second).magnitude(values).item() == 5.0
    column = DenseOperator(torch.tensor([[1.0], [1.0]]))
    assert ComposedOperator(second, column).magnitude(torch.ones(1, 1)).item() == 2.0
