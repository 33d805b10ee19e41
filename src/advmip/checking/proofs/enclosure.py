"""Bounds of a network's neurons and of linear forms in its outputs, with all rounding counted.

A form c . max(p, 0) in the neurons of a layer is bounded by one in what enters them, p in [l, u]:

    c max(p, 0)  >=  b p + d,   d = the least of  c max(p, 0) - b p  at  p = l, p = u,

and p = 0 if that lies between. This holds for every number b, since the difference is linear on
both sides of 0. So no slope that is given can make a bound wrong, and neither can the multiplier of
a held sign, which moves b while the sign narrows [l, u].

Rounding. The numbers b, and the coefficients that b W is rounded to, are taken as they are. With e
half the spacing of floats at 1, a sum of n products is off by at most n e / (1 - n e) times the sum
of their absolute values, in any order and with fused operations too (Higham 2002, Section 3.1).
What b W is off by, times the values of the layer before, is at most that share of |b| m, where
m = |W| x + |bias| and x are the largest absolute values there; what d is off by is at most that
share of |c| max(u, 0) + |b| max(|l|, |u|). These are added up over all layers, and a bound is
lowered by their sum times (n + 2 k + 16) 2e, k being the number of layers: twice as much as
needed, which pays for the rounding of the sum itself. Products that underflow are off by less than
1e-300 each, which 1e-150 covers as long as no sum of absolute products exceeds 1e100; networks of
larger ones are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advmip.checking.proofs.input_cuts import PRODUCTS, Cuts
from advmip.checking.proofs.regions import Region, Vector, dot, largest
from advmip.errors import InputError
from advmip.networks.staged import AffineMap, Matrix, StagedNetwork

Indices = NDArray[np.intp]

# A matrix with a larger share of entries is faster as a dense one.
_DENSE = 0.3
# Forms are pulled back in portions of at most so many numbers.
_PORTION = 2**21
_LARGEST, _UNDERFLOW = 1e100, 1e-150
# Sides that differ by less than this share are as long as each other: rounding must not decide.
_TIE = 1e-9


@dataclass(frozen=True, eq=False)
class Sides:
    """Bounds lower <= value <= upper (N, width) of what enters each neuron of a layer."""

    lower: Vector
    upper: Vector

    @property
    def unstable(self) -> NDArray[np.bool_]:
        """Which can have either sign (N, width)."""
        return (self.lower < 0) & (self.upper > 0)

    def held(self, neuron: int, positive: bool) -> Sides:
        """The bounds of those points at which a neuron has a sign."""
        lower, upper = self.lower.copy(), self.upper.copy()
        if positive:
            lower[:, neuron] = np.maximum(lower[:, neuron], 0.0)
        else:
            upper[:, neuron] = np.minimum(upper[:, neuron], 0.0)
        return Sides(lower, upper)


@dataclass(frozen=True, eq=False)
class Given:
    """Numbers of a layer's neurons, by which S forms are bounded in a region.

    Attributes:
        sloped: Neurons whose lower line has a given slope; others have the usual one.
        slopes: The slopes (S, sloped).
        held: Neurons whose sign is held.
        prices: What each adds to a form's coefficient of the neuron's input (S, held).
        cuts: Those of the sloped neurons; None if there are none.
    """

    sloped: Indices
    slopes: Vector
    held: Indices
    prices: Vector
    cuts: Cuts | None = None

    def items(self, chosen: slice | NDArray[np.bool_]) -> Given:
        """Those of some of the forms."""
        return Given(
            self.sloped,
            self.slopes[chosen],
            self.held,
            self.prices[chosen],
            None if self.cuts is None else self.cuts.items(chosen),
        )


class Map:
    """A matrix (outputs, inputs) between two layers."""

    def __init__(self, matrix: Matrix) -> None:
        self._dense = matrix.nnz > _DENSE * matrix.shape[0] * matrix.shape[1]
        self._matrix: Any = matrix.toarray() if self._dense else matrix
        self._transposed: Any = None if self._dense else Matrix(matrix.T)
        self._absolute: Any = abs(self._matrix)

    def applied(self, values: Vector) -> Vector:
        """Outputs (N, outputs) of values (N, inputs)."""
        return np.asarray((self._matrix @ values.T).T)

    def magnitude(self, values: Vector) -> Vector:
        """Outputs (N, outputs) by the absolute entries."""
        return np.asarray((self._absolute @ values.T).T)

    def pulled_back(self, forms: Vector) -> Vector:
        """Forms (N, S, inputs) from forms (N, S, outputs)."""
        flat = forms.reshape(-1, forms.shape[-1])
        pulled = flat @ self._matrix if self._dense else (self._transposed @ flat.T).T
        return np.ascontiguousarray(pulled).reshape(*forms.shape[:2], -1)

    def rows(self, kept: Indices) -> Vector:
        """Some of the outputs as forms (kept, inputs)."""
        rows = self._matrix[kept]
        return np.asarray(rows if self._dense else rows.toarray())


class Stage:
    """An affine map of earlier layers: 0 is the image, k the k-th ReLU."""

    def __init__(self, stage: AffineMap) -> None:
        self.terms = {layer: Map(matrix) for layer, matrix in stage.terms.items()}
        self.bias = stage.bias

    def pulled_back(self, forms: Vector) -> dict[int, Vector]:
        """Forms in each layer that is read, from forms (N, S, outputs)."""
        return {layer: term.pulled_back(forms) for layer, term in self.terms.items()}

    def rows(self, kept: Indices) -> dict[int, Vector]:
        """Some of the outputs as forms (1, kept, width) in each layer that is read."""
        return {layer: term.rows(kept)[None] for layer, term in self.terms.items()}


class Stages:
    """A network's affine maps, the outputs' last.

    Args:
        network: The network.
    """

    def __init__(self, network: StagedNetwork) -> None:
        self.every = [Stage(stage) for stage in (*network.hidden, network.output)]
        widths = [network.pixels, *(len(stage.bias) for stage in self.every)]
        count = max(widths) + 2 * len(self.every) + 16
        self.widest = max(widths)
        self.rounding = count * float(np.finfo(np.float64).eps)


class Enclosure:
    """Bounds over N regions, layer by layer.

    Args:
        stages: The network.
        region: The regions.
        sides: Bounds of the first layers of ReLUs that are known already.
        magnitudes: The m of each stage (N, width) over regions that hold these; found if left out.
    """

    def __init__(
        self,
        stages: Stages,
        region: Region,
        sides: Sequence[Sides] = (),
        magnitudes: Sequence[Vector] = (),
    ) -> None:
        self._stages, self._region = stages, region
        self.sides = list(sides)
        self.magnitudes = list(magnitudes)

    def by_usual_forms(self) -> list[Sides]:
        """Bound all neurons: by intervals, and where these leave a sign open by the usual lines."""
        for depth in range(len(self._stages.every) - 1):
            interval = self.interval(depth)
            asked = interval.unstable
            tight = self.tightened(interval, np.flatnonzero(asked.any(0)))
            # No region's bounds depend on the others'.
            lower = np.where(asked, tight.lower, interval.lower)
            upper = np.where(asked, tight.upper, interval.upper)
            self.sides.append(Sides(lower, upper))
        return self.sides

    def interval(self, depth: int) -> Sides:
        """Bounds of a stage whose layers are bounded, by interval arithmetic."""
        stage = self._stages.every[depth]
        centre: Vector = stage.bias[None]
        radius: Vector = self._stages.rounding * self._magnitude(depth)
        for layer, term in stage.terms.items():
            lower, upper = self._reach(layer)
            centre = centre + term.applied((lower + upper) / 2)
            radius = radius + term.magnitude((upper - lower) / 2)
        return Sides(centre - radius, centre + radius)

    def tightened(self, sides: Sides, kept: Indices, given: Sequence[Given] = ()) -> Sides:
        """Bounds of the next layer of ReLUs, those of some neurons by forms as well.

        Args:
            sides: What is known.
            kept: The neurons.
            given: Of each layer before, for their lower bounds and then their negative upper ones;
                the usual lines if left out.
        """
        depth = len(self.sides)
        lower, upper = sides.lower.copy(), sides.upper.copy()
        portion = max(1, _PORTION // (len(lower) * self._stages.widest))
        stage = self._stages.every[depth]
        for start in range(0, len(kept), portion):
            some = kept[start : start + portion]
            rows = stage.rows(some)
            for sign, first in ((1.0, 0), (-1.0, len(kept))):
                forms = {layer: sign * form for layer, form in rows.items()}
                chosen = slice(first + start, first + start + len(some))
                used = [each.items(chosen) for each in given]
                products = self._magnitude(depth)[:, some]
                bound = self.bound(forms, sign * stage.bias[None, some], products, used)
                if sign > 0:
                    lower[:, some] = np.maximum(lower[:, some], bound)
                else:
                    upper[:, some] = np.minimum(upper[:, some], -bound)
        return Sides(lower, upper)

    def conditions(
        self, inside: Vector, outside: Vector, constant: Vector, given: Sequence[Given] = ()
    ) -> Vector:
        """Lower bounds (N, S) of forms in inputs and outputs, all neurons being bounded.

        Args:
            inside: Coefficients (S, inputs).
            outside: Coefficients (S, outputs).
            constant: What is added (S,).
            given: Of each layer; the usual lines if left out.
        """
        return self.bound(*self.of_outputs(inside, outside, constant), given)

    def of_outputs(
        self, inside: Vector, outside: Vector, constant: Vector
    ) -> tuple[dict[int, Vector], Vector, Vector]:
        """Forms in inputs and outputs, one stage further back; for `bound` and `pulled_back`."""
        depth = len(self._stages.every) - 1
        stage = self._stages.every[depth]
        forms = stage.pulled_back(outside[None])
        forms[0] = forms[0] + inside[None] if 0 in forms else inside[None].copy()
        products = dot(np.abs(outside[None]), self._magnitude(depth)) + np.abs(constant)
        return forms, constant + (outside @ stage.bias)[None], products

    def of_intervals(
        self, inside: Vector, outside: Vector, constant: Vector, outputs: Sides
    ) -> Vector:
        """Lower bounds (N, S) of forms in inputs and outputs, from bounds of the outputs alone."""
        rising, falling = np.maximum(outside, 0.0)[None], np.minimum(outside, 0.0)[None]
        values = dot(rising, outputs.lower) + dot(falling, outputs.upper)
        farthest = np.maximum(np.abs(outputs.lower), np.abs(outputs.upper))
        products = dot(np.abs(outside[None]), farthest) + np.abs(constant)
        return self.concluded(inside[None], constant + values, products)

    def bound(
        self,
        forms: Mapping[int, Vector],
        constant: Vector,
        products: Vector,
        given: Sequence[Given] = (),
    ) -> Vector:
        """Lower bounds (N, S) of forms in the layers that are bounded.

        Args:
            forms: Coefficients (N or 1, S, width) by layer.
            constant: What is added (N or 1, S).
            products: The absolute products that they come from (N or 1, S).
            given: Of each layer; the usual lines if left out.
        """
        return self.concluded(*self.pulled_back(forms, constant, products, given))

    def pulled_back(
        self,
        forms: Mapping[int, Vector],
        constant: Vector,
        products: Vector,
        given: Sequence[Given] = (),
    ) -> tuple[Vector, Vector, Vector]:
        """The same forms in the inputs alone: coefficients, what is added, absolute products."""
        waiting = dict(forms)
        for layer in range(max(waiting, default=0), 0, -1):
            if layer not in waiting:
                continue
            above, sides = waiting.pop(layer), self.sides[layer - 1]
            own = given[layer - 1] if given else None
            stage, magnitude = self._stages.every[layer - 1], self._magnitude(layer - 1)
            if own is not None and own.cuts is not None:
                taken, earlier, form, more = self._cut(layer, above, own.sloped, own.cuts)
                above, constant = above - taken, constant + more
                products = products + PRODUCTS * dot(np.abs(taken), magnitude)
                waiting[earlier] = waiting[earlier] + form if earlier in waiting else form
            below, drop = _through(above, sides, own)
            reach = magnitude + np.maximum(np.abs(sides.lower), np.abs(sides.upper))
            products = products + dot(np.abs(below), reach)
            products = products + dot(np.abs(above), np.maximum(sides.upper, 0.0))
            constant = constant + drop + below @ stage.bias
            for earlier, form in stage.pulled_back(below).items():
                waiting[earlier] = waiting[earlier] + form if earlier in waiting else form
        inputs = self._region.lower.shape[1]
        return waiting.get(0, np.zeros((1, constant.shape[-1], inputs))), constant, products

    def concluded(self, inputs: Vector, constant: Vector, products: Vector) -> Vector:
        """Lower bounds (N, S) of forms (N or 1, S, inputs), with what was rounded before."""
        least, more = self._region.least(inputs)
        products = products + more
        if not (products < _LARGEST).all():
            raise _too_large(float(products.max()))
        bound: Vector = constant + least - self._stages.rounding * products - _UNDERFLOW
        return bound

    def _cut(
        self, layer: int, above: Vector, neurons: Indices, cuts: Cuts
    ) -> tuple[Vector, int, Vector, Vector]:
        """What cuts take of forms (1, S, width) in a layer, and bound by what enters it.

        Returns:
            The coefficients that they take (1, S, width); the layer that enters; forms in it
            (1, S, width of that); and what these have besides (1, S).
        """
        stage = self._stages.every[layer - 1]
        ((earlier, term),) = stage.terms.items()
        cut = np.minimum(above[0][:, neurons], 0.0) * cuts.weights
        cut *= self.sides[layer - 1].unstable[0, neurons]
        lower, upper = self._reach(earlier)
        rows, bias = term.rows(neurons), stage.bias[neurons]
        form, more = cuts.pulled_back(cut, rows, bias, lower[0], upper[0])
        taken = np.zeros((1, len(cut), above.shape[2]))
        taken[0][:, neurons] = cut
        return taken, earlier, form[None], more[None]

    def _reach(self, layer: int) -> tuple[Vector, Vector]:
        """The least and the largest values (N, width) of a layer."""
        if layer == 0:
            return self._region.lower, self._region.upper
        sides = self.sides[layer - 1]
        return np.maximum(sides.lower, 0.0), np.maximum(sides.upper, 0.0)

    def _magnitude(self, depth: int) -> Vector:
        """The largest sum (N, width) of absolute products that enters each neuron of a stage."""
        if depth == len(self.magnitudes):
            stage = self._stages.every[depth]
            total = np.abs(stage.bias)[None]
            for layer, term in stage.terms.items():
                values = largest(self._region) if layer == 0 else self._reach(layer)[1]
                total = total + term.magnitude(values)
            if not (total < _LARGEST).all():
                raise _too_large(float(total.max()))
            self.magnitudes.append(total)
        return self.magnitudes[depth]


def _through(above: Vector, sides: Sides, given: Given | None) -> tuple[Vector, Vector]:
    """Forms in what enters a layer's neurons, from forms in the neurons.

    Args:
        above: Coefficients c (N or 1, S, width) of the neurons.
        sides: Bounds (N, width) of what enters them.
        given: Slopes and prices; the usual slopes if left out.

    Returns:
        The coefficients b (N, S, width), and the sum (N, S) of all d.
    """
    below = above * (sides.lower >= 0)[:, None]
    curved = np.asarray(sides.unstable.any(0))
    if given is not None:
        curved[given.held] = True
    places = np.flatnonzero(curved)
    lower, upper = sides.lower[:, None, places], sides.upper[:, None, places]
    unstable = (lower < 0) & (upper > 0)
    steep = np.where(unstable, upper / np.where(unstable, upper - lower, 1.0), lower >= 0)
    flat = np.where(unstable, upper > -lower * (1.0 + _TIE), lower >= 0).astype(np.float64)
    taken = above[..., places]
    if given is not None:
        flat = np.repeat(flat, taken.shape[1], axis=1)
        spot = np.full(len(curved), -1)
        spot[places] = np.arange(len(places))
        known = spot[given.sloped] >= 0
        flat[0][:, spot[given.sloped[known]]] = given.slopes[:, known]
    flat = np.where(unstable, flat, lower >= 0)
    moved = taken * np.where(taken > 0, flat, steep)
    if given is not None:
        moved[0][:, spot[given.held]] += given.prices
    drop = np.minimum(
        taken * np.maximum(lower, 0.0) - moved * lower,
        taken * np.maximum(upper, 0.0) - moved * upper,
    )
    drop = np.where(unstable, np.minimum(drop, 0.0), drop)
    below[..., places] = moved
    return below, drop.sum(-1)


def _too_large(found: float) -> InputError:
    return InputError(
        subject="network of a proof",
        found=f"sums of absolute products up to {found:.3g}",
        expected=f"below {_LARGEST:.0e}, so that no bound overflows",
        mend="rescale the weights",
    )
