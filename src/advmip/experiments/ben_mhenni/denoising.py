"""Removing noise from an image by its total variation (Figure 2), with proof."""

from __future__ import annotations

from typing import Any

import clarabel
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from advmip.errors import CheckError

Image = NDArray[np.float64]

# Objective less dual bound, relative to the objective.
_GAP = 1e-6


def denoised(noisy: Image, weight: float, *, isotropic: bool) -> Image:
    """The image X that minimises ||X - Y||^2 / 2 + weight * TV(X) (Rudin, Osher & Fatemi 1992).

    TV is the sum, over all pixels, of the length of the two differences to the right and to the
    lower neighbour: the Euclidean one where it is isotropic, else the sum of both.

    Args:
        noisy: Y (height, width).
        weight: Of the total variation, above 0.
        isotropic: Which of the two.

    Raises:
        CheckError: The answer is not the minimum, by a dual bound that is recomputed here.
    """
    right, below = _differences(*noisy.shape)
    pixels = noisy.size
    # For each pixel a cone (t, right, below): the Euclidean length, or two cones of one difference.
    groups = [[right, below]] if isotropic else [[right], [below]]
    bounds = sparse.identity(pixels, format="csr")
    rows, cones = [], []
    for place, group in enumerate(groups):
        lengths = [bounds if each == place else 0 * bounds for each in range(len(groups))]
        blocks = [sparse.hstack([0 * bounds, *lengths])]
        blocks += [sparse.hstack([each, *([0 * bounds] * len(groups))]) for each in group]
        # One pixel's rows beside each other, as cones want them.
        order = np.arange(len(blocks) * pixels).reshape(len(blocks), pixels).T.ravel()
        rows.append(sparse.vstack(blocks).tocsr()[order])
        cones += [clarabel.SecondOrderConeT(len(blocks))] * pixels
    columns = pixels * (1 + len(groups))
    quadratic = sparse.diags(np.repeat([1.0, 0.0], [pixels, columns - pixels])).tocsc()
    linear = np.concatenate([-noisy.ravel(), np.full(columns - pixels, weight)])
    constraints = -sparse.vstack(rows).tocsc()
    settings: Any = clarabel.DefaultSettings()
    settings.verbose = False
    zeros = np.zeros(constraints.shape[0])
    found: Any = clarabel.DefaultSolver(
        quadratic, linear, constraints, zeros, cones, settings
    ).solve()
    clean = np.array(found.x)[:pixels]
    # The multipliers of the differences, one column for each of `right` and `below`.
    multipliers = np.array(found.z).reshape(len(groups), pixels, -1)[:, :, 1:]
    duals = np.concatenate(list(multipliers), axis=1)
    _check(noisy.ravel(), clean, duals, weight, (right, below), isotropic)
    return clean.reshape(noisy.shape)


def _check(
    noisy: Image,
    clean: Image,
    duals: Image,
    weight: float,
    differences: tuple[Any, Any],
    isotropic: bool,
) -> None:
    """Compare the objective with the dual (||Y||^2 - ||Y - D'q||^2) / 2, |q| <= weight."""
    steps = np.stack([matrix @ clean for matrix in differences], axis=1)
    variation = np.linalg.norm(steps, axis=1) if isotropic else np.abs(steps).sum(axis=1)
    objective = 0.5 * float(((clean - noisy) ** 2).sum()) + weight * float(variation.sum())
    if isotropic:
        lengths = np.linalg.norm(duals, axis=1, keepdims=True)
        held = duals * np.minimum(1.0, weight / np.maximum(lengths, 1e-300))
    else:
        held = np.clip(duals, -weight, weight)
    bound = max(
        0.5 * float((noisy**2).sum() - ((noisy - sign * moved) ** 2).sum())
        for moved in [sum(matrix.T @ held[:, side] for side, matrix in enumerate(differences))]
        for sign in (1.0, -1.0)
    )
    if not objective - bound <= _GAP * (1.0 + objective):
        raise CheckError(f"denoising ends at {objective:.9g}, its dual bound is {bound:.9g}")


def _differences(height: int, width: int) -> tuple[Any, Any]:
    """Matrices (pixels, pixels) to the right neighbour less the pixel, and to the lower one."""

    def forward(count: int) -> Any:
        steps = np.eye(count, k=1) - np.eye(count)
        steps[-1] = 0.0
        return sparse.csr_array(steps)

    return (
        sparse.kron(sparse.identity(height), forward(width)).tocsr(),
        sparse.kron(forward(height), sparse.identity(width)).tocsr(),
    )
