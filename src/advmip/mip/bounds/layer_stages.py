"""The affine stages of a network by its own layers: to train it through its bounds."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from advmip.mip.bounds.operators import (
    ComposedOperator,
    ConvolutionOperator,
    DenseOperator,
    DiagonalOperator,
    IdentityOperator,
    Operator,
    Stage,
    SummedOperator,
)
from advmip.networks.graph_reader import GraphReader, Operations
from advmip.networks.network import Network


def layer_stages(network: Network) -> list[Stage]:
    """The stages of a network, the logits last; gradients go through to its weights.

    Maps stay convolutions, sums and the like. Intervals of what several of them make of one layer
    may therefore be wider than those of `matrix_stages`, where it is one matrix.

    Args:
        network: Convolutions, linear layers, ReLUs, flattening and sums, in any order.

    Raises:
        InputError: The network has another operation; the message names it and where it stands.
    """
    stages = _Stages(network)
    logits = GraphReader(fx.symbolic_trace(network.body), stages, _OPERATIONS).run(stages.pixels())
    return [*stages.hidden, logits.stage]


@dataclass(frozen=True)
class _Value:
    """A tensor, without its batch axis, whose entries are affine in earlier layers.

    Attributes:
        stage: The entries, flattened.
        shape: The tensor's shape.
    """

    stage: Stage
    shape: tuple[int, ...]

    def transformed(self, outer: Operator, bias: Tensor, shape: tuple[int, ...]) -> _Value:
        """The tensor outer(value) + bias, as a tensor of the given shape."""
        terms = {
            layer: outer if isinstance(term, IdentityOperator) else ComposedOperator(outer, term)
            for layer, term in self.stage.terms.items()
        }
        return _Value(Stage(terms, outer.applied(self.stage.bias[None])[0] + bias), shape)


class _Stages:
    """The stages of a network, as they are found."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.hidden: list[Stage] = []

    def pixels(self) -> _Value:
        """What the body takes: the image's pixels, normalised."""
        network, shape = self._network, self._network.architecture.input_shape
        mean, std = (each.expand(1, *shape).flatten() for each in (network.mean, network.std))
        return self._layer(0, shape).transformed(DiagonalOperator(1.0 / std), -mean / std, shape)

    def relu(self, value: _Value) -> _Value:
        """max(value, 0), entry by entry: a new layer."""
        self.hidden.append(value.stage)
        return self._layer(len(self.hidden), value.shape)

    def _layer(self, layer: int, shape: tuple[int, ...]) -> _Value:
        zeros = self._network.mean.new_zeros(math.prod(shape))
        return _Value(Stage({layer: IdentityOperator(zeros + 1.0)}, zeros), shape)


def _convolution(_: _Stages, module: nn.Conv2d, value: _Value) -> _Value:
    channels, height, width = value.shape
    outer = ConvolutionOperator(module, (channels, height, width))
    bias = _bias(module).repeat_interleave(math.prod(outer.outputs[1:]))
    return value.transformed(outer, bias, outer.outputs)


def _linear(_: _Stages, module: nn.Linear, value: _Value) -> _Value:
    if len(value.shape) > 1:
        raise NotImplementedError("a linear layer of values that are not flattened")
    return value.transformed(DenseOperator(module.weight), _bias(module), (module.out_features,))


def _bias(module: nn.Conv2d | nn.Linear) -> Tensor:
    return module.weight.new_zeros(len(module.weight)) if module.bias is None else module.bias


def _flatten(_: _Stages, value: _Value, start_dim: int = 0, end_dim: int = -1) -> _Value:
    if (start_dim, end_dim) != (1, -1):
        raise NotImplementedError("only flattening from the first axis after the batch")
    return _Value(value.stage, (value.stage.width,))


def _add(_: _Stages, first: _Value, second: _Value) -> _Value:
    if not (isinstance(first, _Value) and isinstance(second, _Value)):
        raise NotImplementedError("a sum with a constant")
    if first.shape != second.shape:
        raise NotImplementedError(f"a sum of shapes {first.shape} and {second.shape}")
    terms = dict(first.stage.terms)
    for layer, term in second.stage.terms.items():
        terms[layer] = SummedOperator(terms[layer], term) if layer in terms else term
    return _Value(Stage(terms, first.stage.bias + second.stage.bias), first.shape)


def _relu(stages: _Stages, value: _Value, inplace: bool = False) -> _Value:
    return stages.relu(value)


_OPERATIONS = Operations(
    modules={
        nn.Conv2d: _convolution,
        nn.Linear: _linear,
        nn.ReLU: lambda stages, _, value: stages.relu(value),
        nn.Flatten: lambda _, module, value: _flatten(_, value, module.start_dim, module.end_dim),
    },
    functions={
        operator.add: _add,
        torch.add: _add,
        torch.relu: _relu,
        functional.relu: _relu,
        torch.flatten: _flatten,
    },
    methods={"add": _add, "relu": _relu, "flatten": _flatten},
    expected="convolutions, linear layers, ReLU, flattening and sums of these",
    mend="train another architecture through its bounds",
)
