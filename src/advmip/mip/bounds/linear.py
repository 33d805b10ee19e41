"""Bounds by linear forms, pulled back through the network from its neurons to the image.

With the slope of the upper line for the lower one as well (`lines.py`), these are the bounds of
Wong & Kolter (2018), which are the training loss of their networks; with slope 1 where u > -l and 0
elsewhere, those of CROWN (Zhang et al. 2018), which are never looser for a single neuron.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from advmip.errors import InputError
from advmip.mip.bounds.balls import Region
from advmip.mip.bounds.input_cuts import Box, InputCuts
from advmip.mip.bounds.lines import (
    Lines,
    Multipliers,
    Sides,
    adaptive,
    dot,
    pulled_back,
    safe,
)
from advmip.mip.bounds.operators import Stage, longest_sum
from advmip.mip.deadline import has_deadline, time_is_up

# Forms are pulled back in portions of at most so many numbers, and where there is a deadline of at
# most so many products.
_PORTION, _PRODUCTS = 2**24, 2**27
# Square, and still no overflow in float64; what is larger, or not a number, is refused.
_LARGEST = 1e100


@dataclass(frozen=True)
class Forms:
    """Lower bounds of linear forms, and how sensitive they are.

    Attributes:
        least: The bounds (N, S).
        inputs: The forms in the image behind them (N or 1, S, pixels).
        weight: By how much the forms move at most if every neuron's input moves by 1, each along
            its lines (N, S); 1 where bounds are not widened.
        rounding: What rounding may have done to the bounds, which is subtracted already (N, S).
    """

    least: Tensor
    inputs: Tensor
    weight: Tensor
    rounding: Tensor


LowerSlope = Callable[[Sides], Tensor]


class LinearBounds:
    """Bounds of a network's neurons over points around N images, layer by layer.

    Everything is differentiable, in the images and in what the stages are made of.

    With `outward`, bounds are widened by what rounding can do to them. A sum of n products, in any
    order, is off by less than 2 n e times the sum of their absolute values, e being half the
    spacing of floats at 1. What enters a neuron sums to at most m = |W| x + |b| in absolute values,
    x being the largest values of the layers before it; so an error in a form's coefficients, or in
    the lines that replace a neuron, moves the form by at most 2 n e |c| m, with c the form's
    coefficient of the neuron and n the longest sum. That is added up over all neurons and pixels.

    Args:
        stages: The network.
        region: The points around them.
        slope: Of the lower line of an unstable neuron.
        outward: Whether to widen the bounds by their rounding; not needed in training.

    Attributes:
        largest_rounding: By how much any bound so far was widened at most.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        region: Region,
        slope: LowerSlope = adaptive,
        *,
        outward: bool = True,
    ) -> None:
        self._stages = stages
        self._region = region
        self._slope = slope
        self._outward = outward
        widths = (region.images.shape[1], *(stage.width for stage in stages))
        count = max(longest_sum(stages), *widths) + 4 * len(stages) + 16
        self._rounding = 2.0 * count * torch.finfo(region.images.dtype).eps if outward else 0.0
        self._magnitudes: list[Tensor] = []
        self._sides: list[Sides] = []
        self.largest_rounding = 0.0

    def by_intervals(self) -> list[Sides]:
        """Bound all neurons by interval arithmetic alone."""
        self._sides, self._magnitudes = [], []
        for stage in self._stages:
            self._measure(stage)
            self._sides.append(self._interval(stage))
        return self._sides

    def by_forms(self) -> list[Sides]:
        """Bound all neurons, those whose sign interval arithmetic leaves open by linear forms.

        A neuron is pulled back for all images if it is open for one, but no image's bounds depend
        on the others'. Out of time, intervals stand.
        """
        self._sides, self._magnitudes = [], []
        for depth, stage in enumerate(self._stages):
            self._measure(stage)
            sides = self._interval(stage)
            last = depth == len(self._stages) - 1
            asked = torch.ones_like(sides.lower, dtype=torch.bool) if last else sides.unstable()
            self._sides.append(self._tightened(depth, sides, asked))
        return self._sides

    def given(self, sides: Sequence[Sides]) -> None:
        """Take bounds of the first layers' neurons as they are, in place of all known so far."""
        self._sides, self._magnitudes = [], []
        self._measure(self._stages[0])
        for each in sides:
            self.add(each)

    def add(self, sides: Sides) -> None:
        """Take bounds of the next layer's neurons as they are."""
        self._sides.append(sides)
        self._measure(self._stages[len(self._sides)])

    def forms(
        self,
        coefficients: Tensor,
        chosen: Multipliers | None = None,
        signs: Sequence[Tensor] = (),
        of: Tensor | None = None,
    ) -> Forms:
        """Lower bounds of linear forms in the stage after the last one that is bounded.

        Once all neurons are bounded by `by_intervals` or `by_forms`, that is the logits' stage.

        Args:
            coefficients: The forms (N or 1, S, width).
            chosen: Slopes, and multipliers of held signs; the usual slopes if left out.
            signs: The held signs (N, 1, width) of each layer: 1, -1, or 0 where none is held.
            of: Whose bounds count for each of the N, if there are not as many (N,).
        """
        depth = min(len(self._sides), len(self._stages) - 1)
        stage = self._stages[depth]
        constant = coefficients @ stage.bias
        sides, magnitudes = self._sides, self._magnitudes
        if of is not None:
            sides = [Sides(_of(each.lower, of), _of(each.upper, of)) for each in sides]
            magnitudes = [_of(each, of) for each in magnitudes]
        products = dot(coefficients.abs(), magnitudes[depth])
        forms = stage.pulled_back(coefficients)
        known = list(zip(sides[:depth], magnitudes, strict=False))
        cuts = self._cuts(sides, chosen, of) if chosen is not None else []
        return self._pulled(known, forms, constant, products, chosen, signs, cuts)

    def _cuts(
        self, sides: Sequence[Sides], chosen: Multipliers, of: Tensor | None
    ) -> list[InputCuts | None]:
        """The cuts of each layer whose levels are chosen, for one form of N images."""
        found: list[InputCuts | None] = []
        for stage, own, levels in zip(self._stages, sides, chosen.levels, strict=False):
            kept = own.unstable().any(0).nonzero()[:, 0]
            if not levels.numel() or not len(kept):
                found.append(None)
                continue
            (layer,) = stage.terms
            lower, upper = self.reach(layer)
            box = (lower, upper) if of is None else (_of(lower, of), _of(upper, of))
            found.append(InputCuts.at(stage, kept, box, levels[:, 0]))
        return found

    def _measure(self, stage: Stage) -> None:
        """Note the largest sum (N, width) of absolute products that enters each neuron.

        Only its rounding asks for that: without, it counts as 0.
        """
        if not self._outward:
            self._magnitudes.append(stage.bias.new_zeros(1, stage.width))
            return
        terms = (term.magnitude(self._largest(layer)) for layer, term in stage.terms.items())
        magnitude = sum(terms, stage.bias.abs()[None])
        if not (magnitude < _LARGEST).all():
            raise InputError(
                subject="network to be bounded",
                found=f"sums of up to {float(magnitude.max()):.3g} that enter a neuron",
                expected=f"below {_LARGEST:.0e}, so that no bound of it overflows",
                mend="rescale the weights",
            )
        self._note(self._rounding * magnitude)
        self._magnitudes.append(magnitude)

    def _note(self, rounding: Tensor) -> None:
        if rounding.numel():
            self.largest_rounding = max(self.largest_rounding, float(rounding.detach().max()))

    def reach(self, layer: int) -> Box:
        """The least and the largest values (N, width) of a layer: 0 is the image."""
        if layer == 0:
            lower, upper = self._region.box
            return self._region.images + lower, self._region.images + upper
        sides = self._sides[layer - 1]
        return sides.lower.clamp(min=0.0), sides.upper.clamp(min=0.0)

    def _largest(self, layer: int) -> Tensor:
        """The largest absolute values (N, width) of a layer."""
        lower, upper = self.reach(layer)
        return torch.maximum(lower.abs(), upper.abs())

    def _interval(self, stage: Stage) -> Sides:
        """Bounds by interval arithmetic, of a stage that is measured."""
        centre, radius = stage.bias[None], self._rounding * self._magnitudes[-1]
        for layer, term in stage.terms.items():
            lower, upper = self.reach(layer)
            centre = centre + term.applied((lower + upper) / 2)
            radius = radius + term.magnitude((upper - lower) / 2)
        return Sides(centre - radius, centre + radius)

    def _tightened(self, depth: int, sides: Sides, asked: Tensor) -> Sides:
        """The same bounds, those of some neurons (N, width) by linear forms as well."""
        stage, magnitude = self._stages[depth], self._magnitudes[depth]
        known = list(zip(self._sides[:depth], self._magnitudes, strict=False))
        kept = asked.any(0).nonzero()[:, 0]
        found = []
        portion = self._portion(depth)
        for start in range(0, len(kept), portion):
            if time_is_up():
                kept = kept[:start]
                break
            some = kept[start : start + portion]
            rows, bias = stage.rows(some), stage.bias[some]
            both = {layer: torch.cat([form, -form], 1) for layer, form in rows.items()}
            constant = torch.cat([bias, -bias])[None]
            products = magnitude[:, some].repeat(1, 2)
            found.append(self._pulled(known, both, constant, products).least)
        if not found:
            return sides
        lower, upper = (torch.cat([each.chunk(2, 1)[side] for each in found], 1) for side in (0, 1))
        tight = sides.intersected(
            Sides(
                sides.lower.index_copy(1, kept, lower),
                sides.upper.index_copy(1, kept, -upper),
            )
        )
        return Sides(
            torch.where(asked, tight.lower, sides.lower),
            torch.where(asked, tight.upper, sides.upper),
        )

    def _portion(self, depth: int) -> int:
        """How many neurons of a stage are pulled back at a time."""
        twice = 2 * len(self._region.images)
        portion = _PORTION // (twice * max(each.width for each in self._stages))
        if has_deadline():
            products = sum(each.width * longest_sum([each]) for each in self._stages[:depth])
            products += self._region.images.shape[1]
            portion = min(portion, _PRODUCTS // (twice * products))
        return max(1, portion)

    def _pulled(
        self,
        known: Sequence[tuple[Sides, Tensor]],
        forms: dict[int, Tensor],
        constant: Tensor,
        products: Tensor,
        chosen: Multipliers | None = None,
        signs: Sequence[Tensor] = (),
        cuts: Sequence[InputCuts | None] = (),
    ) -> Forms:
        """Lower bounds of forms in the layers before a stage.

        Args:
            known: Bounds of the layers before it, and their largest sums of absolute products.
            forms: Coefficients (N or 1, S, width) by layer.
            constant: What the forms have besides (N or 1, S).
            products: The sum of absolute products behind them (N or 1, S).
            chosen: As for `forms`.
            signs: As for `forms`.
            cuts: Of each layer, which have the chosen weights in its upper bounds.
        """
        lines = [Lines.between(sides) for sides, _ in known]
        if chosen is None:
            slopes = [self._slope(safe(sides))[:, None] for sides, _ in known]
            prices: list[Tensor] = []
            weights: list[Tensor] = []
        else:
            slopes, weights = chosen.slopes, chosen.weights
            prices = [-s * b for s, b in zip(signs, chosen.signs, strict=True)]
        rising = [each.rising(some) for each, some in zip(lines, slopes, strict=True)]
        weight = torch.ones_like(products)

        def widen(layer: int, above: Tensor, _: Tensor) -> None:
            nonlocal products, weight
            sides, magnitude = known[layer - 1]
            passing = (sides.upper > 0) | (sides.lower >= 0)
            products = products + dot(above.abs(), torch.where(passing, magnitude, 0.0))
            weight = weight + dot(above.abs(), passing.to(above.dtype))
            if weights:
                # A cut's constant is a difference of sums of such products, its form one more.
                products = products + 4.0 * dot(above.abs() * weights[layer - 1], magnitude)
            if prices:
                products = products + dot(prices[layer - 1].abs(), magnitude)

        seen = widen if self._outward else _unseen
        form, constant = pulled_back(
            self._stages, lines, rising, forms, constant, seen, prices, cuts, weights
        )
        if form is None:
            form = constant.new_zeros(*constant.shape, self._region.images.shape[1])
        constant = constant + self._region.least(form)
        if self._outward:
            products = products + dot(form.abs(), self._largest(0))
        rounding = self._rounding * products
        self._note(rounding)
        return Forms(constant - rounding, form, weight, rounding)


def _of(values: Tensor, chosen: Tensor) -> Tensor:
    """Those of some images, unless all have the same."""
    return values if len(values) == 1 else values[chosen]


def _unseen(layer: int, above: Tensor, taken: Tensor) -> None:
    """Without rounding, coefficients do not matter."""


def margin_forms(labels: Tensor, classes: int, dtype: torch.dtype) -> Tensor:
    """The forms o_y - o_j (N, classes, classes) for each class j; nothing but zeros for j = y."""
    every = torch.eye(classes, dtype=dtype)
    return every[labels][:, None, :] - every[None]
