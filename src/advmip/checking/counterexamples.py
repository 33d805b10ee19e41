"""The independent check of counterexamples of properties: the network itself is asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advmip.checking.replay import Precision, Replay
from advmip.durability.storage import array_digest, write_arrays
from advmip.errors import CheckError
from advmip.networks.network import Network
from advmip.properties import Property


def check_counterexample(
    network: Network, property_: Property, point: NDArray[np.float64], folder: Path
) -> Precision:
    """Asks the network itself about a counterexample, in float64 and in its own precision.

    Args:
        network: The network.
        property_: The property.
        point: The counterexample, of the network's input shape.
        folder: Where one that fails is saved.

    Returns:
        In which arithmetic it is one.

    Raises:
        CheckError: The point lies in no box, or is no counterexample on the network in float64;
            names the saved point.
    """
    replay = Replay(network)
    inputs = point.ravel()

    def surplus(outputs: NDArray[np.float64]) -> float:
        return property_.surplus(inputs, outputs)

    (exact,) = replay.exact(point[None])
    if not surplus(exact) > 0:
        saved = (
            folder / f"failed_counterexample_{network.digest[:16]}_{array_digest(point)[:8]}.npz"
        )
        write_arrays(saved, point=point, outputs=exact)
        raise CheckError(
            f"a counterexample of {property_.name} fails its check: in float64 it misses by "
            f"{-surplus(exact):.3g}",
            saved,
        )
    return replay.precision(point, surplus)
