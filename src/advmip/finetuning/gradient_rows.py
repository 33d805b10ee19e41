"""Rows of the constraint matrix A: gradients of output differences in the parameters.

The gradient of an output in the weight of a linear layer is an outer product
``delta activation^T``, so the inner product of two such rows is
``(delta . delta') (activation . activation')`` and the row itself is never written out. For a
network whose weights sit mostly in linear layers this is what makes the Gram matrix cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from advmip.errors import InputError
from advmip.finetuning.parameters import ParameterVector


def load_differentiation() -> None:
    """Load what gradients of single examples need: hundreds of modules, at torch's first call.

    The seconds that takes are no part of a method's time.
    """
    torch.func.vmap(torch.func.grad(torch.sum))(torch.zeros(1, 1))


@dataclass(frozen=True)
class FullRows:
    """Rows written out, shape (r, n)."""

    matrix: Tensor

    @property
    def count(self) -> int:
        """Number of rows r."""
        return self.matrix.shape[0]

    def combine(self, multipliers: Tensor) -> Tensor:
        """``A^T multipliers``, shape (n,)."""
        return multipliers @ self.matrix

    def written_out(self) -> Tensor:
        """The rows as a matrix of shape (r, n)."""
        return self.matrix


@dataclass(frozen=True)
class OuterProducts:
    """The part of the rows that belongs to one linear layer's weight: row i is delta_i act_i^T."""

    start: int
    stop: int
    delta: Tensor  # (r, outputs of the layer)
    activation: Tensor  # (r, inputs of the layer)


@dataclass(frozen=True)
class FactoredRows:
    """Rows with the weights of linear layers as outer products and all else written out.

    ``dense`` has shape (r, p) and belongs to the coordinates ``dense_coordinates`` of w.
    """

    length: int
    dense: Tensor
    dense_coordinates: Tensor
    products: tuple[OuterProducts, ...]

    @property
    def count(self) -> int:
        """Number of rows r."""
        return self.dense.shape[0]

    def combine(self, multipliers: Tensor) -> Tensor:
        """``A^T multipliers``, shape (n,)."""
        result = self.dense.new_zeros(self.length)
        result[self.dense_coordinates] = multipliers @ self.dense
        for part in self.products:
            weighted = (part.delta * multipliers[:, None]).T @ part.activation
            result[part.start : part.stop] = weighted.reshape(-1)
        return result

    def written_out(self) -> Tensor:
        """The rows as a matrix of shape (r, n)."""
        result = self.dense.new_zeros(self.count, self.length)
        result[:, self.dense_coordinates] = self.dense
        for part in self.products:
            outer = part.delta[:, :, None] * part.activation[:, None, :]
            result[:, part.start : part.stop] = outer.flatten(1)
        return result


Rows = FullRows | FactoredRows


def inner_products(left: Rows, right: Rows) -> Tensor:
    """The block ``A_left A_right^T`` of the Gram matrix, shape (r_left, r_right)."""
    if isinstance(left, FullRows):
        if isinstance(right, FullRows):
            return left.matrix @ right.matrix.T
        return inner_products(right, left).T
    if isinstance(right, FullRows):
        result = left.dense @ right.matrix[:, left.dense_coordinates].T
        for part in left.products:
            outputs, inputs = part.delta.shape[1], part.activation.shape[1]
            weight = right.matrix[:, part.start : part.stop].view(-1, outputs, inputs)
            result += torch.einsum("ro,qoi,ri->rq", part.delta, weight, part.activation)
        return result
    result = left.dense @ right.dense.T
    for ours, theirs in zip(left.products, right.products, strict=True):
        result += (ours.delta @ theirs.delta.T) * (ours.activation @ theirs.activation.T)
    return result


