"""The independent check of inputs that excite a neuron: the network itself is asked."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from advmip.checking.relu_inputs import relu_inputs
from advmip.durability.storage import write_arrays
from advmip.errors import CheckError
from advmip.networks.network import Network

# Rounding of a value inside a network, relative to the largest one of its layer.
_DOUBLE, _SINGLE = 1e-6, 1e-4
# A dual bound is that of the solver's tolerances.
_BOUND_TOLERANCE = 1e-5


def check_activation(
    network: Network,
    *,
    image: NDArray[np.float64],
    layer: int,
    unit: int,
    claimed: float,
    upper_bound: float,
    folder: Path,
) -> None:
    """Asks the network itself what enters a neuron, in float64 and in float32.

    Args:
        network: the network.
        image: the image, of the network's input shape.
        layer: the layer of ReLUs, from 1; one more stands for the logits.
        unit: the neuron, from 0.
        claimed: what is said to enter it.
        upper_bound: what is said to be the most that any image brings there.
        folder: where an answer that fails is saved.

    Raises:
        CheckError: the image leaves [0, 1], another value enters the neuron, or one above the
            bound; names the saved answer.
    """
    messages = []
    if not (image.min() >= 0 and image.max() <= 1):
        messages.append("the image leaves [0, 1]")
    for asked, dtype, rounding in (
        (deepcopy(network).double(), torch.float64, _DOUBLE),
        (network, torch.float32, _SINGLE),
    ):
        entering = relu_inputs(asked, torch.from_numpy(image[None]).to(dtype))[layer - 1][0]
        largest = max(abs(upper_bound), float(entering.abs().max()))
        found, room = float(entering[unit]), rounding * largest
        if not abs(found - claimed) <= room:
            messages.append(f"in {dtype} {found:.9g} enters the neuron, not {claimed:.9g}")
    if not claimed <= upper_bound + _BOUND_TOLERANCE * largest:
        messages.append(f"{claimed:.9g} lies above the bound {upper_bound:.9g}")
    if messages:
        saved = folder / f"failed_activation_{network.digest[:16]}_{layer}_{unit}.npz"
        write_arrays(saved, image=image, claimed=claimed, upper_bound=upper_bound)
        raise CheckError(f"an input of a neuron fails its check: {'; '.join(messages)}", saved)
