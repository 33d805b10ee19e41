"""The independent check of attacks: the network itself is asked, not the model of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advmip.checking.balls import in_ball
from advmip.checking.replay import Precision, Replay, Surplus
from advmip.durability.storage import array_digest, write_arrays
from advmip.errors import CheckError
from advmip.networks.network import Network

Bound = NDArray[np.float64] | float

# The sum image + change is rounded, and with it the distance of the two.
_DISTANCE_TOLERANCE = 1e-7


def check_attack(
    network: Network,
    *,
    image: NDArray[np.float64],
    adversarial: NDArray[np.float64],
    claimed: float,
    measured: float,
    surplus: Surplus,
    folder: Path,
    ball: tuple[float, str] | None = None,
    domain: tuple[Bound, Bound] = (0.0, 1.0),
) -> Precision:
    """Asks the network itself about an attacked image, in float64 and in its own precision.

    Args:
        network: the network that was attacked.
        image: the image, of the network's input shape.
        adversarial: the attacked image.
        claimed: the distance that was claimed.
        measured: the distance of the two images, measured anew.
        surplus: by how much logits (classes,) exceed what the attacker wants, without a margin.
        folder: where an attack that fails is saved.
        ball: radius and norm of the closed ball that it must lie in, if there is one.
        domain: the least and the largest values that it may have, numbers or arrays of its shape.

    Returns:
        In which arithmetic it wins.

    Raises:
        CheckError: the attacked image leaves its domain or the ball, is farther than claimed, or
            does not win on the network in float64; names the saved attack.
    """
    replay = Replay(network)
    (exact,) = replay.exact(adversarial[None])
    failures = [
        message
        for wrong, message in (
            (
                not ((adversarial >= domain[0]).all() and (adversarial <= domain[1]).all()),
                "it leaves its domain",
            ),
            (
                not abs(measured - claimed) <= _DISTANCE_TOLERANCE * (1.0 + abs(claimed)),
                f"its distance is {measured:.9g}, not {claimed:.9g}",
            ),
            (
                ball is not None and not in_ball(image, adversarial, *ball),
                f"it is {measured:.17g} away, not {ball[0] if ball else 0:.17g} at most",
            ),
            (not surplus(exact) > 0, f"in float64 it misses the goal by {-surplus(exact):.3g}"),
        )
        if wrong
    ]
    if failures:
        saved = folder / f"failed_attack_{network.digest[:16]}_{array_digest(image)[:8]}.npz"
        write_arrays(saved, image=image, adversarial=adversarial, claimed=claimed, logits=exact)
        raise CheckError(f"an attacked image fails its check: {'; '.join(failures)}", saved)
    return replay.precision(adversarial, surplus)
