"""Boxes of inputs, many at a time, as regions to bound linear forms over."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Boxes:
    """A region for each of N boxes.

    Attributes:
        lower: The least values (N, inputs).
        upper: The largest.
        levels: How often the whole region was halved for it (N,).
        numbers: By which a proof in a file knows it (N,).
    """

    lower: Tensor
    upper: Tensor
    levels: Tensor
    numbers: Tensor

    @property
    def images(self) -> Tensor:
        """Their centres."""
        return self.lower + 0.5 * (self.upper - self.lower)

    @property
    def box(self) -> tuple[Tensor, Tensor]:
        """The boxes themselves, relative to the centres."""
        return self.lower - self.images, self.upper - self.images

    def least(self, coefficients: Tensor) -> Tensor:
        """Lower bounds (N, S) of linear forms (N, S, inputs)."""
        return (coefficients * self.minimisers(coefficients)).sum(-1)

    def minimisers(self, coefficients: Tensor) -> Tensor:
        """The corners (N, S, inputs) where forms are least."""
        return torch.where(coefficients > 0, self.lower[:, None], self.upper[:, None])

    def halved(self, inputs: Tensor) -> Boxes:
        """Two boxes for each, cut through the centre of an input (N,)."""
        cut = torch.zeros_like(self.lower, dtype=torch.bool).scatter_(1, inputs[:, None], True)
        below = replace(self, upper=torch.where(cut, self.images, self.upper))
        above = replace(self, lower=torch.where(cut, self.images, self.lower))
        both = below.joined(above)
        return replace(both, levels=both.levels + 1)

    def __getitem__(self, chosen: slice | Tensor) -> Boxes:
        return Boxes(*(each[chosen] for each in self._fields))

    def joined(self, more: Boxes) -> Boxes:
        """These and others."""
        return Boxes(*map(torch.cat, zip(self._fields, more._fields, strict=True)))

    @property
    def _fields(self) -> tuple[Tensor, ...]:
        return self.lower, self.upper, self.levels, self.numbers

    def __len__(self) -> int:
        return len(self.lower)
