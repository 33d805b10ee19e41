"""How visible a perturbation is: three measures of an image and an attacked one.

Ben Mhenni et al. (2024, Table 2) print a sparsity and an invisibility in percent without saying
what they are; these are definitions of ours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Images = NDArray[np.float64]

# Changes up to this are rounding.
_UNCHANGED = 1e-6
# A pixel is busy if a neighbour differs from it by this, of a range of 1.
_BUSY = 0.1
# Wang et al. (2004): the window's standard deviation and radius, and the two constants.
_SIGMA, _RADIUS = 1.5, 5
_C1, _C2 = 0.01**2, 0.03**2


def unchanged_share(image: Images, attacked: Images) -> float:
    """The percentage of places whose pixel is what it was, in all channels.

    Args:
        image: The original (channels, height, width) in [0, 1].
        attacked: The attacked image.
    """
    changed = (np.abs(attacked - image) > _UNCHANGED).any(axis=0)
    return 100.0 * float(1.0 - changed.mean())


def busy_share(image: Images, attacked: Images) -> float:
    """The percentage of the change (in L1) at busy pixels, where it is hard to see.

    Busy is a pixel that differs by 0.1 or more from its upper, lower, left or right neighbour in
    the original, in some channel. Without a change the share is 100.

    Args:
        image: The original (channels, height, width) in [0, 1].
        attacked: The attacked image.
    """
    busy = np.zeros(image.shape[1:], dtype=bool)
    for axis in (0, 1):
        differs = (np.abs(np.diff(image, axis=axis + 1)) >= _BUSY).any(axis=0)
        for sides in ((0, 1), (1, 0)):
            widths = [(0, 0), (0, 0)]
            widths[axis] = sides
            busy |= np.pad(differs, widths)
    change = np.abs(attacked - image).sum(axis=0)
    total = float(change.sum())
    return 100.0 if total == 0 else 100.0 * float(change[busy].sum()) / total


def structural_similarity(image: Images, attacked: Images) -> float:
    """The mean structural similarity of Wang et al. (2004), at most 1, which equal images have.

    With their Gaussian window (standard deviation 1.5, 11 x 11), mirrored at the borders, on each
    channel by itself.

    Args:
        image: The original (channels, height, width) in [0, 1].
        attacked: The attacked image.
    """

    def mean(values: Images) -> Images:
        smooth: Images = gaussian_filter(values, _SIGMA, axes=(1, 2), radius=_RADIUS)
        return smooth

    first, second = mean(image), mean(attacked)
    spread = mean(image**2) - first**2 + mean(attacked**2) - second**2
    common = mean(image * attacked) - first * second
    similarity = (2 * first * second + _C1) * (2 * common + _C2)
    similarity /= (first**2 + second**2 + _C1) * (spread + _C2)
    return float(similarity.mean())
