"""Operations of networks on values that are still affine functions of earlier layers.

Each operation takes and gives an `AffineValue`; a ReLU closes a stage and begins a new layer. Max
pooling is exact as well, since max(a, b) = a + max(b - a, 0).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from advmip.networks.staged import AffineMap, Matrix, StagedNetwork, Vector

Indices = NDArray[np.intp]
Pair = tuple[int, int]


@dataclass(frozen=True)
class AffineValue:
    """A tensor, without its batch axis, whose entries are affine in earlier layers.

    Attributes:
        map: The entries, flattened in C order.
        shape: The tensor's shape.
    """

    map: AffineMap
    shape: tuple[int, ...]

    def transformed(
        self, matrix: Matrix, bias: Vector | float, shape: tuple[int, ...]
    ) -> AffineValue:
        """The tensor matrix @ value + bias, as a tensor of the given shape."""
        terms = {layer: Matrix(matrix @ term) for layer, term in self.map.terms.items()}
        return AffineValue(AffineMap(terms, matrix @ self.map.bias + bias), shape)

    def taken(self, entries: Indices) -> AffineValue:
        """The tensor of these entries of the flattened value, in the shape of `entries`."""
        return AffineValue(self.map.rows(entries.ravel()), entries.shape)

    def reshaped(self, shape: tuple[int, ...]) -> AffineValue:
        """The same entries in another shape; one -1 stands for what is left."""
        shape = np.empty(self.shape, dtype=np.int8).reshape(shape).shape
        return AffineValue(self.map, shape)

    def permuted(self, axes: tuple[int, ...]) -> AffineValue:
        """The axes in another order, the batch axis not counted."""
        return self.taken(self.places.transpose(axes))

    @property
    def places(self) -> Indices:
        """The index of each entry in the flattened value, in the value's shape."""
        return np.arange(self.map.width).reshape(self.shape)


class Stages:
    """The stages of a network, as they are found.

    Args:
        input_shape: The shape of an image, without a batch axis.
    """

    def __init__(self, input_shape: tuple[int, ...]) -> None:
        self._input_shape = input_shape
        self._hidden: list[AffineMap] = []

    def image(self) -> AffineValue:
        """The image itself."""
        return self._layer(0, math.prod(self._input_shape)).reshaped(self._input_shape)

    def relu(self, value: AffineValue) -> AffineValue:
        """max(value, 0), entry by entry: a new layer."""
        self._hidden.append(value.map)
        return self._layer(len(self._hidden), value.map.width).reshaped(value.shape)

    def max_pool(
        self, value: AffineValue, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair
    ) -> AffineValue:
        """The largest entry of each window of (C, H, W), by rounds of pairwise maxima."""
        windows = _windows(value.shape, kernel, stride, padding, dilation)
        channels = np.arange(value.shape[0])[:, None, None]
        plane = value.shape[1] * value.shape[2]
        # A place outside the image repeats one inside the same window, which changes no maximum.
        inside = np.where(windows < 0, windows.max(axis=0), windows)
        candidates = [value.taken(channels * plane + window) for window in inside]
        while len(candidates) > 1:
            paired = zip(candidates[::2], candidates[1::2], strict=False)
            winners = [self._maximum(first, second) for first, second in paired]
            candidates = winners + candidates[len(winners) * 2 :]
        return candidates[0]

    def network(self, logits: AffineValue) -> StagedNetwork:
        """The whole network, of which these are the logits."""
        return StagedNetwork(self._input_shape, tuple(self._hidden), logits.map)

    def _maximum(self, first: AffineValue, second: AffineValue) -> AffineValue:
        excess = self.relu(add(second, scale(first, np.array(-1.0))))
        return add(first, excess)

    @staticmethod
    def _layer(layer: int, width: int) -> AffineValue:
        identity = Matrix(sparse.eye_array(width, format="csr"))
        return AffineValue(AffineMap({layer: identity}, np.zeros(width)), (width,))


def add(first: AffineValue, second: AffineValue) -> AffineValue:
    """The sum of two values, of which one may be broadcast over the other."""
    shape = np.broadcast_shapes(first.shape, second.shape)
    one, other = (
        value if value.shape == shape else value.taken(np.broadcast_to(value.places, shape))
        for value in (first, second)
    )
    terms = dict(one.map.terms)
    for layer, matrix in other.map.terms.items():
        terms[layer] = Matrix(terms[layer] + matrix) if layer in terms else matrix
    return AffineValue(AffineMap(terms, one.map.bias + other.map.bias), shape)


def shift(value: AffineValue, constant: Vector) -> AffineValue:
    """The value plus a constant that is broadcast over it."""
    shifted = np.broadcast_to(constant, value.shape).ravel()
    return AffineValue(AffineMap(value.map.terms, value.map.bias + shifted), value.shape)


