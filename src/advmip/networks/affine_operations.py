"""Operations of networks on values that are still affine functions of earlier layers.

Each operation takes and gives an `AffineValue`; a ReLU closes a stage and begins a new layer. What
is piecewise linear is exact as well: max(a, b) = a + max(b - a, 0).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor
from torch.fx.node import map_aggregate

from advmip.networks.staged import AffineMap, Matrix, StagedNetwork, Vector

Indices = NDArray[np.intp]
Sizes = tuple[int, ...]


@dataclass(frozen=True)
class AffineValue:
    """A tensor, without its batch axis, whose entries are affine in earlier layers.

    Attributes:
        map: The entries, flattened in C order.
        shape: The tensor's shape.
    """

    map: AffineMap
    shape: Sizes

    def transformed(self, matrix: Matrix, bias: Vector | float, shape: Sizes) -> AffineValue:
        """The tensor matrix @ value + bias, as a tensor of the given shape."""
        terms = {layer: Matrix(matrix @ term) for layer, term in self.map.terms.items()}
        return AffineValue(AffineMap(terms, matrix @ self.map.bias + bias), shape)

    def taken(self, entries: Indices) -> AffineValue:
        """The tensor of these entries of the flattened value, in the shape of `entries`."""
        if np.array_equal(entries.ravel(), np.arange(self.map.width)):
            return AffineValue(self.map, entries.shape)
        return AffineValue(self.map.rows(entries.ravel()), entries.shape)

    def broadcast(self, shape: Sizes) -> AffineValue:
        """The value repeated along axes until it has this shape."""
        return self.taken(np.broadcast_to(self.places, shape))

    @property
    def places(self) -> Indices:
        """The index of each entry in the flattened value, in the value's shape."""
        return np.arange(self.map.width).reshape(self.shape)


