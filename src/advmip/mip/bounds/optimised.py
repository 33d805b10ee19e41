"""The best lines: slopes and multipliers that make a bound by linear forms as large as possible.

The bound is concave in the multipliers of held signs and piecewise smooth in the slopes of the
lower lines. Its derivative needs no record of how it came about: the region's point at which the
form is least, sent forward through the lines that the form took, gives the input p of each neuron
there, and the bound grows by c p with the lower line's slope, c > 0 being the form's coefficient of
the neuron, and by -s p with the multiplier of a sign s (Xu et al. 2021, alpha-CROWN; Wang et al.
2021, beta-CROWN, which take both from automatic differentiation). It grows by -c d with the share
of a cut in the upper bound, c < 0, where the cut is lower by d than the triangle; every few steps
cuts are taken anew, at the mean of the latest such points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from advmip.checking.proofs.numbers import QUARTERS
from advmip.mip.bounds.balls import Ball
from advmip.mip.bounds.input_cuts import Box, InputCuts, share_of
from advmip.mip.bounds.lines import Lines, Multipliers, pulled_back
from advmip.mip.bounds.operators import Stage
from advmip.mip.deadline import time_is_up

# By which the steps shrink, one after the other, and Adam's usual numbers.
_DECAY = 0.98
_MOMENTUM, _SPREAD, _TINY = 0.9, 0.999, 1e-8
# The first steps' lengths.
_SLOPE_STEP, _SIGN_STEP, _CUT_STEP = 0.1, 0.2, 0.3
# How many steps cuts stay, and how much of the mean point the last one leaves of those before.
_CUTS_STAY, _MEAN = 3, 0.8


@dataclass(frozen=True)
class Attained:
    """A bound, and where it is attained.

    Attributes:
        least: The bound (N, S).
        above: The form's coefficients of each layer's neurons, by layer (N, S, width).
        entering: What enters each layer there, through the form's lines, by layer (N, S, width).
        leaving: What leaves it; of layer 0, the region's point (N, S, pixels).
        lowered: By how much cuts are lower than the triangles there, by layer (N, S, width).
    """

    least: Tensor
    above: dict[int, Tensor]
    entering: dict[int, Tensor]
    leaving: dict[int, Tensor]
    lowered: dict[int, Tensor]


class OptimisedForms:
    """Bounds of linear forms in what enters a stage, by the best lines.

    Nothing here is widened by rounding: what is found is proved by `LinearBounds`.

    Args:
        stages: The network, in the precision of the search.
        ball: The points, around one image, in the same precision.
    """

    def __init__(self, stages: Sequence[Stage], ball: Ball) -> None:
        self._stages = stages
        self._ball = ball

    def attained(
        self,
        depth: int,
        coefficients: Tensor,
        lines: Sequence[Lines],
        chosen: Multipliers,
        signs: Sequence[Tensor] = (),
    ) -> Attained:
        """The bound of forms with given lines.

        Args:
            depth: The stage.
            coefficients: Of what enters it (N or 1, S, width).
            lines: Of the layers before it (N or 1).
            chosen: The slopes and multipliers.
            signs: The held signs (N, 1, width) of each layer: 1, -1, or 0 where none is held.
        """
        stage = self._stages[depth]
        forms, constant = stage.pulled_back(coefficients), coefficients @ stage.bias
        return self._attained(depth, forms, constant, lines, chosen, signs)

    def _attained(
        self,
        depth: int,
        forms: dict[int, Tensor],
        constant: Tensor,
        lines: Sequence[Lines],
        chosen: Multipliers,
        signs: Sequence[Tensor],
        cuts: Sequence[InputCuts | None] = (),
    ) -> Attained:
        """The bound of forms in the layers before a stage, and what they have besides."""
        above: dict[int, Tensor] = {}
        taken: dict[int, Tensor] = {}

        def seen(layer: int, coefficients: Tensor, slopes: Tensor) -> None:
            above[layer], taken[layer] = coefficients, slopes

        rising = [each.rising(some) for each, some in zip(lines, chosen.slopes, strict=True)]
        prices = [-s * b for s, b in zip(signs, chosen.signs, strict=True)]
        form, constant = pulled_back(
            self._stages,
            lines,
            rising,
            forms,
            constant,
            seen,
            prices,
            cuts,
            chosen.weights,
        )
        if form is None:
            form = constant[..., None].new_zeros(*constant.shape, self._ball.images.shape[1])
        values, points = self._ball.least_and_where(form)
        entering: dict[int, Tensor] = {}
        leaving, lowered = {0: points}, {}
        for layer in range(1, depth + 1):
            stage = self._stages[layer - 1]
            entering[layer] = _entering(stage, leaving)
            if layer not in above:
                leaving[layer] = torch.zeros_like(entering[layer])
                continue
            between, cut = lines[layer - 1], cuts[layer - 1] if cuts else None
            leaving[layer] = between.values(above[layer], taken[layer], entering[layer])
            if cut is not None:
                # Where the form takes the upper bound, what leaves is that of the triangle so far.
                upper = (between.unstable & (above[layer] < 0))[:, 0, cut.kept]
                excess = leaving[layer][:, 0, cut.kept] - cut.values(leaving[cut.layer][:, 0])
                lowered[layer] = torch.zeros_like(entering[layer])
                lowered[layer][:, 0, cut.kept] = torch.where(upper, excess, 0.0)
                leaving[layer] = leaving[layer] - chosen.weights[layer - 1] * lowered[layer]
        return Attained(constant + values, above, entering, leaving, lowered)

    def raised(
        self,
        depth: int,
        coefficients: Tensor,
        lines: Sequence[Lines],
        start: Multipliers,
        *,
        signs: Sequence[Tensor] = (),
        steps: int,
        enough: Tensor | float = torch.inf,
        boxes: Sequence[Box | None] = (),
    ) -> tuple[Tensor, Multipliers, Attained]:
        """The largest bound found by Adam's steps from a start.

        Args:
            depth: As for `attained`, as are the next two.
            coefficients: See there.
            lines: See there.
            start: The first slopes and multipliers.
            signs: The held signs, as for `attained`.
            steps: How many steps.
            enough: Once all bounds (N, S) are above this, the search ends.
            boxes: The ranges of what enters each layer before the stage, for one form of N images;
                None where there are no cuts.

        Returns:
            The bounds (N, S), what attains them, and the last step's bound.
        """
        now = start.copy()
        stage = self._stages[depth]
        forms, constant = stage.pulled_back(coefficients), coefficients @ stage.bias
        cuts = _CutSearch(self._stages, lines, boxes, now)
        found = self._attained(depth, forms, constant, lines, now, signs, cuts.cuts)
        opened = [_places(each.unstable) for each in lines]
        held = [_places(each) for each in signs]
        # Multipliers are priced in the form's own coefficients.
        units = (_mean_size(found.above.get(layer)) for layer in range(1, len(now.signs) + 1))
        climbers = [
            *(_Adam(*each, _SLOPE_STEP, 1.0) for each in zip(now.slopes, opened, strict=True)),
            *(
                _Adam(values, places, _SIGN_STEP * unit, torch.inf)
                for values, places, unit in zip(now.signs, held, units, strict=True)
            ),
            *(_Adam(*each, _CUT_STEP, 1.0) for each in zip(now.weights, opened, strict=False)),
        ]
        least = found.least
        for _ in range(steps):
            if time_is_up() or bool((least > enough).all()):
                break
            gradients = _gradients(found, now, signs, [each.places for each in climbers])
            for climber, gradient in zip(climbers, gradients, strict=True):
                if gradient is not None:
                    climber.climb(gradient)
            cuts.follow(found)
            found = self._attained(depth, forms, constant, lines, now, signs, cuts.cuts)
            better = found.least > least
            least = torch.maximum(least, found.least)
            for each in climbers:
                each.keep(better)
            cuts.keep(better)
        for each in climbers:
            each.end()
        cuts.end()
        return least, now, found


def _places(chosen: Tensor) -> Tensor:
    """The neurons that are chosen, or not 0, for any of N images (N, 1, width)."""
    return chosen.flatten(0, 1).any(0).nonzero()[:, 0]


def _gradients(
    found: Attained, chosen: Multipliers, signs: Sequence[Tensor], places: Sequence[Tensor]
) -> Iterator[Tensor | None]:
    """The derivative of a bound by slopes, multipliers and the shares of cuts, layer by layer.

    Args:
        found: The bound.
        chosen: These slopes, multipliers and shares.
        signs: The held signs.
        places: The neurons whose derivatives are asked for, in the same order.
    """
    asked = iter(places)
    for layer in range(1, len(chosen.slopes) + 1):
        some = next(asked)
        above = found.above.get(layer)
        yield (
            None
            if above is None
            else _at(above, some).clamp(min=0.0) * _at(found.entering[layer], some)
        )
    for layer, sign in enumerate(signs, 1):
        some = next(asked)
        yield -_at(sign, some) * _at(found.entering[layer], some)
    for layer in range(1, len(chosen.weights) + 1):
        some = next(asked)
        lowered = found.lowered.get(layer)
        yield None if lowered is None else -_at(found.above[layer], some) * _at(lowered, some)


def _at(values: Tensor, places: Tensor) -> Tensor:
    return values.index_select(-1, places)


class _CutSearch:
    """Cuts at the mean of the points where a bound was attained lately.

    Args:
        stages: The network.
        lines: Of the layers before the forms' stage, for one form of N images.
        boxes: The ranges of what enters them; None where there are no cuts.
        chosen: Its levels are replaced in place.

    Attributes:
        cuts: Of each layer.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        lines: Sequence[Lines],
        boxes: Sequence[Box | None],
        chosen: Multipliers,
    ) -> None:
        self._stages, self._lines = stages, lines
        self._boxes, self._levels = boxes, chosen.levels
        self._best = [each.clone() for each in chosen.levels]
        self._means = [(each[:, 0] + 0.5) / QUARTERS for each in self._levels]
        self._age = 0
        self.cuts = self._made()

    def follow(self, found: Attained) -> None:
        """Move the mean points towards those of a bound; now and then cuts follow."""
        for mean, box, stage in zip(self._means, self._boxes, self._stages, strict=False):
            if box is not None:
                (layer,) = stage.terms
                mean.lerp_(share_of(found.leaving[layer][:, 0], box), 1.0 - _MEAN)
        self._age += 1
        if self._boxes and self._age % _CUTS_STAY == 0:
            for levels, mean in zip(self._levels, self._means, strict=True):
                levels[:, 0] = (mean * QUARTERS).clamp_(max=QUARTERS - 1)
            self.cuts = self._made()

    def keep(self, better: Tensor) -> None:
        """Keep the levels of the forms (N, S) whose bound is the best so far."""
        for best, levels in zip(self._best, self._levels, strict=True):
            best[better] = levels[better]

    def end(self) -> None:
        """Go back to those that were kept last."""
        for best, levels in zip(self._best, self._levels, strict=True):
            levels.copy_(best)

    def _made(self) -> list[InputCuts | None]:
        found: list[InputCuts | None] = []
        for stage, lines, box, levels in zip(
            self._stages, self._lines, self._boxes, self._levels, strict=False
        ):
            kept = lines.unstable[:, 0].any(0).nonzero()[:, 0]
            if box is None or not len(kept):
                found.append(None)
            else:
                found.append(InputCuts.at(stage, kept, box, levels[:, 0]))
        return found


