"""Exact L2 attacks in the space of what the network sees of an image.

A network reads the change d of an image through its first matrix alone. With an orthonormal basis
Q of that matrix's rows, the coordinates w = Q d say all that the network can tell, and the length
of the shortest d with given coordinates is

    min |d|^2  subject to  Q d = w,  l <= d <= u    =    |w|^2 + rest(w),

where rest is convex, since it is the largest of the linear functions that multipliers g of the box
give (g > 0 at the lower side, g < 0 at the upper one):

    rest(w) >= -(Q g)' w - (|g|^2 - |Q g|^2) / 4 + sum_i max(g_i, 0) l_i - max(-g_i, 0) u_i.

So the squares of some ten coordinates, and cuts where a point violates them, take the place of the
squares of all pixels. Small licences admit such a model, and its search nodes are fast.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import solve

from advmip.layout import Layout
from advmip.mip.deadline import dense_checkpoint
from advmip.mip.distances import L2, Box
from advmip.mip.model import Cuts, Expression, Flags, Indices, Matrix, ModelBuilder, Vector
from advmip.mip.problem import Problem
from advmip.networks.staged import AffineMap, StagedNetwork

# Directions that the first matrix shortens by this factor are rounding.
_RANK = 1e-9
# A cut is added if a point violates it by this share of the square.
_VIOLATION = 1e-6
_STEPS = 60
# For a cut one will do: the next cut's goes on from there. Deeper ones lead to more of them.
_STEPS_OF_A_CUT = 1
_ARMIJO = 1e-4
_SHORTEST_STEP = 1e-8
_RESIDUAL = 1e-10
_REGULARISATION = 1e-8


def _unchanged(change: Vector) -> Vector:
    return change


@dataclass(frozen=True)
class Projection:
    """A problem in coordinates, or in pixels as it is.

    Attributes:
        problem: The problem, whose image (coordinates,) is the origin.
        lifted: The shortest change (pixels,) with given coordinates.
    """

    problem: Problem
    lifted: Callable[[Vector], Vector] = _unchanged


def in_coordinates(problem: Problem) -> Projection:
    """A problem as our own programs take it: in fewer coordinates than pixels, or sifted."""
    return projected(problem) or Projection(problem.sifted())


def has_coordinates(problem: Problem) -> bool:
    """Whether a distance is exact L2, and a network sees fewer coordinates than pixels."""
    if type(problem.distance) is not L2:
        return False
    return sum(terms.shape[0] for terms in _seeing(problem.network)) < len(problem.image)


def projected(problem: Problem) -> Projection | None:
    """An L2 problem in coordinates; None if it has none."""
    if not has_coordinates(problem):
        return None
    network = problem.network
    stages = (*network.hidden, network.output)
    rows = sum(terms.shape[0] for terms in _seeing(network))
    dense_checkpoint(10.0 * rows**2 * len(problem.image))
    _, sizes, directions = np.linalg.svd(
        np.vstack([terms.toarray() for terms in _seeing(network)]), full_matrices=False
    )
    basis = directions[sizes > _RANK * sizes[0]]
    space = CoordinateSpace(basis, problem.box, problem.radius)
    *hidden, output = (_moved(stage, basis, problem.image) for stage in stages)
    largest = problem.distance.largest
    box = Box(
        -largest(-basis, problem.box, problem.radius),
        largest(basis, problem.box, problem.radius),
        Layout((len(basis),)),
    )
    moved = replace(
        problem,
        network=StagedNetwork((len(basis),), tuple(hidden), output),
        image=np.zeros(len(basis)),
        distance=ProjectedL2(space),
        box=box,
    )
    return Projection(moved, lambda coordinates: space.shortest(coordinates)[0])


def _seeing(network: StagedNetwork) -> list[Matrix]:
    """The matrices by which the network reads the image."""
    stages = (*network.hidden, network.output)
    return [stage.terms[0] for stage in stages if 0 in stage.terms]


def _moved(stage: AffineMap, basis: Vector, image: Vector) -> AffineMap:
    """The map of coordinates in place of images."""
    if 0 not in stage.terms:
        return stage
    first = stage.terms[0]
    terms = {**stage.terms, 0: Matrix(first.toarray() @ basis.T)}
    return AffineMap(terms, stage.bias + first @ image)


class CoordinateSpace:
    """Coordinates of changes.

    Args:
        basis: Orthonormal rows Q (coordinates, pixels).
        box: Where changes may be.
        radius: How long they may be.

    Attributes:
        basis: Q.
        box: Where changes may be.
        longest: No change is longer.
    """

    def __init__(self, basis: Vector, box: Box, radius: float) -> None:
        self.basis = basis
        self.box = box
        corner = np.maximum(box.upper, -box.lower)
        self.longest = min(radius, float(np.linalg.norm(corner)))
        # From point to point the multipliers hardly change, nor do the pixels inside the box.
        self._multipliers = np.zeros(len(basis))
        self._inside = np.zeros(basis.shape[1], bool)
        self._curvature = np.zeros((len(basis), len(basis)))

    def shortest(self, coordinates: Vector, steps: int = _STEPS) -> tuple[Vector, Vector]:
        """The shortest change with given coordinates, and the multipliers of the box.

        Newton steps on the dual function 2 y'w - sum_i max {2 z_i d - d^2 : l_i <= d <= u_i} with
        z = Q'y. It grows without end where no change of the box has the coordinates; then it is
        left as soon as it says that the change would be too long.

        Args:
            coordinates: w (coordinates,).
            steps: Newton steps at most. After a few, the change may miss the coordinates.

        Returns:
            The change d (pixels,) and the multipliers g (pixels,).
        """
        lower, upper = self.box.lower, self.box.upper
        most = self.longest**2
        multipliers, (free, change, value) = self._start(coordinates)
        for _ in range(steps):
            residual = coordinates - self.basis @ change
            if np.abs(residual).max() < _RESIDUAL or value > 4.0 * most:
                break
            direction = self._newton((free > lower) & (free < upper), residual)
            step, slope, before = 1.0, 2.0 * float(residual @ direction), value
            free, change, value = self._dual(multipliers + direction, coordinates)
            while value < before + _ARMIJO * step * slope and step > _SHORTEST_STEP:
                step *= 0.5
                free, change, value = self._dual(multipliers + step * direction, coordinates)
            multipliers = multipliers + step * direction
        self._multipliers = multipliers
        return change, 2.0 * (change - free)

    def _start(self, coordinates: Vector) -> tuple[Vector, tuple[Vector, Vector, float]]:
        """The better of the last multipliers and those without the box, with what `_dual` says."""
        starts = (self._multipliers, coordinates)
        duals = [(multipliers, self._dual(multipliers, coordinates)) for multipliers in starts]
        return max(duals, key=lambda start: start[1][2])

    def _newton(self, inside: Flags, residual: Vector) -> Vector:
        """The Newton step for a residual, with pixels that are inside the box."""
        come, gone = inside & ~self._inside, self._inside & ~inside
        if come.sum() + gone.sum() < inside.sum():
            self._curvature += _products(self.basis[:, come]) - _products(self.basis[:, gone])
        else:
            self._curvature = _products(self.basis[:, inside])
        self._inside = inside
        regular = self._curvature + _REGULARISATION * np.eye(len(residual))
        step: Vector = solve(regular, residual, assume_a="pos", check_finite=False)
        return step

    def _dual(self, multipliers: Vector, coordinates: Vector) -> tuple[Vector, Vector, float]:
        """Q'y, its nearest point of the box, and the dual function at y."""
        free = multipliers @ self.basis
        change = np.clip(free, self.box.lower, self.box.upper)
        value = 2.0 * multipliers @ coordinates - (2.0 * free - change) @ change
        return free, change, float(value)