@dataclass(frozen=True)
class Windows:
    """How a convolution or pooling moves over planes of any number of axes, a size for each.

    Attributes:
        kernel: How many places a window reads.
        stride: Its steps.
        padding: How far it reaches over the plane, on both sides.
        dilation: The distance of the places that it reads.
        rounded_up: Whether a last window may reach beyond the padding.
    """

    kernel: Sizes
    stride: Sizes
    padding: Sizes
    dilation: Sizes
    rounded_up: bool = False

    def starts(self, plane: Sizes) -> list[Indices]:
        """Where the windows begin along each axis, the first in the padding."""
        return [
            stride * np.arange(self._count(axis, size)) - padding
            for axis, (size, stride, padding) in enumerate(
                zip(plane, self.stride, self.padding, strict=True)
            )
        ]

    def _count(self, axis: int, size: int) -> int:
        reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1
        stride, padding = self.stride[axis], self.padding[axis]
        room = size + 2 * padding - reach
        if not self.rounded_up:
            return room // stride + 1
        count = -(-room // stride) + 1
        return count - 1 if (count - 1) * stride >= size + padding else count

    def places(self, plane: Sizes) -> Indices:
        """The place in the plane that each tap of each window reads, -1 outside: (taps, ...)."""
        starts = self.starts(plane)
        taps = np.indices(self.kernel).reshape(len(plane), -1)
        read = np.zeros(1, dtype=np.intp)
        inside = np.ones(1, dtype=np.bool_)
        for axis, (size, start) in enumerate(zip(plane, starts, strict=True)):
            tap = np.expand_dims(taps[axis] * self.dilation[axis], tuple(range(1, len(plane) + 1)))
            others = tuple(each for each in range(len(plane)) if each != axis)
            index = tap + np.expand_dims(start, others)
            inside = inside & (index >= 0) & (index < size)
            read = read * size + index
        return np.where(inside, read, -1)


class Stages:
    """The stages of a network, as they are found.

    Args:
        input_shape: The shape of an image, without a batch axis.
    """

    def __init__(self, input_shape: Sizes) -> None:
        self._input_shape = input_shape
        self._hidden: list[AffineMap] = []

    def image(self) -> AffineValue:
        """The image itself."""
        return self._layer(0, self._input_shape)

    def relu(self, value: AffineValue) -> AffineValue:
        """max(value, 0), entry by entry: a new layer."""
        self._hidden.append(_finite(value.map))
        return self._layer(len(self._hidden), value.shape)

    def leaky_relu(self, value: AffineValue, slope: Vector) -> AffineValue:
        """The value where it is above 0, else the value times a slope that is broadcast over it."""
        return add(scale(value, slope), scale(self.relu(value), 1.0 - slope))

    def clamp(self, value: AffineValue, lower: Vector | None, upper: Vector | None) -> AffineValue:
        """The value, but nowhere below or above constants that are broadcast over it."""
        if lower is None and upper is None:
            return value
        if lower is None or upper is None:
            sign, limit = (1.0, lower) if lower is not None else (-1.0, upper)
            excess = self.relu(scale(shift(value, -np.asarray(limit)), np.array(sign)))
            return shift(scale(excess, np.array(sign)), np.asarray(limit))
        lower = np.minimum(lower, upper)
        # a + max(x - a, 0) - max(x - b, 0): both of them in one layer.
        above = [shift(value, -lower), shift(value, -upper)]
        both = self.relu(AffineValue(joined(above), (2, *above[0].shape)))
        first, second = (both.taken(places) for places in both.places)
        return shift(add(first, scale(second, np.array(-1.0))), lower)

    def maximum(self, first: AffineValue, second: AffineValue) -> AffineValue:
        """The larger of two values, entry by entry."""
        excess = self.relu(add(second, scale(first, np.array(-1.0))))
        return add(first, excess)

    def largest(self, candidates: Sequence[AffineValue]) -> AffineValue:
        """The largest of several values, by rounds of pairwise maxima."""
        candidates = list(candidates)
        while len(candidates) > 1:
            paired = zip(candidates[::2], candidates[1::2], strict=False)
            winners = [self.maximum(first, second) for first, second in paired]
            candidates = winners + candidates[len(winners) * 2 :]
        return candidates[0]

    def max_pool(self, value: AffineValue, windows: Windows) -> AffineValue:
        """The largest entry of each window of (C, ...); an entry of minus infinity is none."""
        places = windows.places(value.shape[1:])[:, None]
        channels = np.arange(value.shape[0]).reshape(-1, *(1 for _ in value.shape[1:]))
        entries = np.where(places < 0, -1, channels * math.prod(value.shape[1:]) + places)
        entries[np.isneginf(value.map.bias[entries])] = -1
        one_inside = entries.max(axis=0)
        if (one_inside < 0).any():
            raise ValueError("a window that lies in the padding altogether")
        # A place outside the image repeats one inside the same window, which changes no maximum.
        return self.largest([value.taken(np.where(tap < 0, one_inside, tap)) for tap in entries])

    def network(self, logits: AffineValue) -> StagedNetwork:
        """The whole network, of which these are the logits."""
        return StagedNetwork(self._input_shape, tuple(self._hidden), _finite(logits.map))

    @staticmethod
    def _layer(layer: int, shape: Sizes) -> AffineValue:
        width = math.prod(shape)
        identity = Matrix(sparse.eye_array(width, format="csr"))
        return AffineValue(AffineMap({layer: identity}, np.zeros(width)), shape)


def _finite(entering: AffineMap) -> AffineMap:
    if not np.isfinite(entering.bias).all():
        raise ValueError("a constant that is NaN or infinite")
    return entering


def constant(array: Vector) -> AffineValue:
    """A value that depends on no layer."""
    return AffineValue(AffineMap({}, np.ravel(array)), array.shape)


def joined(values: Sequence[AffineValue]) -> AffineMap:
    """The entries of several values, one value after another."""
    if len(values) == 1:
        return values[0].map
    widths = {
        layer: matrix.shape[1] for value in values for layer, matrix in value.map.terms.items()
    }
    terms = {}
    for layer, width in widths.items():
        parts = [
            value.map.terms.get(layer, sparse.csr_array((value.map.width, width)))
            for value in values
        ]
        terms[layer] = Matrix(sparse.vstack(parts, format="csr"))
    return AffineMap(terms, np.concatenate([value.map.bias for value in values]))


def moved(function: Callable[..., Any], *args: Any, fill: float = 0.0, **kwargs: Any) -> Any:
    """What a function that only moves entries gives, which torch itself is asked for.

    The function is called on the places of the entries, in a batch of two images.

    Args:
        function: Of torch, such as `torch.permute`.
        args: Its arguments, with `AffineValue`s for tensors.
        fill: What a place of -1 stands for, which a function may pad with.
        kwargs: More of them.

    Returns:
        A value, or several if the function gives several.

    Raises:
        ValueError: The function mixes the images of a batch.
    """
    values: list[AffineValue] = []

    def noted(argument: Any) -> Any:
        if isinstance(argument, AffineValue):
            values.append(argument)
        return argument

    map_aggregate((args, kwargs), noted)
    begins = iter(np.cumsum([0, *(value.map.width for value in values)]))
    width = sum(value.map.width for value in values)

    def placed(argument: Any) -> Any:
        if not isinstance(argument, AffineValue):
            return argument
        first = torch.from_numpy(np.asarray(argument.places + next(begins))).double()
        return torch.stack([first, first + width])

    args, kwargs = map_aggregate((args, kwargs), placed)
    found = function(*args, **kwargs)
    entries = AffineValue(joined(values), (width,))
    if isinstance(found, Tensor):
        return _entries(entries, found, fill)
    return tuple(_entries(entries, each, fill) for each in found)


def _entries(value: AffineValue, places: Tensor, fill: float) -> AffineValue:
    """The entries at places (2, ...) of two images, which must be the same in both of them."""
    if places.ndim == 0 or len(places) != 2:
        raise ValueError("the batch, which is no longer the first axis")
    first, second = places.long().numpy()
    if not np.array_equal(np.where(first < 0, -1, first + value.map.width), second):
        raise ValueError("images of a batch that are mixed")
    if (first >= 0).all():
        return value.taken(first)
    inside = np.flatnonzero(first >= 0)
    entries = (np.ones(inside.size), (inside, first.ravel()[inside]))
    matrix = Matrix(sparse.coo_array(entries, shape=(first.size, value.map.width)))
    return value.transformed(matrix, np.where(first.ravel() < 0, fill, 0.0), first.shape)


def add(first: AffineValue, second: AffineValue) -> AffineValue:
    """The sum of two values, of which one may be broadcast over the other."""
    if len(first.shape) != len(second.shape):
        raise ValueError(f"values of shapes {first.shape} and {second.shape} behind the batch")
    shape = np.broadcast_shapes(first.shape, second.shape)
    one, other = (
        value if value.shape == shape else value.broadcast(shape) for value in (first, second)
    )
    terms = dict(one.map.terms)
    for layer, matrix in other.map.terms.items():
        terms[layer] = Matrix(terms[layer] + matrix) if layer in terms else matrix
    return AffineValue(AffineMap(terms, one.map.bias + other.map.bias), shape)


def shift(value: AffineValue, constant: Vector) -> AffineValue:
    """The value plus a constant; either may be broadcast over the other."""
    value = _beside(value, constant)
    shifted = np.broadcast_to(constant, value.shape).ravel()
    return AffineValue(AffineMap(value.map.terms, value.map.bias + shifted), value.shape)


def scale(value: AffineValue, factor: Vector) -> AffineValue:
    """The value times a constant; either may be broadcast over the other."""
    value = _beside(value, factor)
    factors = np.broadcast_to(factor, value.shape).ravel().astype(np.float64)
    return value.transformed(Matrix(sparse.diags_array(factors, format="csr")), 0.0, value.shape)


def _beside(value: AffineValue, constant: Vector) -> AffineValue:
    shape = np.broadcast_shapes(value.shape, np.shape(constant))
    if len(shape) > len(value.shape):
        raise ValueError(f"a constant of shape {np.shape(constant)} over the batch")
    return value if shape == value.shape else value.broadcast(shape)


def linear(value: AffineValue, weight: Vector, bias: Vector | None) -> AffineValue:
    """A linear layer with weights (outputs, inputs), over the last axis of the value."""
    if value.shape[-1:] != weight.shape[1:]:
        raise ValueError(f"weights of shape {weight.shape} for a value of shape {value.shape}")
    rows = math.prod(value.shape[:-1])
    matrix = sparse.csr_array(weight)
    if rows > 1:
        matrix = sparse.csr_array(sparse.kron(sparse.eye_array(rows), matrix, format="csr"))
    constant = 0.0 if bias is None else np.tile(bias, rows)
    return value.transformed(matrix, constant, (*value.shape[:-1], weight.shape[0]))


def convolution(
    value: AffineValue, weight: Vector, bias: Vector | None, windows: Windows, groups: int
) -> AffineValue:
    """A convolution with weights (outputs, inputs of a group, ...) on (C, ...)."""
    outputs, inputs = weight.shape[:2]
    places = windows.places(value.shape[1:])
    plane, positions = math.prod(value.shape[1:]), math.prod(places.shape[1:])
    # Every product of the convolution: (output channel, input channel, tap, position).
    first_input = np.arange(outputs) // (outputs // groups) * inputs
    channel = (first_input[:, None] + np.arange(inputs))[:, :, None, None]
    pixel = places.reshape(1, 1, -1, positions)
    row = np.arange(outputs)[:, None, None, None] * positions + np.arange(positions)
    factor = weight.reshape(outputs, inputs, -1, 1)
    row, column, factor, pixel = np.broadcast_arrays(row, channel * plane + pixel, factor, pixel)
    used = (pixel >= 0) & (factor != 0)
    entries = (factor[used].astype(np.float64), (row[used], column[used]))
    matrix = Matrix(sparse.coo_array(entries, shape=(outputs * positions, value.map.width)))
    constant = 0.0 if bias is None else np.repeat(bias, positions)
    return value.transformed(matrix, constant, (outputs, *places.shape[1:]))


def average_pool(
    value: AffineValue, windows: Windows, padding_counts: bool, divisor: int | None = None
) -> AffineValue:
    """The mean of each window of (C, ...), of what lies in the image or in the padding as well.

    Args:
        value: The value.
        windows: The windows.
        padding_counts: Whether zeros in the padding count.
        divisor: What sums are divided by instead.
    """
    channels, *plane = value.shape
    taps = math.prod(windows.kernel)
    weight = np.full((channels, 1, *windows.kernel), 1.0 / taps)
    pooled = convolution(value, weight, None, windows, channels)
    if divisor is not None:
        return scale(pooled, np.array(taps / divisor))
    if padding_counts:
        counted = np.ones(())
        for size, start, kernel, padding in zip(
            plane, windows.starts(tuple(plane)), windows.kernel, windows.padding, strict=True
        ):
            counted = counted[..., None] * (np.minimum(start + kernel, size + padding) - start)
    else:
        counted = (windows.places(tuple(plane)) >= 0).sum(axis=0).astype(np.float64)
    return pooled if (counted == taps).all() else scale(pooled, taps / counted)


def weighted_sum(
    value: AffineValue, axes: tuple[int, ...], keep: bool, weight: float
) -> AffineValue:
    """The sum over some axes, the batch axis not counted, times a weight."""
    places = value.places
    summed = _axes_first(places, axes)
    rows = np.tile(np.arange(summed.shape[1]), len(summed))
    entries = (np.full(summed.size, weight), (rows, summed.ravel()))
    matrix = Matrix(sparse.coo_array(entries, shape=(summed.shape[1], value.map.width)))
    return value.transformed(matrix, 0.0, places.sum(axis=axes, keepdims=keep).shape)


def along(value: AffineValue, axes: tuple[int, ...], keep: bool) -> list[AffineValue]:
    """The entries of the value along some axes, each a value without them, or of length 1 there."""
    places = value.places
    shape = places.sum(axis=axes, keepdims=keep).shape
    return [value.taken(each.reshape(shape)) for each in _axes_first(places, axes)]


def _axes_first(places: Indices, axes: tuple[int, ...]) -> Indices:
    """The places with some axes as the first and all others as the second."""
    length = math.prod(places.shape[axis] for axis in axes)
    return np.moveaxis(places, axes, range(len(axes))).reshape(length, -1)
