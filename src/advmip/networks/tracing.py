"""Networks from modules of torch, whose code is traced once and read as a graph."""

from __future__ import annotations

import copy
import logging
import operator
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import fx, nn

from advmip.errors import InputError, one_line
from advmip.layout import Shape
from advmip.networks.files import check_values
from advmip.networks.graphs import network_of_graph
from advmip.networks.network import Network

_log = logging.getLogger(__name__)


def from_torch(
    module: nn.Module,
    input_shape: Sequence[int] = (1, 28, 28),
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    layout: str | None = None,
) -> Network:
    """A network from any module of torch that is affine or piecewise linear.

    The module is copied, put in evaluation mode and traced; it stays as it is. A last softmax or
    sigmoid is left out, which changes no order of the outputs and is logged (`left_out` of the
    network's architecture).

    Args:
        module: Takes images (N, ...) of the input's shape, in batches of any size.
        input_shape: The shape of an image, without a batch axis.
        mean: What is subtracted from images in [0, 1], one number or one for each channel (the
            first axis), where the module does not do so itself; 0 if left out.
        std: What they are then divided by, above 0; 1 if left out.
        layout: What the axes of an image mean (`load_network`); found from the module's layers if
            left out.

    Returns:
        The network, frozen: in evaluation mode, without gradients of the weights.

    Raises:
        InputError: The module has an operation that is not supported, which is named with its
            place; its code cannot be traced, since it depends on the image's values; a weight is
            not finite; or the shape, the mean or the layout does not fit.
    """
    if not isinstance(module, nn.Module):
        raise InputError(
            subject="network",
            found=f"a {type(module).__name__}",
            expected="a torch.nn.Module",
            mend="give the module itself, or load a file with advmip.load_network",
        )
    subject = f"module {type(module).__name__}"
    shape = _checked_shape(input_shape, subject)
    own = _own_copy(module, subject)
    network = network_of_graph(
        _traced(own, subject),
        name="torch",
        title=type(module).__name__,
        input_shape=shape,
        mean=_by_channel("mean", mean, 0.0, shape, subject),
        std=_by_channel("std", std, 1.0, shape, subject),
        layout=layout,
        subject=subject,
    )
    if not network.architecture.left_out:
        _check_same(network, own, subject)
    return network


def as_network(network: nn.Module, image_shape: Sequence[int] | None = None) -> Network:
    """A network as it is, or from a module of torch that takes images of this shape.

    Args:
        network: A network, or any module that `from_torch` takes.
        image_shape: The shape of an image; None where none is known.

    Raises:
        InputError: There is no network to be had from it.
    """
    if isinstance(network, Network):
        return network
    if isinstance(network, nn.Module) and image_shape is None:
        raise InputError(
            subject=f"module {type(network).__name__}",
            found="no image that would tell the shape of its input",
            expected="a network",
            mend="make one with advmip.from_torch(module, input_shape)",
        )
    made = from_torch(network, image_shape or ())
    kept = _KEPT.get(network)
    # The one that is kept has its staged form already.
    if kept is None or (kept.digest, kept.layout.shape) != (made.digest, made.layout.shape):
        _KEPT[network] = kept = made
    return kept


def as_classifier(network: nn.Module, image_shape: Sequence[int] | None = None) -> Network:
    """What `as_network` gives, if it tells classes apart.

    Raises:
        InputError: There is no network to be had, or it has a single output.
    """
    classifier = as_network(network, image_shape)
    if classifier.outputs() == 1:
        raise InputError(
            subject=f"network {classifier.architecture.paper_name}",
            found="a single output, and so no classes",
            expected="at least two outputs, one for each class",
            mend="if its sign tells two classes apart, take network.with_two_classes()",
        )
    return classifier


def as_function(network: nn.Module, image_shape: Sequence[int] | None = None) -> Network:
    """What `as_network` gives, if its outputs are the very numbers that the module or file gives.

    Raises:
        InputError: There is no network to be had, or a last softmax or sigmoid is left out of it.
    """
    function = as_network(network, image_shape)
    left_out = function.architecture.left_out
    if left_out:
        raise InputError(
            subject=f"network {function.architecture.paper_name}",
            found=f"a network that is read without its last {left_out}, which no program can state",
            expected="the numbers that a property speaks of",
            mend=f"leave the {left_out} out, and write the property for what enters it",
        )
    return function