def _products(rows: Vector) -> Vector:
    return rows @ rows.T


class ProjectedL2(L2):
    """The Euclidean length of the shortest change with given coordinates.

    Args:
        space: The coordinates.
    """

    def __init__(self, space: CoordinateSpace) -> None:
        self._space = space

    def value(self, perturbation: Vector, box: Box) -> float:
        """The length of the shortest change with the coordinates (coordinates,)."""
        return float(np.linalg.norm(self._space.shortest(perturbation)[0]))

    def encode(self, builder: ModelBuilder, box: Box) -> Expression:
        """Columns w, each squared at cost 1, and one for the rest, above the cuts."""
        change = super().encode(builder, box)
        coordinates = change.matrix.indices.astype(np.intp)
        rest = builder.add_columns(1, 0.0, self._space.longest**2, objective=1.0)
        builder.add_separator(lambda point: self._cuts(point, coordinates, rest))
        return change

    def _cuts(self, point: Vector, coordinates: Indices, rest: Indices) -> Cuts:
        """A cut of the rest that a point violates, if there is one; not always the deepest."""
        cuts = self._cut(point, coordinates, rest, _STEPS_OF_A_CUT)
        return cuts if len(cuts) else self._cut(point, coordinates, rest, _STEPS)

    def _cut(self, point: Vector, coordinates: Indices, rest: Indices, steps: int) -> Cuts:
        """The cut by the multipliers after so many steps, if the point violates it."""
        values, said = point[coordinates], float(point[rest][0])
        _, multipliers = self._space.shortest(values, steps)
        slope = -self._space.basis @ multipliers
        box = self._space.box
        sides = np.where(multipliers > 0, box.lower, box.upper)
        constant = float(multipliers @ sides - 0.25 * (multipliers @ multipliers - slope @ slope))
        least = float(slope @ values) + constant
        violated = least > said + _VIOLATION * max(float(values @ values) + least, _VIOLATION)
        row = np.zeros((1, len(point)))
        row[0, coordinates], row[0, rest] = slope, -1.0
        return Cuts(Matrix(row[:violated]), np.array([-constant])[:violated])
