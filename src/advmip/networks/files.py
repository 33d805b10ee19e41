"""Networks to and from files, checked on the way in.

Our own files are safetensors. The authors' weights are .npz archives of arrays by parameter
name. Classifiers of others come as ONNX. None of these formats can carry code.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from advmip.durability.storage import write_atomically
from advmip.errors import InputError, looked_up
from advmip.layout import Layout
from advmip.networks.architectures import ARCHITECTURES, Architecture
from advmip.networks.network import Network

_DAMAGED = "the file is truncated or altered: train the network again, or copy the file again"


def save_network(network: Network, path: Path, metadata: Mapping[str, object]) -> None:
    """Write a network's weights, architecture and digest as safetensors, atomically.

    Args:
        network: The network.
        path: A file name ending in .safetensors.
        metadata: Anything that JSON can hold: how it was trained, where it came from.

    Raises:
        InputError: The network came from ONNX or a module of others: only the names of our own
            architectures fit into the file, no graph.
    """
    check_savable(network, path)
    save_weights(network, path, metadata)


def check_savable(network: Network, path: Path) -> None:
    """Find out that `save_network` can write a network, before the work that it comes of.

    Raises:
        InputError: It cannot: the file holds no graph, or is of another kind.
    """
    if path.suffix != ".safetensors":
        raise InputError(
            subject=f"network {path}",
            found=f"a file ending in {path.suffix!r}",
            expected="a .safetensors file",
            mend="name such a file",
        )
    if network.architecture.name not in ARCHITECTURES:
        raise InputError(
            subject=f"network {path}",
            found=f"a network of architecture {network.architecture.name!r}",
            expected=f"one of {', '.join(ARCHITECTURES)}: a .safetensors file holds no graph",
            mend="keep the ONNX file or the module that it came from",
        )


def save_weights(network: Network, path: Path, metadata: Mapping[str, object]) -> None:
    """Write what `save_network` does, also for a network whose graph the file cannot hold.

    `load_network` refuses the weights of such a network; they can be looked into as tensors.

    Args:
        network: The network.
        path: A file name ending in .safetensors.
        metadata: Anything that JSON can hold.
    """
    tensors = {name: value.contiguous() for name, value in network.body.state_dict().items()}
    header = {
        "architecture": network.architecture.name,
        "digest": network.digest,
        "metadata": json.dumps(metadata),
    }
    with write_atomically(path) as temporary:
        save_file(tensors, temporary, metadata=header)


def load_network(path: Path | str, layout: str | None = None) -> Network:
    """Read a network from a .safetensors file of ours, an .npz of the released names, or ONNX.

    Which architecture an .npz holds is recognised by the shapes of its arrays. An .onnx file,
    which may be gzipped, brings its own, named "onnx". Numbers in float64 are kept, and computed
    with, as such.

    Args:
        path: The file.
        layout: What the axes of the network's input mean: "chw" (channels, height, width), "hwc",
            or with sizes, "hwc:32x32x3", where the input has other axes. If left out, it is found
            from an ONNX file's graph; networks of ours have their channels first.

    Returns:
        The network, frozen: in evaluation mode, without gradients of the weights.

    Raises:
        InputError: The file is missing, damaged or of another kind, its names or shapes are
            those of no known architecture, an ONNX operator is not supported, or a weight is
            not finite; or the layout does not fit.
    """
    file = Path(path)
    network = _loaded(file, layout)
    network.file = file
    return network


def _loaded(file: Path, layout: str | None) -> Network:
    if not file.is_file():
        raise InputError(
            subject=f"network {file}",
            found="no such file",
            expected="a .safetensors, .npz or .onnx file",
            mend="check the path, or train the network first",
        )
    if file.suffix == ".safetensors":
        return _laid_out(_load_safetensors(file), layout, file)
    if file.suffix == ".npz":
        tensors = _read_npz(file)
        network = network_from_tensors(_recognise(tensors, file), tensors, file)
        return _laid_out(network, layout, file)
    if file.suffix == ".onnx" or file.name.endswith(".onnx.gz"):
        # Loaded when needed: onnx is slow to import, and most networks are of the other kinds.
        from advmip.networks.onnx import read_onnx

        return read_onnx(file, layout)
    raise InputError(
        subject=f"network {file}",
        found=f"a file ending in {file.suffix!r}",
        expected="a .safetensors, .npz or .onnx file",
        mend="convert the network, or name another file",
    )


def _laid_out(network: Network, layout: str | None, file: Path) -> Network:
    if layout is None:
        return network
    shape = network.architecture.input_shape
    return network.laid_out(Layout.said(layout, shape, f"network {file}"))


def network_from_tensors(
    architecture: Architecture, tensors: Mapping[str, Tensor], file: Path
) -> Network:
    """A frozen network from weights by name, each checked.

    Args:
        architecture: What the weights should fit.
        tensors: Parameters and buffers by the names of the architecture's module.
        file: Where they come from, for the messages.

    Raises:
        InputError: A name is missing or unknown, a shape differs, or a value is not finite.
    """
    body = architecture.build()
    expected = body.state_dict()
    for name in [*expected, *tensors]:
        found_shape = _shape(tensors.get(name))
        expected_shape = _shape(expected.get(name))
        if found_shape != expected_shape:
            raise InputError(
                subject=f"network {file}, layer {name}",
                found=found_shape,
                expected=f"{expected_shape}, as in {architecture.name}",
                mend="name the file of a network of this architecture, with all its weights",
            )
    for name, tensor in tensors.items():
        check_values(name, tensor, f"network {file}")
    if any(tensor.dtype == torch.float64 for tensor in tensors.values()):
        body = body.double()
        expected = body.state_dict()
    body.load_state_dict(
        {name: tensor.to(expected[name].dtype) for name, tensor in tensors.items()}
    )
    return Network(architecture, body).frozen()


def _shape(tensor: Tensor | None) -> str:
    if tensor is None:
        return "nothing"
    return "a single number" if tensor.ndim == 0 else " x ".join(map(str, tensor.shape))


def check_values(name: str, tensor: Tensor, subject: str) -> None:
    """Check that weights are numbers, and variances none below 0.

    Args:
        name: Of the weights.
        tensor: Their values.
        subject: Whose they are, for the message.

    Raises:
        InputError: They are not.
    """
    wrong = int((~torch.isfinite(tensor)).sum())
    if wrong:
        raise InputError(
            subject=f"{subject}, layer {name}",
            found=f"{wrong} of {tensor.numel()} values are NaN or infinite",
            expected="finite weights",
            mend="train the network again with a smaller learning rate",
        )
    if name.endswith("running_var") and bool((tensor < 0).any()):
        raise InputError(
            subject=f"{subject}, layer {name}",
            found=f"a variance of {float(tensor.min()):.3g}",
            expected="no variance below 0",
            mend=_DAMAGED,
        )


def _load_safetensors(file: Path) -> Network:
    try:
        with safe_open(file, framework="pt") as contents:
            header = contents.metadata() or {}
            # safetensors' handle is no dictionary: it has keys() but cannot be iterated.
            tensors = {name: contents.get_tensor(name) for name in contents.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise InputError(
            subject=f"network {file}",
            found=f"not readable as safetensors ({error})",
            expected="a file written by this project",
            mend=_DAMAGED,
        ) from error
    if not {"architecture", "digest"} <= header.keys():
        raise InputError(
            subject=f"network {file}",
            found="no architecture and digest in its header",
            expected="a file written by this project",
            mend="train the network with this project, or supply the authors' .npz",
        )
    name = header["architecture"]
    if name == "onnx":
        raise InputError(
            subject=f"network {file}",
            found="the weights of a network that was read from ONNX, without its graph",
            expected=f"a network of one of {', '.join(ARCHITECTURES)}",
            mend="load the .onnx file, and give these weights to its body by load_state_dict",
        )
    architecture = looked_up(f"architecture in network {file}", name, ARCHITECTURES)
    network = network_from_tensors(architecture, tensors, file)
    if network.digest != header["digest"]:
        raise InputError(
            subject=f"network {file}",
            found=f"weights with digest {network.digest[:16]}",
            expected=f"digest {header['digest'][:16]}, as when it was written",
            mend=_DAMAGED,
        )
    return network


def _read_npz(file: Path) -> dict[str, Tensor]:
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(
            subject=f"network {file}",
            found=f"not readable as arrays by name ({error})",
            expected="an .npz archive of plain arrays",
            mend="the file is truncated, altered or holds objects: copy it again",
        ) from error
    for name, array in arrays.items():
        if array.dtype.kind not in "fiu":
            raise InputError(
                subject=f"network {file}, layer {name}",
                found=f"values of type {array.dtype}",
                expected="real numbers",
                mend="supply an .npz of weights",
            )
    return {name: torch.from_numpy(_plain(array)) for name, array in arrays.items()}


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """An array in a type that networks have: whole numbers, float64 as it is, or else float32."""
    if array.dtype.kind != "f":
        return array.astype(np.int64)
    return array.astype(
        np.float64 if array.dtype.itemsize >= np.dtype(np.float64).itemsize else np.float32
    )


def _recognise(tensors: Mapping[str, Tensor], file: Path) -> Architecture:
    """The architecture that shares most names and shapes with `tensors`."""
    found = {(name, tuple(tensor.shape)) for name, tensor in tensors.items()}

    def shared(architecture: Architecture) -> int:
        with torch.device("meta"):
            state = architecture.build().state_dict()
        return len(found & {(name, tuple(tensor.shape)) for name, tensor in state.items()})

    best = max(ARCHITECTURES.values(), key=shared)
    if shared(best) == 0:
        raise InputError(
            subject=f"network {file}",
            found=f"the layers {', '.join(list(tensors)[:4]) or 'of nothing'}",
            expected=f"those of one of {', '.join(ARCHITECTURES)}",
            mend="name the file of a network of a known architecture",
        )
    return best
