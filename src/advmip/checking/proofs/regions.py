"""Sets of inputs, and the least values of linear forms over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


class Region(Protocol):
    """Sets of inputs, N of them."""

    @property
    def lower(self) -> Vector:
        """The least values (N, inputs) in each."""

    @property
    def upper(self) -> Vector:
        """The largest."""

    def least(self, forms: Vector) -> tuple[Vector, Vector]:
        """A lower bound of forms (N, S, inputs), before it is widened by its rounding.

        Returns:
            The bounds (N, S), and the sums of the absolute products that they are made of.
        """


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes, N of them.

    Attributes:
        lower: The least values (N, inputs).
        upper: The largest.
    """

    lower: Vector
    upper: Vector

    def least(self, forms: Vector) -> tuple[Vector, Vector]:
        """The least values of forms, each in a corner."""
        rising, falling = np.maximum(forms, 0.0), np.minimum(forms, 0.0)
        return dot(rising, self.lower) + dot(falling, self.upper), dot(np.abs(forms), largest(self))

    def halved(self, inputs: NDArray[np.intp]) -> Boxes:
        """Two boxes in place of each, one behind the other, cut in the middle of an input (N,).

        The middle is a number that both have: nothing is left out between them.
        """
        each = np.arange(len(inputs))
        low, high = self.lower[each, inputs], self.upper[each, inputs]
        middle = low + 0.5 * (high - low)
        lower, upper = np.repeat(self.lower, 2, axis=0), np.repeat(self.upper, 2, axis=0)
        upper[2 * each, inputs] = middle
        lower[2 * each + 1, inputs] = middle
        return Boxes(lower, upper)

    def __getitem__(self, chosen: slice | NDArray[np.bool_]) -> Boxes:
        return Boxes(self.lower[chosen], self.upper[chosen])

    def __len__(self) -> int:
        return len(self.lower)


@dataclass(frozen=True, eq=False)
class RoundBall:
    """The points of a box within a distance of its image, in L1 or L2; N is 1.

    Attributes:
        image: The image (inputs,), in the box.
        radius: The distance, finite.
        norm: "l1" or "l2".
        lower: The least values (1, inputs).
        upper: The largest.
    """

    image: Vector
    radius: float
    norm: str
    lower: Vector
    upper: Vector

    def least(self, forms: Vector) -> tuple[Vector, Vector]:
        """For L1 a dual bound, which its price makes exact; for L2 the better one of ball and box.

        A form g may fall by at most  price * radius + sum max(|g| - price, 0) * reach  in the L1
        ball, whatever the price; the best one is the gain at which the radius is used up.
        """
        gains = np.abs(forms)
        reach = np.where(forms > 0, self.image - self.lower, self.upper - self.image)
        reach = np.nextafter(reach, np.inf)
        fall = (gains * reach).sum(-1)
        if self.norm == "l2":
            fall = np.minimum(fall, self.radius * np.linalg.norm(forms, axis=-1))
        else:
            order = np.argsort(-gains, axis=-1)
            used = np.take_along_axis(reach, order, -1).cumsum(-1)
            last = np.minimum((used < self.radius).sum(-1), gains.shape[-1] - 1)
            price = np.take_along_axis(np.take_along_axis(gains, order, -1), last[..., None], -1)
            price = np.where(used[..., -1:] <= self.radius, 0.0, price)
            above = np.maximum(gains - price, 0.0)
            fall = price[..., 0] * self.radius + (above * reach).sum(-1)
        centre = dot(forms, self.image[None])
        return centre - fall, fall + 3.0 * dot(gains, largest(self))


def ball(image: Vector, radius: float, norm: str, lower: Vector, upper: Vector) -> Region:
    """All points of a domain within a distance of an image, of which none is rounded away.

    Args:
        image: The image (inputs,), in the domain.
        radius: The distance.
        norm: "linf", "l1" or "l2".
        lower: The least values (inputs,) of the domain.
        upper: The largest.
    """
    low = np.maximum(np.nextafter(image - radius, -np.inf), lower)[None]
    high = np.minimum(np.nextafter(image + radius, np.inf), upper)[None]
    return Boxes(low, high) if norm == "linf" else RoundBall(image, radius, norm, low, high)


def largest(region: Region) -> Vector:
    """The largest absolute values (N, inputs) in each."""
    return np.maximum(np.abs(region.lower), np.abs(region.upper))


def dot(forms: Vector, values: Vector) -> Vector:
    """The product (N, S) of forms (N, S, width) and values (N, width)."""
    product: Vector = (forms @ values[:, :, None])[..., 0]
    return product
