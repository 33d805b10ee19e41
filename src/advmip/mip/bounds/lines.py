"""Linear forms pulled back through a network whose ReLUs are replaced by lines.

A ReLU with input p in [l, u] and l < 0 < u lies between two lines,

    a p <= max(p, 0) <= u (p - l) / (u - l),   0 <= a <= 1.

A form takes the lower line where its coefficient is positive and the upper one elsewhere, from the
last layer to the image. Where a neuron's sign s is held, s p >= 0, the bound of a form f may also
be that of f - b s p for any b >= 0 (Wang et al. 2021, beta-CROWN): p's coefficient has a price.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from advmip.checking.proofs.numbers import LEVELS
from advmip.mip.bounds.input_cuts import InputCuts
from advmip.mip.bounds.operators import Stage

# Sides that differ by less than this share are as long as each other: rounding must not decide.
_TIE = 1e-9


@dataclass(frozen=True)
class Sides:
    """Bounds lower <= value <= upper (N, width) for each of N images."""

    lower: Tensor
    upper: Tensor

    def intersected(self, other: Sides) -> Sides:
        """The common part."""
        lower = torch.maximum(self.lower, other.lower)
        return Sides(lower, torch.maximum(torch.minimum(self.upper, other.upper), lower))

    def unstable(self) -> Tensor:
        """Which values can have either sign (N, width)."""
        return (self.lower < 0) & (self.upper > 0)


@dataclass(frozen=True)
class Lines:
    """The lines of a layer's ReLUs, for each of N images; of a stable neuron, the neuron itself.

    Attributes:
        unstable: Which neurons can have either sign (N, 1, width).
        active: 1 for neurons that are always active, else 0 (N, 1, width).
        falling: The upper line's slope (N, 1, width).
        offset: Its value at 0 (N, 1, width).
    """

    unstable: Tensor
    active: Tensor
    falling: Tensor
    offset: Tensor

    @classmethod
    def between(cls, sides: Sides) -> Lines:
        """The lines between bounds."""
        unstable = sides.unstable()
        active = (sides.lower >= 0).to(sides.lower.dtype)
        steep = parallel(safe(sides))
        falling = torch.where(unstable, steep, active)
        offset = torch.where(unstable, -falling * sides.lower, 0.0)
        return cls(unstable[:, None], active[:, None], falling[:, None], offset[:, None])

    def of(self, chosen: Tensor) -> Lines:
        """Those of some images, one after the other."""
        if len(self.unstable) == 1:
            return self
        fields = (self.unstable, self.active, self.falling, self.offset)
        return Lines(*(each[chosen] for each in fields))

    def rising(self, slopes: Tensor) -> Tensor:
        """The lower line's slope (N, S, width), where that of unstable neurons is given."""
        return torch.where(self.unstable, slopes, self.active)

    def values(self, above: Tensor, taken: Tensor, entering: Tensor) -> Tensor:
        """What the lines that a form takes make of the neurons' inputs (N, S, width).

        Args:
            above: The form's coefficients of the neurons (N, S, width).
            taken: The slopes of these lines.
            entering: The inputs.
        """
        return torch.addcmul(torch.where(above > 0, 0.0, self.offset), taken, entering)


@dataclass
class Multipliers:
    """What a bound by forms may choose, by layer; each (N, S, width), in place.

    Attributes:
        slopes: Of the lower lines, in [0, 1].
        signs: Of the held signs s p >= 0, at least 0; without layers if none is held.
        weights: The share that cuts in a layer's inputs have in its upper bounds, in [0, 1];
            without layers if there are no cuts.
        levels: The points (N, S, inputs) at which the cuts are lowest (`input_cuts.py`).
    """

    slopes: list[Tensor]
    signs: list[Tensor] = field(default_factory=list)
    weights: list[Tensor] = field(default_factory=list)
    levels: list[Tensor] = field(default_factory=list)

    @classmethod
    def joined(cls, parts: Sequence[Multipliers]) -> Multipliers:
        """Those of all forms of several portions."""
        fields = zip(*(part._fields for part in parts), strict=True)
        return cls(*([torch.cat(each, 1) for each in zip(*f, strict=True)] for f in fields))

    @property
    def _fields(self) -> tuple[list[Tensor], ...]:
        return self.slopes, self.signs, self.weights, self.levels

    def _each(self, change: Callable[[Tensor], Tensor]) -> Multipliers:
        return Multipliers(*([change(each) for each in some] for some in self._fields))

    def items(self, chosen: Tensor | slice) -> Multipliers:
        """Those of some of the S forms."""
        return self._each(lambda each: each[:, chosen])

    def swapped(self) -> Multipliers:
        """The same ones with N and S exchanged: of one image S forms, or one form of S images."""
        return self._each(lambda each: each.transpose(0, 1))

    def double(self) -> Multipliers:
        """The same ones in float64, where they lie in their ranges as well."""
        return self._each(lambda each: each.double() if each.is_floating_point() else each)

    def rounded(self) -> Multipliers:
        """The nearest ones that a proof in a file can keep (`checking/proofs/numbers.py`)."""
        return Multipliers(
            [(each * LEVELS).round_().div_(LEVELS) for each in self.slopes],
            [each.bfloat16().to(each.dtype) for each in self.signs],
            [(each * LEVELS).round_().div_(LEVELS) for each in self.weights],
            self.levels,
        )

    def copy(self) -> Multipliers:
        """The same ones once more."""
        return self._each(Tensor.clone)


