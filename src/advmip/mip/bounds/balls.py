"""Balls around images within a domain, as sets to bound linear forms over, in torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from advmip.errors import unknown_name
from advmip.mip.bounds.lines import dot

NORMS = ("linf", "l1", "l2")


class Region(Protocol):
    """Points around each of N images, to bound linear forms over."""

    @property
    def images(self) -> Tensor:
        """The images (N, pixels)."""

    @property
    def box(self) -> tuple[Tensor, Tensor]:
        """A box (N, pixels) that holds all points around each image, relative to it."""

    def least(self, coefficients: Tensor) -> Tensor:
        """Lower bounds (N, S) of linear forms (N, S, pixels) over the points."""


@dataclass(frozen=True)
class Ball:
    """All x of a domain at most `radius` from each of N images.

    Attributes:
        images: The images (N, pixels), in the domain.
        radius: The largest distance; inf for the whole domain.
        norm: "linf", "l1" or "l2".
        lower: The least values of the domain, a number or (pixels,).
        upper: The largest.

    Raises:
        InputError: There is no such norm.
    """

    images: Tensor
    radius: float
    norm: str
    lower: Tensor | float = 0.0
    upper: Tensor | float = 1.0

    def __post_init__(self) -> None:
        if self.norm not in NORMS:
            raise unknown_name("norm", self.norm, NORMS)

    def to(self, dtype: torch.dtype) -> Ball:
        """The same balls in another precision."""
        domain = (torch.as_tensor(side).to(dtype) for side in (self.lower, self.upper))
        return Ball(self.images.to(dtype), self.radius, self.norm, *domain)

    @property
    def box(self) -> tuple[Tensor, Tensor]:
        """The smallest box (N, pixels) that holds each ball, relative to its image."""
        lower = (self.lower - self.images).clamp(min=-self.radius)
        return lower, (self.upper - self.images).clamp(max=self.radius)

    @cached_property
    def _middle(self) -> tuple[Tensor, Tensor]:
        """The middle of that box, in the domain, and half its sides (N, pixels)."""
        lower, upper = self.box
        return self.images + (lower + upper) / 2.0, (upper - lower) / 2.0

    @property
    def corners(self) -> tuple[Tensor, Tensor]:
        """The lower and upper corner (N, pixels) of that box, not rounded into it."""
        far = torch.tensor(torch.inf, dtype=self.images.dtype)
        lower = torch.nextafter(self.images - self.radius, -far)
        upper = torch.nextafter(self.images + self.radius, far)
        return lower.clamp(min=self.lower), upper.clamp(max=self.upper)

    def least(self, coefficients: Tensor) -> Tensor:
        """Lower bounds (N, S) of linear forms (N, S, pixels) over each ball.

        Exact for L-infinity, whose ball is a box, and L1, a continuous knapsack. For L2 the better
        one of ball and box: their intersection would need a search for each form.
        """
        if self.norm == "linf":
            middle, reach = self._middle
            return dot(coefficients, middle) - dot(coefficients.abs(), reach)
        centre = (coefficients * self.images[:, None]).sum(-1)
        lower, upper = (side[:, None] for side in self.box)
        reach = torch.where(coefficients > 0, -lower, upper)
        return centre - _LARGEST[self.norm](coefficients.abs(), reach, self.radius)

    def least_and_where(self, coefficients: Tensor) -> tuple[Tensor, Tensor]:
        """The same bounds, and their derivative (N, S, pixels).

        That is the point at which the form is least; for L2 it may lie outside of the box or the
        ball.
        """
        if self.norm == "linf":
            middle, reach = self._middle
            signs = coefficients.sign()
            least = dot(coefficients, middle) - dot(coefficients * signs, reach)
            return least, torch.addcmul(middle[:, None], signs, reach[:, None], value=-1.0)
        with torch.enable_grad():
            forms = coefficients.detach().requires_grad_()
            values = self.least(forms)
            (points,) = torch.autograd.grad(values.sum(), forms)
        return values.detach(), points

    def minimisers(self, coefficients: Tensor) -> Tensor:
        """Points (N, S, pixels) of each ball where linear forms (N, S, pixels) are low.

        They are lowest there for L-infinity and L1; for L2 a point is moved into box and ball.
        """
        _, points = self.least_and_where(coefficients)
        return self.retracted(points)

    def retracted(self, points: Tensor) -> Tensor:
        """Points (N, S, pixels) moved into the box and then towards each image, up to rounding."""
        images = self.images[:, None]
        lower, upper = (side[:, None] for side in self.box)
        change = (points - images).clamp(lower, upper)
        if self.norm != "linf" and self.radius < torch.inf:
            order = 1 if self.norm == "l1" else 2
            length = torch.linalg.vector_norm(change, order, dim=-1, keepdim=True)
            change = change * (self.radius / length.clamp(min=self.radius))
        return images + change


def _box(gains: Tensor, reach: Tensor, radius: float) -> Tensor:
    return (gains * reach).sum(-1)


def _knapsack(gains: Tensor, reach: Tensor, radius: float) -> Tensor:
    """The pixels of largest gain are changed first."""
    gain, order = gains.sort(dim=-1, descending=True)
    sorted_reach = reach.expand_as(gains).gather(-1, order)
    spent = sorted_reach.cumsum(-1) - sorted_reach
    return (gain * torch.minimum((radius - spent).clamp(min=0.0), sorted_reach)).sum(-1)


def _euclidean(gains: Tensor, reach: Tensor, radius: float) -> Tensor:
    box = _box(gains, reach, radius)
    return box if radius == float("inf") else torch.minimum(radius * gains.norm(dim=-1), box)


_LARGEST: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {
    "l1": _knapsack,
    "l2": _euclidean,
}