_KEPT: WeakKeyDictionary[nn.Module, Network] = WeakKeyDictionary()


def _checked_shape(shape: Any, subject: str) -> Shape:
    try:
        sizes = tuple(operator.index(size) for size in shape)
    except TypeError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise InputError(
            subject=f"{subject}, shape of the input",
            found=str(shape),
            expected="a length above 0 for each axis of an image, such as (1, 28, 28) or (5,)",
            mend="correct input_shape, which has no batch axis",
        )
    return sizes


def _by_channel(
    name: str, values: float | Sequence[float] | None, default: float, shape: Shape, subject: str
) -> tuple[float, ...]:
    """A number for each channel."""
    given = torch.as_tensor(default if values is None else values, dtype=torch.float64).flatten()
    fits = len(given) in (1, shape[0]) and bool(given.isfinite().all())
    if not fits or (name == "std" and bool((given <= 0).any())):
        raise InputError(
            subject=f"{subject}, {name}",
            found=str(values),
            expected=f"one finite number, or one for each of {shape[0]} channels"
            + (", above 0" if name == "std" else ""),
            mend=f"correct {name}, or let the module normalise its images itself",
        )
    return tuple(float(value) for value in given.expand(shape[0]))


def _own_copy(module: nn.Module, subject: str) -> nn.Module:
    """The module as it classifies, apart from the user's, in float32 or float64."""
    tensors = [*module.named_parameters(), *module.named_buffers()]
    for name, tensor in tensors:
        if nn.parameter.is_lazy(tensor):
            raise InputError(
                subject=f"{subject}, layer {name}",
                found="weights that are not there yet",
                expected="a trained network",
                mend="train the module, or load its weights",
            )
        check_values(name, tensor, subject)
    own = copy.deepcopy(module).cpu().eval()
    kinds = {tensor.dtype for _, tensor in tensors if tensor.is_floating_point()}
    if kinds - {torch.float32, torch.float64}:
        _log.info("%s: its numbers of 16 bits are computed in float32", subject)
        own = own.float()
    # A layer by itself would be traced to what it consists of.
    return nn.Sequential(own) if fx.Tracer().is_leaf_module(own, "") else own


def _traced(module: nn.Module, subject: str) -> fx.GraphModule:
    try:
        graph = fx.symbolic_trace(module)
    except Exception as error:  # whatever the module's code raises where it meets no tensor
        raise InputError(
            subject=f"{subject}{_line(error)}",
            found=f"code that cannot be traced ({one_line(error)})",
            expected="a forward that does the same for every image: no branch, loop or number that "
            "depends on its values",
            mend="write it with operations of torch alone, or export the network to ONNX",
        ) from error
    inputs = [node for node in graph.graph.nodes if node.op == "placeholder" and not node.args]
    if len(inputs) != 1:
        raise InputError(
            subject=f"{subject}, inputs",
            found=", ".join(str(node.target) for node in inputs) or "none",
            expected="one input, the images",
            mend="wrap the module in one that takes images alone",
        )
    return graph


def _line(error: Exception) -> str:
    """The line of the user's code that raised an error."""
    torch_itself = Path(torch.__file__).parent
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame
        for frame in frames
        if torch_itself not in Path(frame.filename).parents and frame.filename != __file__
    ]
    if not own:
        return ""
    return f", line {own[-1].lineno} of {Path(own[-1].filename).name}: {own[-1].line}"


@torch.no_grad()
def _check_same(network: Network, module: nn.Module, subject: str) -> None:
    """Check that a graph computes what the module does, which may depend on more than images."""
    shape = (2, *network.layout.shape)
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=network.mean.dtype)
    found, expected = network.body(images), module(images).reshape(2, -1)
    if not torch.allclose(found, expected, rtol=1e-3, atol=1e-5, equal_nan=True):
        raise InputError(
            subject=subject,
            found=f"outputs that differ by {float((found - expected).abs().max()):.3g} from one "
            "run to the next",
            expected="the same outputs for the same images",
            mend="leave random numbers and whatever remembers earlier runs out of the module",
        )
