"""What values the inputs of a network may have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from advmip.errors import InputError
from advmip.mip.model import Vector
from advmip.networks.network import Network
from advmip.pixels import pixels_in_range


@dataclass(frozen=True)
class Domain:
    """The values that inputs may have.

    Attributes:
        lower: The least (inputs,).
        upper: The largest (inputs,).
    """

    lower: Vector
    upper: Vector

    @staticmethod
    def of(lower: ArrayLike, upper: ArrayLike, network: Network) -> Domain:
        """The domain between numbers, or arrays of a network's input shape.

        Raises:
            InputError: A side has another shape or is not finite, or nothing is between them.
        """
        low, high = (
            _side(side, name, network) for side, name in ((lower, "lower"), (upper, "upper"))
        )
        for place in np.flatnonzero(~(low <= high)):
            raise InputError(
                subject="domain of the inputs",
                found=f"input {place} from {low[place]:g} to {high[place]:g}",
                expected="lower at most upper",
                mend="correct lower or upper",
            )
        return Domain(low, high)

    def pixels_of(self, network: Network, image: NDArray[np.floating]) -> Vector:
        """An image (inputs,) as a network takes it, in float64, without rounding out of the domain.

        Raises:
            InputError: It is not of the network's input shape, or leaves the domain.
        """
        own = network.layout.own(np.asarray(image), "image to attack")
        return pixels_in_range(np.ravel(own), "image to attack", self.lower, self.upper)


def allowed_changes(allowed: ArrayLike | None, network: Network) -> NDArray[np.bool_] | None:
    """Which inputs (inputs,) may change; None where all may.

    Args:
        allowed: Flags of the network's input shape, or None.
        network: The network.

    Raises:
        InputError: They have another shape, or none may.
    """
    if allowed is None:
        return None
    flags = np.ravel(network.layout.own(np.asarray(allowed, bool), "allowed"))
    if not flags.any():
        raise InputError(
            subject="allowed changes",
            found="a mask that allows nothing",
            expected="one input at least that may change",
            mend="correct the mask, or leave it out",
        )
    return flags


def _side(side: ArrayLike, name: str, network: Network) -> Vector:
    values = np.asarray(side, np.float64)
    if values.ndim:
        values = np.ravel(network.layout.own(values, name))
    full = np.array(np.broadcast_to(values, int(np.prod(network.layout.shape))), np.float64)
    if not np.isfinite(full).all():
        raise InputError(
            subject=f"{name} end of the inputs",
            found="a value that is not finite",
            expected="finite numbers",
            mend="bound every input",
        )
    return full
