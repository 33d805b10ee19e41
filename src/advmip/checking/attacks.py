"""The independent check of attacks: the network itself is asked, not the model of it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from advmip.errors import CheckError
from advmip.networks.network import Network
from advmip.storage import array_digest, write_arrays

# Float32 rounding of a logit, relative to the largest one.
_RELATIVE_TOLERANCE = 1e-4
_DISTANCE_TOLERANCE = 1e-7
# The sum image + change is rounded, and with it the distance of the two.
_LAST_BITS = 1e-12


def check_attack(
    network: Network,
    *,
    image: NDArray[np.float64],
    adversarial: NDArray[np.float64],
    claimed: float,
    measured: float,
    surplus: Callable[[NDArray[np.float64]], float],
    folder: Path,
    radius: float = np.inf,
) -> None:
    """Asks the network itself about an attacked image, in float64 and in float32.

    Args:
        network: the network that was attacked.
        image: the image, of the network's input shape.
        adversarial: the attacked image.
        claimed: the distance that was claimed.
        measured: the distance of the two images, measured anew.
        surplus: by how much logits (classes,) exceed what the attacker wants, without a margin.
        folder: where an attack that fails is saved.
        radius: how far it may be.

    Raises:
        CheckError: the attacked image leaves [0, 1], is farther than claimed or than it may be, or
            does not win on the network; names the saved attack.
    """
    double = deepcopy(network).double()
    with torch.no_grad():
        exact = double(torch.from_numpy(adversarial[None])).numpy()[0]
        single = network(torch.from_numpy(adversarial[None].astype(np.float32))).double().numpy()[0]
    rounding = _RELATIVE_TOLERANCE * (1.0 + float(np.abs(exact).max()))
    failures = [
        message
        for wrong, message in (
            (not (adversarial.min() >= 0 and adversarial.max() <= 1), "it leaves [0, 1]"),
            (
                not abs(measured - claimed) <= _DISTANCE_TOLERANCE * (1.0 + abs(claimed)),
                f"its distance is {measured:.9g}, not {claimed:.9g}",
            ),
            (
                not measured <= radius * (1.0 + _LAST_BITS),
                f"it is {measured:.9g} away, not {radius:.9g} at most",
            ),
            (not surplus(exact) > 0, f"in float64 it misses the goal by {-surplus(exact):.3g}"),
            (
                not surplus(single) > -rounding,
                f"in float32 it misses the goal by {-surplus(single):.3g}",
            ),
        )
        if wrong
    ]
    if failures:
        saved = folder / f"failed_attack_{network.digest[:16]}_{array_digest(image)[:8]}.npz"
        write_arrays(saved, image=image, adversarial=adversarial, claimed=claimed, logits=exact)
        raise CheckError(f"an attacked image fails its check: {'; '.join(failures)}", saved)
