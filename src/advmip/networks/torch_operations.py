"""Torch's operations with torch's arguments, on values that are affine in earlier layers.

What only moves entries is left to torch itself (`affine_operations.moved`).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from advmip.networks import affine_operations as affine
from advmip.networks.affine_operations import AffineValue, Sizes, Stages, Windows
from advmip.networks.graph_reader import Operation
from advmip.networks.staged import Vector

Number = Tensor | float
Operand = AffineValue | Number
# One size for all axes, or one for each.
Side = int | tuple[int, ...]
Axes = int | Sequence[int]


def convolution(
    stages: Stages,
    value: AffineValue,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Side = 1,
    padding: Side | str = 0,
    dilation: Side = 1,
    groups: int = 1,
) -> AffineValue:
    """conv1d, conv2d and conv3d."""
    kernel = tuple(weight.shape[2:])
    if padding == "same":
        dilations = _sizes(dilation, len(kernel))
        reach = [space * (size - 1) for space, size in zip(dilations, kernel, strict=True)][::-1]
        value = pad(stages, value, [side for r in reach for side in (r // 2, r - r // 2)])
    around = 0 if isinstance(padding, str) else padding
    windows = _windows(len(kernel), kernel, stride, around, dilation)
    return affine.convolution(value, _array(weight), _optional(bias), windows, groups)


def linear(
    _: Stages, value: AffineValue, weight: Tensor, bias: Tensor | None = None
) -> AffineValue:
    """A linear layer."""
    return affine.linear(value, _array(weight), _optional(bias))


def matmul(_: Stages, value: Operand, matrix: Operand) -> AffineValue:
    """A value times a constant matrix."""
    if not isinstance(value, AffineValue) or not isinstance(matrix, Tensor) or matrix.ndim != 2:
        raise NotImplementedError("only a value times a constant matrix")
    return affine.linear(value, _array(matrix).T, None)


def batch_norm(
    _: Stages,
    value: AffineValue,
    mean: Tensor | None,
    variance: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> AffineValue:
    """Batch norm with fixed statistics."""
    if mean is None or variance is None or training:
        raise NotImplementedError("batch norm without running statistics")
    factor = 1.0 / np.sqrt(_array(variance) + eps)
    shifted = -_array(mean) * factor
    if weight is not None:
        factor, shifted = factor * _array(weight), shifted * _array(weight)
    if bias is not None:
        shifted = shifted + _array(bias)
    per_channel = (-1, *(1 for _ in value.shape[1:]))
    return affine.shift(
        affine.scale(value, factor.reshape(per_channel)), shifted.reshape(per_channel)
    )


def batch_norm_layer(stages: Stages, module: nn.BatchNorm2d, value: AffineValue) -> AffineValue:
    """The layer, whose own code asks for the shape of its input."""
    statistics = (module.running_mean, module.running_var, module.weight, module.bias)
    return batch_norm(stages, value, *statistics, eps=module.eps)


def relu(stages: Stages, value: AffineValue, inplace: bool = False) -> AffineValue:
    """The ReLU."""
    return stages.relu(value)


def leaky_relu(
    stages: Stages, value: AffineValue, negative_slope: float = 0.01, inplace: bool = False
) -> AffineValue:
    """The leaky ReLU."""
    return stages.leaky_relu(value, np.array(negative_slope))


def prelu(stages: Stages, value: AffineValue, weight: Tensor) -> AffineValue:
    """The leaky ReLU with a slope for each channel, or one for all."""
    slope = _array(weight)
    behind = (1,) * (len(value.shape) - 1)
    return stages.leaky_relu(value, slope.reshape(-1, *behind) if slope.size > 1 else slope.ravel())


def absolute(stages: Stages, value: AffineValue) -> AffineValue:
    """The absolute value: a leaky ReLU of slope -1."""
    return stages.leaky_relu(value, np.array(-1.0))


def clamp(
    stages: Stages,
    value: AffineValue,
    min: Number | None = None,
    max: Number | None = None,
    inplace: bool = False,
) -> AffineValue:
    """Values cut off below and above at constants."""
    lower, upper = (None if limit is None else _array(limit, value) for limit in (min, max))
    return stages.clamp(value, lower, upper)


def hardtanh(
    stages: Stages,
    value: AffineValue,
    min_val: float = -1.0,
    max_val: float = 1.0,
    inplace: bool = False,
) -> AffineValue:
    """Values cut off at -1 and 1, or other numbers."""
    return clamp(stages, value, min_val, max_val)


def relu6(stages: Stages, value: AffineValue, inplace: bool = False) -> AffineValue:
    """Values cut off at 0 and 6."""
    return clamp(stages, value, 0.0, 6.0)


def maximum(stages: Stages, first: Operand, second: Operand) -> AffineValue:
    """The larger of two values, or of a value and a constant."""
    if isinstance(first, AffineValue) and isinstance(second, AffineValue):
        return stages.maximum(first, second)
    value, constant = _value_and_constant(first, second)
    return stages.clamp(value, constant, None)


def minimum(stages: Stages, first: Operand, second: Operand) -> AffineValue:
    """The smaller of two values, or of a value and a constant."""
    if isinstance(first, AffineValue) and isinstance(second, AffineValue):
        return negative(stages, stages.maximum(negative(stages, first), negative(stages, second)))
    value, constant = _value_and_constant(first, second)
    return stages.clamp(value, None, constant)


def max_pool(
    stages: Stages,
    value: AffineValue,
    kernel_size: Side,
    stride: Side | None = None,
    padding: Side = 0,
    dilation: Side = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> AffineValue:
    """Max pooling in any number of dimensions."""
    if return_indices:
        raise NotImplementedError("return_indices")
    axes = len(value.shape) - 1
    windows = _windows(axes, kernel_size, stride, padding, dilation, rounded_up=ceil_mode)
    return stages.max_pool(value, windows)


def average_pool(
    _: Stages,
    value: AffineValue,
    kernel_size: Side,
    stride: Side | None = None,
    padding: Side = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> AffineValue:
    """Average pooling in any number of dimensions."""
    axes = len(value.shape) - 1
    windows = _windows(axes, kernel_size, stride, padding, 1, rounded_up=ceil_mode)
    return affine.average_pool(value, windows, count_include_pad, divisor_override)


def adaptive_average_pool(
    _: Stages, value: AffineValue, output_size: int | Sequence[int | None]
) -> AffineValue:
    """Average pooling to a number of windows that divides the number of places."""
    plane = value.shape[1:]
    asked = [output_size] * len(plane) if isinstance(output_size, int) else output_size
    counts = [size if count is None else count for size, count in zip(plane, asked, strict=True)]
    if any(size % count for size, count in zip(plane, counts, strict=True)):
        raise NotImplementedError(f"adaptive average pooling of {plane} to {tuple(counts)}")
    kernel = tuple(size // count for size, count in zip(plane, counts, strict=True))
    return affine.average_pool(value, _windows(len(plane), kernel, None, 0, 1), True)


def total(
    _: Stages, value: AffineValue, dim: Axes | None = None, keepdim: bool = False
) -> AffineValue:
    """The sum over some axes."""
    return affine.weighted_sum(value, _axes(value, dim), keepdim, 1.0)


def mean(
    _: Stages, value: AffineValue, dim: Axes | None = None, keepdim: bool = False
) -> AffineValue:
    """The mean over some axes."""
    axes = _axes(value, dim)
    count = math.prod(value.shape[axis] for axis in axes)
    return affine.weighted_sum(value, axes, keepdim, 1.0 / count)


def largest(
    stages: Stages, value: AffineValue, dim: Axes | None = None, keepdim: bool = False
) -> AffineValue:
    """The maximum over some axes."""
    return stages.largest(affine.along(value, _axes(value, dim), keepdim))


def add(_: Stages, input: Operand, other: Operand, *, alpha: float = 1.0) -> AffineValue:
    """A sum of values, or of a value and a constant."""
    if alpha != 1.0:
        raise NotImplementedError(f"alpha = {alpha}")
    if isinstance(input, AffineValue) and isinstance(other, AffineValue):
        return affine.add(input, other)
    return affine.shift(*_value_and_constant(input, other))


def subtract(stages: Stages, input: Operand, other: Operand, *, alpha: float = 1.0) -> AffineValue:
    """A difference of values, or of a value and a constant."""
    other = negative(stages, other) if isinstance(other, AffineValue) else -other
    return add(stages, input, other, alpha=alpha)


def multiply(_: Stages, input: Operand, other: Operand) -> AffineValue:
    """A value times a constant."""
    return affine.scale(*_value_and_constant(input, other))


def divide(stages: Stages, input: Operand, other: Operand) -> AffineValue:
    """A value divided by a constant."""
    if isinstance(other, AffineValue):
        raise NotImplementedError("division by an activation is not affine")
    return multiply(stages, input, 1.0 / other)


def negative(_: Stages, value: AffineValue) -> AffineValue:
    """The value with the other sign."""
    return affine.scale(value, np.array(-1.0))


def pad(
    _: Stages,
    input: AffineValue,
    pad: Sequence[int],
    mode: str = "constant",
    value: float | None = None,
) -> AffineValue:
    """Padding with a constant, or with entries of the value itself."""
    # Torch pads the places with -1, which stands for the constant.
    hole = -1.0 if mode == "constant" else None
    padded: AffineValue = affine.moved(
        functional.pad, input, tuple(pad), mode, hole, fill=value or 0.0
    )
    return padded


def interpolate(_: Stages, value: AffineValue, *args: Any, **kwargs: Any) -> Any:
    """Resizing to the nearest entries."""
    if kwargs.get("mode", "nearest") not in ("nearest", "nearest-exact"):
        raise NotImplementedError(f"mode {kwargs['mode']!r}")
    return affine.moved(functional.interpolate, value, *args, **kwargs)


def concatenation(_: Stages, tensors: Sequence[Operand], dim: int = 0) -> Any:
    """Values and constants behind one another."""
    values = [
        affine.constant(_alike(tensor)) if isinstance(tensor, Tensor) else tensor
        for tensor in tensors
    ]
    return affine.moved(torch.cat, values, dim)


def dropout(
    _: Stages, value: AffineValue, p: float = 0.5, training: bool = True, inplace: bool = False
) -> AffineValue:
    """Dropout outside of training, which leaves the value as it is."""
    if training:
        raise NotImplementedError("dropout as in training")
    return value


def unchanged(_: Stages, first: Any, *others: Any, **settings: Any) -> Any:
    """The value itself: a copy, or a cast."""
    return first


def size(_: Stages, value: AffineValue, dim: int | None = None) -> Any:
    """The shape of a batch of two images, in which `affine_operations.moved` thinks."""
    shape = torch.Size((2, *value.shape))
    return shape if dim is None else shape[dim]


def attribute(_: Stages, value: AffineValue, name: str) -> Any:
    """What a tensor says of itself."""
    known: dict[str, Any] = {
        "shape": torch.Size((2, *value.shape)),
        "ndim": 1 + len(value.shape),
        "dtype": torch.float64,
        "device": torch.device("cpu"),
    }
    if name not in known:
        raise NotImplementedError(f"the attribute {name}")
    return known[name]


def item(_: Stages, values: Any, index: Any) -> Any:
    """One of several values, or a part of one."""
    if isinstance(values, AffineValue):
        return affine.moved(operator.getitem, values, index)
    return values[index]


def moving(function: Callable[..., Any]) -> Operation:
    """The operation for a function of torch that only moves entries."""

    def operation(_: Stages, *args: Any, **kwargs: Any) -> Any:
        return affine.moved(function, *args, **kwargs)

    return operation


def _value_and_constant(first: Operand, second: Operand) -> tuple[AffineValue, Vector]:
    """The two operands of a symmetric operation, the constant without its batch axis."""
    value, constant = (first, second) if isinstance(first, AffineValue) else (second, first)
    if not isinstance(value, AffineValue) or isinstance(constant, AffineValue):
        raise NotImplementedError("a product of two activations is not affine")
    return value, _array(constant, value)


def _array(constant: Number, beside: AffineValue | None = None) -> Vector:
    """A constant as an array; beside a value, without a batch axis."""
    if not isinstance(constant, Tensor):
        return np.array(float(constant))
    has_batch = beside is not None and constant.ndim > len(beside.shape)
    return _alike(constant) if has_batch else constant.detach().cpu().double().numpy()


def _alike(constant: Tensor) -> Vector:
    """A constant (N, ...) that is the same for every image of a batch, without the batch axis."""
    array = constant.detach().cpu().double().numpy()
    if not np.array_equal(array, np.broadcast_to(array[:1], array.shape)):
        raise NotImplementedError("a constant that differs over the batch")
    first: Vector = array[0]
    return first


def _optional(constant: Tensor | None) -> Vector | None:
    return None if constant is None else _array(constant)


def _axes(value: AffineValue, dim: Axes | None) -> tuple[int, ...]:
    """Axes of a tensor as those of the value, which has no batch axis."""
    if dim is None:
        raise NotImplementedError("all axes, and so the batch")
    rank = 1 + len(value.shape)
    axes = tuple(axis % rank - 1 for axis in ((dim,) if isinstance(dim, int) else dim))
    if min(axes) < 0:
        raise NotImplementedError("the batch among the axes")
    return axes


def _sizes(side: Side, axes: int) -> Sizes:
    sizes = (side,) if isinstance(side, int) else tuple(side)
    return sizes * axes if len(sizes) == 1 else sizes


def _windows(
    axes: int,
    kernel: Side,
    stride: Side | None,
    padding: Side,
    dilation: Side,
    rounded_up: bool = False,
) -> Windows:
    # Torch's pooling steps by its kernel where it is told nothing.
    step = stride if isinstance(stride, int) else stride or kernel
    kernel, step, padding, dilation = (
        _sizes(side, axes) for side in (kernel, step, padding, dilation)
    )
    return Windows(kernel, step, padding, dilation, rounded_up)
