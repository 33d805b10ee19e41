"""The trained networks that Zhao & Kronqvist published with their paper.

CNNLight and CNN are archives of arrays. ResNet8's batch-norm statistics are only in a pickled
module, which is read here without running anything that it names: torch's reader of weights
rebuilds the tensors, and every class in the file becomes a plain bag of attributes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from advmip.durability.storage import cache_folder
from advmip.errors import InputError, looked_up
from advmip.extras import require
from advmip.networks.architectures import ARCHITECTURES
from advmip.networks.files import load_network, network_from_tensors
from advmip.networks.network import Network

REPOSITORY = (
    "https://raw.githubusercontent.com/shudianzhao/Adversary-correction/main/pretrained_models"
)


@dataclass(frozen=True)
class _Release:
    """A published file, and the digest of the network that it holds."""

    file: str
    digest: str


_RELEASES = {
    "cnn_light": _Release(
        "mnist_ConvNetLight_norm01.npz",
        "f3c820f1e11baf67ed815ea9849430d939a4e57b75d3d65947e4b82cb454e972",
    ),
    "cnn": _Release(
        "mnist_ConvNet_norm01.npz",
        "ee5f6882f5a0bb60e02d0d0ded7f526e3a40bf79f574bcf67c182c456a8d2489",
    ),
    "resnet8": _Release(
        "cifar10_ResNet8_normDataAug.pth",
        "0b46d293ae9514a1c7f2ce3f6a3e87bb64ca471ec8e08c17dc877b5f5ea4f0c4",
    ),
}


def released_network(
    name: str, network_dir: Path | None = None, download_dir: Path | None = None
) -> Network:
    """A network with the authors' weights, from a local copy or from their repository.

    Args:
        name: "cnn_light", "cnn" or "resnet8".
        network_dir: If it has `zhao_kronqvist/<name>.npz`, that is read.
        download_dir: Where a downloaded file is kept; by default the user's cache.

    Returns:
        The network, frozen, with exactly the published values.

    Raises:
        InputError: The name is unknown, the file can neither be found nor fetched, or the
            weights are not those that were published.
    """
    release = looked_up("released network", name, _RELEASES)
    local = network_dir and network_dir / "zhao_kronqvist" / f"{name}.npz"
    if local and local.is_file():
        file = local
        network = load_network(local)
    else:
        file = _fetch(release.file, local, download_dir or cache_folder())
        network = _load_published(name, file)
    if network.digest != release.digest:
        raise InputError(
            subject=f"released network {name} in {file}",
            found=f"weights with digest {network.digest}",
            expected=f"digest {release.digest}",
            mend="the weights were altered: remove the file, and it is downloaded again",
        )
    return network


def read_pickled_module(file: Path) -> dict[str, Tensor]:
    """Parameters and buffers of a module saved whole by torch, without running its code.

    Args:
        file: A file written by `torch.save(module, file)`.

    Returns:
        Tensors by name, as in the module's `state_dict()`.

    Raises:
        InputError: The file is damaged, is no saved module, or would need code to be read.
    """
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(file)
        bags: list[Any] = [(_Bag, name) for name in names]
        with torch.serialization.safe_globals(bags):
            module = torch.load(file, map_location="cpu", weights_only=True)
        return dict(_tensors(module))
    except Exception as error:  # damaged bytes can make the reader fail in any way
        reason = " ".join(str(error).split())
        raise InputError(
            subject=f"network {file}",
            found=f"not readable as a saved module without running code ({reason[:200]})",
            expected="a module of torch, saved whole",
            mend="the file is truncated or altered: remove it, and it is downloaded again",
        ) from error


class _Bag:
    """Stands for every class that a file names: takes any argument, and does nothing."""

    def __init__(self, *arguments: object) -> None:
        pass


def _tensors(module: _Bag, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Tensors of a module that was read as a bag, by dotted name."""
    state = vars(module)
    for name, tensor in (*state["_parameters"].items(), *state["_buffers"].items()):
        if tensor is not None:
            yield prefix + name, tensor.detach()
    for name, child in state["_modules"].items():
        if child is not None:
            yield from _tensors(child, f"{prefix}{name}.")


def _load_published(name: str, file: Path) -> Network:
    if file.suffix == ".pth":
        return network_from_tensors(ARCHITECTURES[name], read_pickled_module(file), file)
    return load_network(file)


def _fetch(name: str, local: Path | None, folder: Path) -> Path:
    """The published file in `folder`, downloaded if it is not there."""
    require("pooch", subject=f"download of the released network {name}")
    import pooch

    url = f"{REPOSITORY}/{name}"
    try:
        # Its checksum is that of the weights it holds, compared by the caller.
        return Path(pooch.retrieve(url, known_hash=None, fname=name, path=folder))
    except OSError as error:  # those of the HTTP client among them
        raise InputError(
            subject=f"released network {name} in {folder}",
            found=f"no such file; the download failed: {' '.join(str(error).split())[:200]}",
            expected=f"the file {url}",
            mend=f"(1) run it with a network; (2) copy that file into {folder}; (3) set the "
            f"network folder (network_dir) to one with {_wanted(local)}",
        ) from error


def _wanted(local: Path | None) -> str:
    return "zhao_kronqvist/<name>.npz" if local is None else f"zhao_kronqvist/{local.name}"