def safe(sides: Sides) -> Sides:
    """The same bounds, and -1 and 1 where a neuron is stable, whose lines need none."""
    unstable = sides.unstable()
    return Sides(torch.where(unstable, sides.lower, -1.0), torch.where(unstable, sides.upper, 1.0))


def adaptive(sides: Sides) -> Tensor:
    """CROWN's slope of the lower line: whichever of 0 and 1 leaves the smaller triangle."""
    return (sides.upper > -sides.lower * (1.0 + _TIE)).to(sides.lower.dtype)


def parallel(sides: Sides) -> Tensor:
    """Wong & Kolter's slope of the lower line: that of the upper one."""
    return sides.upper / (sides.upper - sides.lower)


def pulled_back(
    stages: Sequence[Stage],
    lines: Sequence[Lines],
    rising: Sequence[Tensor],
    forms: dict[int, Tensor],
    constant: Tensor,
    seen: Callable[[int, Tensor, Tensor], None],
    prices: Sequence[Tensor] = (),
    cuts: Sequence[InputCuts | None] = (),
    weights: Sequence[Tensor] = (),
) -> tuple[Tensor | None, Tensor]:
    """Forms in the image, from forms in the layers before a stage.

    Args:
        stages: The network.
        lines: Of each layer before that stage.
        rising: The slopes (N, 1 or S, width) of their lower lines.
        forms: Coefficients (N or 1, S, width) by layer.
        constant: What the forms have besides (N or 1, S).
        seen: Is told each layer, the form's coefficients of it and the slopes of the lines that it
            takes, from the last one on.
        prices: -b s of each layer's neurons (N, S, width), 0 where no sign is held.
        cuts: Of each layer, for one form of N images; None where there are none.
        weights: Their share in the upper bounds (N, 1, width).

    Returns:
        The form in the image (N or 1, S, pixels), None if it hangs on no pixel; and its constant.
    """
    waiting = dict(forms)
    for layer in range(max(waiting), 0, -1):
        if layer not in waiting:
            continue
        above, between = waiting.pop(layer), lines[layer - 1]
        stage = stages[layer - 1]
        taken = torch.where(above > 0, rising[layer - 1], between.falling)
        seen(layer, above, taken)
        below = above * taken
        negative = above.clamp(max=0.0)
        pulled: list[tuple[int, Tensor]] = []
        cut = cuts[layer - 1] if cuts else None
        if cut is not None:
            share = negative * torch.where(between.unstable, weights[layer - 1], 0.0)
            negative, below = negative - share, below - share * between.falling
            kept = share[:, 0, cut.kept]
            constant = constant + (kept * cut.constant).sum(-1, keepdim=True)
            pulled.append((cut.layer, cut.pulled_back(kept)[:, None]))
        constant = constant + dot(negative, between.offset[:, 0])
        if prices:
            below = below + prices[layer - 1]
        constant = constant + below @ stage.bias
        pulled += stage.pulled_back(below).items()
        for earlier, form in pulled:
            waiting[earlier] = waiting[earlier] + form if earlier in waiting else form
    return waiting.get(0), constant


def dot(forms: Tensor, values: Tensor) -> Tensor:
    """The product (N, S) of forms (N or 1, S, width) and values (N or 1, width)."""
    if len(values) == 1:
        return forms @ values[0]
    if forms.shape[1] == 1:
        return (forms[:, 0] * values).sum(-1, keepdim=True)
    return (forms @ values[:, :, None])[..., 0]