def scale(value: AffineValue, factor: Vector) -> AffineValue:
    """The value times a constant that is broadcast over it."""
    factors = np.broadcast_to(factor, value.shape).ravel().astype(np.float64)
    return value.transformed(Matrix(sparse.diags_array(factors, format="csr")), 0.0, value.shape)


def linear(value: AffineValue, weight: Vector, bias: Vector | None) -> AffineValue:
    """A linear layer with weights (outputs, inputs), over the last axis of the value."""
    rows = value.map.width // weight.shape[1]
    matrix = sparse.csr_array(weight)
    if rows > 1:
        matrix = sparse.csr_array(sparse.kron(sparse.eye_array(rows), matrix, format="csr"))
    constant = 0.0 if bias is None else np.tile(bias, rows)
    return value.transformed(matrix, constant, (*value.shape[:-1], weight.shape[0]))


def convolution(
    value: AffineValue,
    weight: Vector,
    bias: Vector | None,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
) -> AffineValue:
    """A convolution with weights (outputs, inputs of a group, height, width) on (C, H, W)."""
    outputs, inputs, *kernel = weight.shape
    windows = _windows(value.shape, (kernel[0], kernel[1]), stride, padding, dilation)
    plane = value.shape[1] * value.shape[2]
    height, width = windows.shape[1:]
    positions = height * width
    # Every product of the convolution: (output channel, input channel, tap, position).
    first_input = np.arange(outputs) // (outputs // groups) * inputs
    channel = (first_input[:, None] + np.arange(inputs))[:, :, None, None]
    pixel = windows.reshape(1, 1, -1, positions)
    row = np.arange(outputs)[:, None, None, None] * positions + np.arange(positions)
    factor = weight.reshape(outputs, inputs, -1, 1)
    row, column, factor, pixel = np.broadcast_arrays(row, channel * plane + pixel, factor, pixel)
    used = (pixel >= 0) & (factor != 0)
    entries = (factor[used].astype(np.float64), (row[used], column[used]))
    matrix = Matrix(sparse.coo_array(entries, shape=(outputs * positions, value.map.width)))
    constant = 0.0 if bias is None else np.repeat(bias, positions)
    return value.transformed(matrix, constant, (outputs, height, width))


def average_pool(
    value: AffineValue, kernel: Pair, stride: Pair, padding: Pair, padding_counts: bool
) -> AffineValue:
    """The mean of each window of (C, H, W), of the whole window or of what lies in the image."""
    channels = value.shape[0]
    taps = kernel[0] * kernel[1]
    weight = np.full((channels, 1, *kernel), 1.0 / taps)
    pooled = convolution(value, weight, None, stride, padding, (1, 1), channels)
    if padding_counts:
        return pooled
    windows = _windows(value.shape, kernel, stride, padding, (1, 1))
    return scale(pooled, taps / (windows >= 0).sum(axis=0))


def mean(value: AffineValue, axes: tuple[int, ...], keep: bool) -> AffineValue:
    """The mean over some axes, the batch axis not counted."""
    places = value.places
    averaged = [places.shape[axis] for axis in axes]
    moved = np.moveaxis(places, axes, range(-len(axes), 0)).reshape(-1, math.prod(averaged))
    rows = np.repeat(np.arange(len(moved)), moved.shape[1])
    entries = (np.full(moved.size, 1.0 / moved.shape[1]), (rows, moved.ravel()))
    matrix = Matrix(sparse.coo_array(entries, shape=(len(moved), value.map.width)))
    shape = places.mean(axis=axes, keepdims=keep).shape
    return value.transformed(matrix, 0.0, shape)


def zero_pad(value: AffineValue, left: int, right: int, top: int, bottom: int) -> AffineValue:
    """The value (C, H, W) with zeros around each plane."""
    margins = ((0, 0), (top, bottom), (left, right))
    places = np.pad(value.places, margins, constant_values=-1)
    inside = np.flatnonzero(places >= 0)
    entries = (np.ones(inside.size), (inside, places.ravel()[inside]))
    matrix = Matrix(sparse.coo_array(entries, shape=(places.size, value.map.width)))
    return value.transformed(matrix, 0.0, places.shape)


def _windows(
    shape: tuple[int, ...], kernel: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> Indices:
    """The place in the plane that each tap of each window reads, -1 outside: (taps, H', W')."""
    height, width = shape[-2:]
    down, across = (
        stride[axis] * np.arange(_window_count(size, axis, kernel, stride, padding, dilation))
        - padding[axis]
        for axis, size in enumerate((height, width))
    )
    tap = np.indices(kernel).reshape(2, -1)
    row = tap[0][:, None, None] * dilation[0] + down[None, :, None]
    column = tap[1][:, None, None] * dilation[1] + across[None, None, :]
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    return np.where(inside, row * width + column, -1)


def _window_count(
    size: int, axis: int, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> int:
    reach = dilation[axis] * (kernel[axis] - 1) + 1
    return (size + 2 * padding[axis] - reach) // stride[axis] + 1
