"""How loose the relaxation of a network's model is, seen from its outputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from advmip.mip.bounds.network_bounds import whole_box
from advmip.mip.encoding import Interval
from advmip.mip.problem import encode
from advmip.mip.programs.linear_program import LinearProgram
from advmip.networks.staged import StagedNetwork


def relaxed_outputs(
    network: StagedNetwork,
    images: NDArray[np.float64],
    bounds: Sequence[Interval],
) -> Interval:
    """The least and the largest outputs that the relaxed model allows at given images.

    The model's binaries may be fractions: the larger the interval, the less a solver learns before
    it branches. With binaries it would be a point, the network's own outputs.

    Args:
        network: The network.
        images: Images (N, pixels) in [0, 1].
        bounds: Bounds of its neurons that hold over [0, 1].

    Returns:
        Intervals (N, classes).
    """
    encoding = encode(whole_box(network), bounds)
    model, outputs = encoding.model, encoding.preactivations[-1]
    program = LinearProgram(model, "dual")
    costs = outputs.written_out(len(model.lower))
    # Over the whole box the change is the image itself, a column for each pixel.
    pixels = encoding.change.matrix.indices
    lower, upper = model.lower.copy(), model.upper.copy()
    found = np.empty((2, len(images), len(outputs)))
    for place, image in enumerate(images):
        lower[pixels] = upper[pixels] = image
        program.set_bounds(lower, upper)
        for side, sign in enumerate((1.0, -1.0)):
            least = np.array([program.minimise(sign * cost)[0] for cost in costs])
            found[side, place] = sign * least + outputs.constant
    return Interval(*found)