def output_gradients(
    body: nn.Module,
    parameters: ParameterVector,
    vector: Tensor,
    inputs: Tensor,
    directions: Tensor,
) -> FactoredRows:
    """Gradients in w of ``directions_i . f(inputs_i; w)`` at w = ``vector``, one row per input.

    One forward and one backward pass serve all rows: the gradient in a layer's own parameters
    follows from what went into the layer and from the derivative in what came out of it.

    Args:
        body: a module in evaluation mode; each parameter belongs to a Linear, Conv2d or
            BatchNorm2d layer that is used once.
        parameters: the order of the parameters in w.
        vector: w, shape (n,).
        inputs: shape (r, C, H, W), one per row.
        directions: shape (r, classes), the weights of the outputs in each row.

    Raises:
        InputError: a layer of another kind holds parameters.
    """
    layers = {name: module for name, module in body.named_modules() if _own_parameters(module)}
    seen: dict[str, tuple[Tensor, Tensor]] = {}

    def keep(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def hook(_module: nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> None:
            seen[name] = (arguments[0].detach(), output)

        return hook

    handles = [module.register_forward_hook(keep(name)) for name, module in layers.items()]
    try:
        with torch.enable_grad():
            outputs = parameters.call(body, vector, inputs.detach().requires_grad_())
            deltas = torch.autograd.grad(outputs, [seen[name][1] for name in layers], directions)
    finally:
        for handle in handles:
            handle.remove()

    gradients: dict[str, Tensor] = {}
    products: dict[str, tuple[Tensor, Tensor]] = {}
    for (name, module), delta in zip(layers.items(), deltas, strict=True):
        prefix = f"{name}." if name else ""
        activation = seen[name][0]
        if isinstance(module, nn.Linear):
            products[f"{prefix}weight"] = (delta, activation)
            gradients[f"{prefix}bias"] = delta
        elif isinstance(module, nn.Conv2d) and _is_plain(module):
            gradients[f"{prefix}weight"] = _convolution_gradient(module, activation, delta)
            gradients[f"{prefix}bias"] = delta.sum(dim=(2, 3))
        elif isinstance(module, nn.BatchNorm2d) and not module.training:
            gradients[f"{prefix}weight"] = (_standardised(module, activation) * delta).sum((2, 3))
            gradients[f"{prefix}bias"] = delta.sum(dim=(2, 3))
        else:
            raise InputError(
                subject=f"layer {name!r} of the network",
                found=f"{type(module).__name__} with parameters of its own",
                expected="Linear, BatchNorm2d in evaluation mode, or Conv2d in one group with "
                "explicit zero padding",
                mend="write the layer with these, or add its gradient to gradient_rows.py",
            )
    return _assemble(parameters, gradients, products)


def _own_parameters(module: nn.Module) -> bool:
    return next(module.parameters(recurse=False), None) is not None


def _is_plain(layer: nn.Conv2d) -> bool:
    """Whether the layer is a convolution in one group with explicit zero padding."""
    return layer.groups == 1 and layer.padding_mode == "zeros" and layer.padding != "same"


def _convolution_gradient(layer: nn.Conv2d, activation: Tensor, delta: Tensor) -> Tensor:
    """Weight gradient of a convolution for each row: (r, out, in * height * width)."""
    patches = functional.unfold(
        activation,
        layer.kernel_size,
        dilation=layer.dilation,
        padding=tuple(int(side) for side in layer.padding),
        stride=layer.stride,
    )
    return torch.bmm(delta.flatten(2), patches.transpose(1, 2))


def _standardised(layer: nn.BatchNorm2d, activation: Tensor) -> Tensor:
    mean, variance = layer.running_mean, layer.running_var
    assert mean is not None
    assert variance is not None
    shape = (1, -1, 1, 1)
    return (activation - mean.view(shape)) / torch.sqrt(variance.view(shape) + layer.eps)


def _assemble(
    parameters: ParameterVector,
    gradients: dict[str, Tensor],
    products: dict[str, tuple[Tensor, Tensor]],
) -> FactoredRows:
    dense: list[Tensor] = []
    coordinates: list[Tensor] = []
    factored: list[OuterProducts] = []
    for entry in parameters.entries:
        if entry.name in products:
            factored.append(OuterProducts(entry.start, entry.stop, *products[entry.name]))
        else:
            dense.append(gradients[entry.name].flatten(1))
            coordinates.append(torch.arange(entry.start, entry.stop))
    stacked = torch.cat(dense, dim=1)
    return FactoredRows(
        parameters.count, stacked, torch.cat(coordinates).to(stacked.device), tuple(factored)
    )


def total_combination(chunks: Sequence[Rows], multipliers: Tensor, length: int) -> Tensor:
    """``A^T multipliers`` for rows that lie in several chunks, shape (n,)."""
    result = multipliers.new_zeros(length)
    start = 0
    for chunk in chunks:
        part = multipliers[start : start + chunk.count]
        if part.any():
            result += chunk.combine(part)
        start += chunk.count
    return result
