"""From a torch module to its staged form: the module's graph, read operation by operation."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from advmip.networks import affine_operations as affine
from advmip.networks.affine_operations import AffineValue, Stages
from advmip.networks.graph_reader import GraphReader, Operation, Operations
from advmip.networks.network import Network
from advmip.networks.staged import StagedNetwork, Vector


def staged(network: Network) -> StagedNetwork:
    """The staged form of a network: the same function, as affine maps and ReLUs.

    It is kept as long as the network is and its weights stay the same: many attacks share it.

    Args:
        network: A network in evaluation mode.

    Raises:
        InputError: The network has an operation that is neither affine, a ReLU nor max pooling;
            the message names it and where it stands.
    """
    digest, form = _KEPT.get(network, ("", None))
    if form is None or digest != network.digest:
        stages = Stages(network.architecture.input_shape)
        graph = fx.symbolic_trace(network).eval()
        form = stages.network(GraphReader(graph, stages, _OPERATIONS).run(stages.image()))
        _KEPT[network] = network.digest, form
    return form


_KEPT: WeakKeyDictionary[Network, tuple[str, StagedNetwork]] = WeakKeyDictionary()


def _array(tensor: Tensor) -> Vector:
    return tensor.detach().cpu().double().numpy()


def _pair(value: int | tuple[int, ...]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _convolution(_: Stages, module: nn.Conv2d, value: AffineValue) -> AffineValue:
    if isinstance(module.padding, str) or module.padding_mode != "zeros":
        raise NotImplementedError(f"padding {module.padding!r}, {module.padding_mode}")
    return affine.convolution(
        value,
        _array(module.weight),
        None if module.bias is None else _array(module.bias),
        _pair(module.stride),
        _pair(module.padding),
        _pair(module.dilation),
        module.groups,
    )


def _linear(_: Stages, module: nn.Linear, value: AffineValue) -> AffineValue:
    bias = None if module.bias is None else _array(module.bias)
    return affine.linear(value, _array(module.weight), bias)


def _batch_norm(_: Stages, module: nn.BatchNorm2d, value: AffineValue) -> AffineValue:
    if module.running_mean is None or module.running_var is None:
        raise NotImplementedError("batch norm without running statistics")
    factor = 1.0 / np.sqrt(_array(module.running_var) + module.eps)
    shifted = -_array(module.running_mean) * factor
    if module.affine:
        weight = _array(module.weight)
        factor, shifted = factor * weight, shifted * weight + _array(module.bias)
    per_channel = (-1, *(1 for _ in value.shape[1:]))
    return affine.shift(
        affine.scale(value, factor.reshape(per_channel)), shifted.reshape(per_channel)
    )


def _max_pool(stages: Stages, module: nn.MaxPool2d, value: AffineValue) -> AffineValue:
    if module.ceil_mode or module.return_indices:
        raise NotImplementedError("max pooling with ceil_mode or return_indices")
    sizes = (module.kernel_size, module.stride, module.padding, module.dilation)
    kernel, stride, padding, dilation = (_pair(size) for size in sizes)
    return stages.max_pool(value, kernel, stride, padding, dilation)


def _average_pool(_: Stages, module: nn.AvgPool2d, value: AffineValue) -> AffineValue:
    if module.ceil_mode or module.divisor_override is not None:
        raise NotImplementedError("average pooling with ceil_mode or divisor_override")
    kernel, stride, padding = (
        _pair(size) for size in (module.kernel_size, module.stride, module.padding)
    )
    return affine.average_pool(value, kernel, stride, padding, module.count_include_pad)


def _global_average(_: Stages, module: nn.AdaptiveAvgPool2d, value: AffineValue) -> AffineValue:
    if module.output_size not in (1, (1, 1)):
        raise NotImplementedError(f"adaptive average pooling to {module.output_size}")
    return affine.mean(value, (1, 2), keep=True)


def _zero_pad(_: Stages, module: nn.ConstantPad2d, value: AffineValue) -> AffineValue:
    if module.value != 0:
        raise NotImplementedError(f"padding with {module.value}")
    left, right, top, bottom = module.padding
    return affine.zero_pad(value, left, right, top, bottom)


def _unchanged(_: Stages, module: nn.Module, value: AffineValue) -> AffineValue:
    return value


def _cast(_: Stages, value: AffineValue, dtype: torch.dtype) -> AffineValue:
    return value


def _flatten(_: Stages, value: AffineValue, start_dim: int = 0, end_dim: int = -1) -> AffineValue:
    if (start_dim, end_dim) != (1, -1):
        raise NotImplementedError("only flattening from the first axis after the batch")
    return value.reshaped((-1,))


def _reshape(_: Stages, value: AffineValue, *shape: int | tuple[int, ...]) -> AffineValue:
    first = shape[0]
    sizes = first if isinstance(first, tuple | list) else shape
    if sizes[0] != -1 or len(sizes) < 2:
        raise NotImplementedError(f"reshaping to {tuple(sizes)}: -1 is expected for the batch")
    return value.reshaped(tuple(int(size) for size in sizes[1:]))  # type: ignore[arg-type]


def _permute(_: Stages, value: AffineValue, *axes: int | tuple[int, ...]) -> AffineValue:
    first = axes[0]
    order = first if isinstance(first, tuple | list) else axes
    if order[0] != 0:
        raise NotImplementedError("the batch axis must stay first")
    return value.permuted(tuple(int(axis) - 1 for axis in order[1:]))  # type: ignore[arg-type]


def _mean(
    _: Stages, value: AffineValue, dim: int | tuple[int, ...], keepdim: bool = False
) -> AffineValue:
    given = (dim,) if isinstance(dim, int) else tuple(dim)
    axes = tuple(axis - 1 if axis > 0 else axis + len(value.shape) for axis in given)
    if min(axes) < 0:
        raise NotImplementedError("a mean over the batch")
    return affine.mean(value, axes, keepdim)


def _relu(stages: Stages, value: AffineValue, inplace: bool = False) -> AffineValue:
    return stages.relu(value)


Operand = AffineValue | Tensor | float


def _value_and_constant(first: Operand, second: Operand) -> tuple[AffineValue, Vector]:
    """The two operands of a symmetric operation, the constant without its batch axis."""
    value, constant = (first, second) if isinstance(first, AffineValue) else (second, first)
    if not isinstance(value, AffineValue) or isinstance(constant, AffineValue):
        raise NotImplementedError("a product of two activations is not affine")
    array = _array(constant) if isinstance(constant, Tensor) else np.array(float(constant))
    if array.ndim > len(value.shape):
        if array.shape[0] != 1:
            raise NotImplementedError("a constant that differs over the batch")
        array = array.reshape(array.shape[1:])
    return value, array


def _add(_: Stages, first: Operand, second: Operand) -> AffineValue:
    if isinstance(first, AffineValue) and isinstance(second, AffineValue):
        return affine.add(first, second)
    return affine.shift(*_value_and_constant(first, second))


def _multiply(_: Stages, first: Operand, second: Operand) -> AffineValue:
    return affine.scale(*_value_and_constant(first, second))


def _subtract(stages: Stages, first: Operand, second: Operand) -> AffineValue:
    negative = affine.scale(second, np.array(-1.0)) if isinstance(second, AffineValue) else -second
    return _add(stages, first, negative)


def _divide(stages: Stages, first: Operand, second: Operand) -> AffineValue:
    if isinstance(second, AffineValue):
        raise NotImplementedError("division by an activation is not affine")
    return _multiply(stages, first, 1.0 / second)


_MODULES: dict[type[nn.Module], Operation] = {
    nn.Conv2d: _convolution,
    nn.Linear: _linear,
    nn.BatchNorm2d: _batch_norm,
    nn.ReLU: lambda stages, _, value: stages.relu(value),
    nn.MaxPool2d: _max_pool,
    nn.AvgPool2d: _average_pool,
    nn.AdaptiveAvgPool2d: _global_average,
    nn.ConstantPad2d: _zero_pad,
    nn.ZeroPad2d: _zero_pad,
    nn.Flatten: lambda _, module, value: _flatten(_, value, module.start_dim, module.end_dim),
    nn.Identity: _unchanged,
    nn.Dropout: _unchanged,
}

_FUNCTIONS: dict[Callable[..., Any], Operation] = {
    operator.add: _add,
    torch.add: _add,
    operator.sub: _subtract,
    torch.sub: _subtract,
    operator.mul: _multiply,
    torch.mul: _multiply,
    operator.truediv: _divide,
    torch.div: _divide,
    operator.neg: lambda _, value: affine.scale(value, np.array(-1.0)),
    torch.relu: _relu,
    functional.relu: _relu,
    torch.flatten: _flatten,
    torch.mean: _mean,
    torch.reshape: _reshape,
    torch.permute: _permute,
}

_METHODS: dict[str, Operation] = {
    "relu": _relu,
    "flatten": _flatten,
    "reshape": _reshape,
    "view": _reshape,
    "permute": _permute,
    "mean": _mean,
    "to": _cast,
    "add": _add,
    "sub": _subtract,
    "mul": _multiply,
    "div": _divide,
}

_OPERATIONS = Operations(
    _MODULES,
    _FUNCTIONS,
    _METHODS,
    expected="affine operations, ReLU and max pooling "
    f"({', '.join(sorted(module.__name__ for module in _MODULES))}, sums, products with constants, "
    "means, reshaping)",
    mend="replace the operation, or export the network without it",
)