def _mean_size(coefficients: Tensor | None) -> Tensor | float:
    return 1.0 if coefficients is None else coefficients.abs().mean(-1, keepdim=True)


class _Adam:
    """Steps uphill (Kingma & Ba 2015), kept between 0 and a largest value.

    Torch's own class loads its compiler first, which takes longer than most proofs.

    Args:
        values: What is moved (N, S, width), in place.
        places: Of which neurons; most are stable, and their values do not count.
        step: The first step's length.
        largest: The largest value.

    Attributes:
        places: The neurons.
    """

    def __init__(
        self, values: Tensor, places: Tensor, step: Tensor | float, largest: float
    ) -> None:
        self.places = places
        self._values, self._step, self._largest = values, step, largest
        self._moved = _at(values, places)
        self._best = self._moved.clone()
        self._mean, self._square = torch.zeros_like(self._moved), torch.zeros_like(self._moved)
        self._count = 0

    def climb(self, gradient: Tensor) -> None:
        """One step, along a derivative by the values that are moved (N or 1, S, places)."""
        self._count += 1
        self._mean.lerp_(gradient.expand_as(self._mean), 1.0 - _MOMENTUM)
        self._square.mul_(_SPREAD).addcmul_(gradient, gradient, value=1.0 - _SPREAD)
        spread = (self._square / (1.0 - _SPREAD**self._count)).sqrt_().add_(_TINY)
        step = self._step * _DECAY ** (self._count - 1) / (1.0 - _MOMENTUM**self._count)
        self._moved.addcdiv_(self._mean * step, spread).clamp_(0.0, self._largest)
        self._values.index_copy_(-1, self.places, self._moved)

    def keep(self, better: Tensor) -> None:
        """Keep the values of the forms (N, S) whose bound is the best so far."""
        self._best[better] = self._moved[better]

    def end(self) -> None:
        """Go back to those that were kept last."""
        self._values.index_copy_(-1, self.places, self._best)


def _entering(stage: Stage, layers: dict[int, Tensor]) -> Tensor:
    """What enters a stage (N, S, width), from the layers before it."""
    first = next(iter(layers.values()))
    count, forms = first.shape[:2]
    total = stage.bias
    for layer, term in stage.terms.items():
        total = total + term.applied(layers[layer].flatten(0, 1))
    return total.reshape(count, forms, stage.width)
