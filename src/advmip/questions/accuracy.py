"""The accuracy of a network against the radius of attacks, from nearest attacks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advmip.errors import InputError
from advmip.mip.exact_attack import Attack

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class AccuracyCurve:
    """Between which percentages the accuracy is, at every radius.

    From `radius[k]` to before `radius[k + 1]` it is at least `lower[k]` and at most `upper[k]`;
    from the last radius on, what stands there.

    Attributes:
        radius: Rising, from 0 (steps,).
        lower: The percentage of images that are classified correctly and proved to have no attack
            that near (steps,).
        upper: The percentage of those for which none is known (steps,).
    """

    radius: Numbers
    lower: Numbers
    upper: Numbers

    def at(self, radius: float) -> tuple[float, float]:
        """The least and the largest accuracy under attacks up to a radius, at least 0."""
        step = int(np.searchsorted(self.radius, radius, side="right")) - 1
        return float(self.lower[step]), float(self.upper[step])


def accuracy_curve(attacks: Iterable[Attack | None]) -> AccuracyCurve:
    """The exact accuracy of a network against the radius.

    At radius 0 it is the clean accuracy. It falls at the distance of each nearest attack: at least
    at its lower bound, at most at the distance of the attack that was found. Both are one but for
    the gap where all attacks are optimal.

    Args:
        attacks: The nearest attack on each image; None for an image that is misclassified, which
            no radius is too small for.

    Raises:
        InputError: There are no images.
    """
    images = list(attacks)
    if not images:
        raise InputError(
            subject="accuracy curve",
            found="no images",
            expected="the nearest attack on one image at least",
            mend="attack some images",
        )
    right = [attack for attack in images if attack is not None]
    nearest = np.array([attack.distance for attack in right], np.float64)
    proved = np.array([attack.lower_bound for attack in right], np.float64)
    # At radius 0 there is the image alone, which is classified correctly.
    proved = np.clip(proved, np.nextafter(0.0, 1.0), nearest)
    ends = np.concatenate([[0.0], proved, nearest])
    radius = np.unique(ends[np.isfinite(ends)])

    def share_beyond(ends: Numbers) -> Numbers:
        within = np.searchsorted(np.sort(ends), radius, side="right")
        return 100.0 * (len(ends) - within) / len(images)

    return AccuracyCurve(radius, share_beyond(proved), share_beyond(nearest))
