"""Fog over images: a corruption that a network was not trained on, drawn from a seed.

::

    x' = (x + s p) / (1 + s)

Where the fog p is thickest, 1, and where the picture is white, x' is white; the contrast falls by
1 + s. p is noise whose amplitude falls as the square of the frequency, as clouds' roughly does,
brought to [0, 1]. Source: the form of Hendrycks & Dietterich (2019) and of MNIST-C (Mu & Gilmer
2019), whose p is a fractal of midpoints; their files are not needed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# How fast the amplitude falls with the frequency.
_EXPONENT = 2.0


def fogged(images: NDArray[np.float32], strength: float, seed: int) -> NDArray[np.float32]:
    """The images in fog, each in one of its own; that of an image does not depend on later ones.

    Args:
        images: (N, C, H, W), in [0, 1].
        strength: s, at least 0.
        seed: Of the fogs.

    Returns:
        (N, C, H, W), in [0, 1].
    """
    fog = _clouds(len(images), images.shape[2:], np.random.default_rng(seed))
    # Rounded to single precision, a white pixel may be a little more than white.
    return np.clip((images + strength * fog) / (1.0 + strength), 0.0, 1.0).astype(np.float32)


def _clouds(count: int, shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.float64]:
    """Clouds (count, 1, H, W), each of which is 0 somewhere and 1 somewhere."""
    height, width = shape
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = np.inf
    noise = np.fft.rfft2(random.standard_normal((count, 1, height, width)))
    clouds = np.fft.irfft2(noise * frequency**-_EXPONENT, s=shape)
    clouds -= clouds.min(axis=(2, 3), keepdims=True)
    return np.asarray(clouds / clouds.max(axis=(2, 3), keepdims=True))
