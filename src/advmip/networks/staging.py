"""From a torch module to its staged form: the module's graph, read operation by operation."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.func import functional_call
from torch.nn import functional

from advmip.errors import InputError
from advmip.networks import torch_operations as operations
from advmip.networks.affine_operations import Stages
from advmip.networks.graph_reader import GraphReader, Operation, Operations
from advmip.networks.network import Network
from advmip.networks.staged import StagedNetwork


def staged(network: nn.Module) -> StagedNetwork:
    """The staged form of a network: the same function, as affine maps and ReLUs.

    It is kept as long as the network is and its weights stay the same: many attacks share it.

    Args:
        network: A network in evaluation mode.

    Raises:
        InputError: The network has an operation that is neither affine nor piecewise linear; the
            message names it and where it stands.
    """
    if not isinstance(network, Network):
        raise InputError(
            subject=f"module {type(network).__name__}",
            found="no image that would tell the shape of its input",
            expected="a network",
            mend="make one with advmip.from_torch(module, input_shape)",
        )
    digest, form = _KEPT.get(network, ("", None))
    if form is None or digest != network.digest:
        stages = Stages(network.architecture.input_shape)
        graph = fx.symbolic_trace(network).eval()
        form = stages.network(GraphReader(graph, stages, OPERATIONS).run(stages.image()))
        _check_same(network, form)
        _KEPT[network] = network.digest, form
    return form


_KEPT: WeakKeyDictionary[Network, tuple[str, StagedNetwork]] = WeakKeyDictionary()


@torch.no_grad()
def _check_same(network: Network, form: StagedNetwork) -> None:
    """Check that both are one function, at a point: code may do what its graph does not say."""
    image = np.random.default_rng(0).random(form.input_shape)
    tensors = (*network.named_parameters(), *network.named_buffers())
    double = {name: each.double() if each.is_floating_point() else each for name, each in tensors}
    point = torch.from_numpy(image[None]).to(network.mean.device)
    expected = functional_call(network, double, (point,)).cpu().double().numpy().ravel()
    found = form.logits(image.ravel())
    if not np.allclose(found, expected, rtol=0.0, atol=_SAME * (1.0 + np.abs(expected).max())):
        raise InputError(
            subject=f"network {network.architecture.name}",
            found=f"outputs that differ by {np.abs(found - expected).max():.3g} from those of its "
            "operations, read one by one",
            expected="operations that leave their inputs as they are",
            mend="replace operations in place on values that are read again",
        )


# By how much they may differ, relative to the outputs: parts may be computed in float32.
_SAME = 1e-4

# What only moves entries, as functions and as methods of tensors.
_MOVING = (
    "broadcast_to",
    "chunk",
    "flatten",
    "flip",
    "index_select",
    "movedim",
    "narrow",
    "permute",
    "repeat_interleave",
    "reshape",
    "roll",
    "select",
    "split",
    "squeeze",
    "swapaxes",
    "transpose",
    "unbind",
    "unflatten",
    "unsqueeze",
)
_MOVING_METHODS = (*_MOVING, "expand", "repeat", "view")
_UNCHANGED = ("clone", "contiguous", "detach", "double", "float", "to", "type", "type_as")

# By the name of the function, and of the method of tensors.
_NAMED: dict[str, Operation] = {
    "abs": operations.absolute,
    "add": operations.add,
    "amax": operations.largest,
    "clamp": operations.clamp,
    "clip": operations.clamp,
    "div": operations.divide,
    "matmul": operations.matmul,
    "maximum": operations.maximum,
    "mean": operations.mean,
    "minimum": operations.minimum,
    "mul": operations.multiply,
    "neg": operations.negative,
    "prelu": operations.prelu,
    "relu": operations.relu,
    "sub": operations.subtract,
    "sum": operations.total,
}

_OPERATORS = ("abs", "add", "matmul", "mul", "neg", "sub")

_FUNCTIONS: dict[Callable[..., Any], Operation] = {
    **{getattr(torch, name): operations.moving(getattr(torch, name)) for name in _MOVING},
    **{getattr(torch, name): operation for name, operation in _NAMED.items()},
    **{getattr(operator, name): _NAMED[name] for name in _OPERATORS},
    operator.truediv: operations.divide,
    operator.getitem: operations.item,
    getattr: operations.attribute,
    torch.cat: operations.concatenation,
    torch.stack: operations.moving(torch.stack),
    torch.flatten: operations.moving(torch.flatten),
    torch.pixel_shuffle: operations.moving(torch.pixel_shuffle),
    torch.channel_shuffle: operations.moving(torch.channel_shuffle),
    torch.batch_norm: operations.batch_norm,
    torch.relu_: operations.relu,
    functional.adaptive_avg_pool1d: operations.adaptive_average_pool,
    functional.adaptive_avg_pool2d: operations.adaptive_average_pool,
    functional.adaptive_avg_pool3d: operations.adaptive_average_pool,
    functional.avg_pool1d: operations.average_pool,
    functional.avg_pool2d: operations.average_pool,
    functional.avg_pool3d: operations.average_pool,
    functional.batch_norm: operations.batch_norm,
    functional.conv1d: operations.convolution,
    functional.conv2d: operations.convolution,
    functional.conv3d: operations.convolution,
    functional.dropout: operations.dropout,
    functional.dropout2d: operations.dropout,
    functional.hardtanh: operations.hardtanh,
    functional.interpolate: operations.interpolate,
    functional.leaky_relu: operations.leaky_relu,
    functional.linear: operations.linear,
    functional.max_pool1d: operations.max_pool,
    functional.max_pool2d: operations.max_pool,
    functional.max_pool3d: operations.max_pool,
    functional.pad: operations.pad,
    functional.relu: operations.relu,
    functional.relu6: operations.relu6,
}

_METHODS: dict[str, Operation] = {
    **{name: operations.moving(getattr(Tensor, name)) for name in _MOVING_METHODS},
    **dict.fromkeys(_UNCHANGED, operations.unchanged),
    **_NAMED,
    **{f"{name}_": operation for name, operation in _NAMED.items()},  # in place
    "size": operations.size,
}

_MODULES: dict[type[nn.Module], Operation] = dict.fromkeys(
    (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d), operations.batch_norm_layer
)

OPERATIONS = Operations(
    _MODULES,
    _FUNCTIONS,
    _METHODS,
    expected="what is affine or piecewise linear: linear layers, convolutions, batch norm, average "
    "and max pooling, ReLUs, leaky ReLUs and clamps, sums, products with constants, and whatever "
    "only moves entries",
    mend="replace the operation, or leave it out of the network",
)
