"""Cuts: the constraints of the adversary-correction problem, linearised at an iterate w^k.

All are written for the step d = w - w_hat as rows ``a . d >= c``.

Adversarial point (x, y) and other class j, equations (7), (11), and (18) with radius r::

    (grad f_y - grad f_j)(x; w^k) . (w - w^k)
        >= f_j(x; w^k) - f_y(x; w^k) + margin + r max_m |d/dx_m (f_j - f_y)(x; w^k)|

Training loss, equations (8) and (12), with the slack xi of Section 2.1::

    -grad loss(w^k) . (w - w^k) >= loss(w^k) - loss(w_hat) - xi

Source: Zhao & Kronqvist 2024, Sections 2 and 3.1.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.func import jvp

from advmip.finetuning.gradient_rows import FullRows, Rows, output_gradients
from advmip.finetuning.parameters import ParameterVector
from advmip.margins import other_classes

# Points whose derivatives are taken together: those of more do not stay in a processor's cache.
_BATCH = {"cpu": 25, "cuda": 4000}


class CutBlock(Protocol):
    """A block of rows of ``A d >= c``; the matrix itself need not exist anywhere."""

    @property
    def right_hand_side(self) -> Tensor:
        """c, shape (m,)."""

    def slopes(self, step: Tensor) -> Tensor:
        """``A d`` for a step d of shape (n,): shape (m,)."""

    def gradients(self, rows: Tensor) -> Rows:
        """The rows with these indices."""


class AdversaryCuts:
    """All cuts (11) of a set of adversarial points at one iterate: (classes - 1) rows per point.

    ``A d`` is one forward-mode derivative of the network along d; only rows that enter the
    working set of the projection are ever computed themselves.
    """

    def __init__(
        self,
        body: nn.Module,
        parameters: ParameterVector,
        iterate: Tensor,
        step: Tensor,
        inputs: Tensor,
        labels: Tensor,
        *,
        margin: float,
        radius: float,
        factor: float = 1.0,
    ) -> None:
        """Linearises at ``iterate`` = w_hat + ``step``.

        Args:
            body: module in evaluation mode, in float64.
            parameters: order of the parameters.
            iterate: w^k, shape (n,), float64.
            step: d^k = w^k - w_hat, shape (n,).
            inputs: adversarial points, shape (N, C, H, W), float64.
            labels: their true labels, shape (N,).
            margin: delta of equation (4).
            radius: epsilon-bar of equation (18); 0 gives equation (11).
            factor: what both sides of each row are multiplied by, above 0.
        """
        self._body, self._parameters, self._iterate = body, parameters, iterate
        self._inputs, self._labels, self._factor = inputs, labels, factor
        self._batches = torch.split(inputs, _BATCH[inputs.device.type])
        with torch.no_grad():
            outputs = parameters.call(body, iterate, inputs)
        self._others = other_classes(labels, outputs.shape[1])
        self.margins = outputs.gather(1, labels[:, None]) - outputs.gather(1, self._others)
        required = margin - self.margins.flatten()
        if radius > 0.0:
            required = required + radius * self._input_sensitivity()
        self._right_hand_side = factor * required + self.slopes(step)

    @property
    def right_hand_side(self) -> Tensor:
        """c, shape (N (classes - 1),)."""
        return self._right_hand_side

    def slopes(self, step: Tensor) -> Tensor:
        """``A d`` by forward-mode differentiation, shape (N (classes - 1),)."""
        with torch.no_grad():
            change = torch.cat([self._output_change(step, batch) for batch in self._batches])
        won = change.gather(1, self._labels[:, None]) - change.gather(1, self._others)
        return self._factor * won.flatten()

    def _output_change(self, step: Tensor, inputs: Tensor) -> Tensor:
        def outputs(vector: Tensor) -> Tensor:
            return self._parameters.call(self._body, vector, inputs)

        change: Tensor = jvp(outputs, (self._iterate,), (step,))[1]
        return change

    def gradients(self, rows: Tensor) -> Rows:
        """The rows with these indices, linear layers as outer products."""
        points = rows // self._others.shape[1]
        return output_gradients(
            self._body,
            self._parameters,
            self._iterate,
            self._inputs[points],
            self._factor * self._directions(rows),
        )

    def _directions(self, rows: Tensor) -> Tensor:
        """e_y - e_j for each row, shape (r, classes)."""
        points, position = rows // self._others.shape[1], rows % self._others.shape[1]
        directions = self._inputs.new_zeros(len(rows), self._others.shape[1] + 1)
        directions.scatter_(1, self._labels[points, None], 1.0)
        directions.scatter_(1, self._others[points, position, None], -1.0)
        return directions

    def _input_sensitivity(self) -> Tensor:
        """``max_m |d/dx_m (f_j - f_y)|`` for each row: the dual norm of the l1 ball, (17)-(18)."""
        rows = torch.arange(self.margins.numel(), device=self._inputs.device)
        inputs = self._inputs[rows // self._others.shape[1]].detach().requires_grad_()
        with torch.enable_grad():
            outputs = self._parameters.call(self._body, self._iterate, inputs)
            (gradient,) = torch.autograd.grad(outputs, inputs, self._directions(rows))
        return gradient.abs().flatten(1).amax(dim=1)


class WrittenCuts:
    """Cuts whose rows are written out: ``rows . (w - w^k) >= required``."""

    def __init__(self, rows: Tensor, required: Tensor, step: Tensor) -> None:
        """``rows`` has shape (m, n), ``required`` (m,); ``step`` is d^k = w^k - w_hat."""
        self._rows = rows
        self._right_hand_side = required + rows @ step

    @property
    def right_hand_side(self) -> Tensor:
        """c, shape (m,)."""
        return self._right_hand_side

    def slopes(self, step: Tensor) -> Tensor:
        """``A d``, shape (m,)."""
        return self._rows @ step

    def gradients(self, rows: Tensor) -> Rows:
        """The rows with these indices."""
        return FullRows(self._rows[rows])


def loss_cut(
    gradient: Tensor, loss: float, step: Tensor, *, initial_loss: float, slack: float
) -> WrittenCuts:
    """The cut (12) of the training loss at one iterate: one row.

    Args:
        gradient: grad loss(w^k), shape (n,).
        loss: loss(w^k).
        step: d^k = w^k - w_hat, shape (n,).
        initial_loss: loss(w_hat).
        slack: xi.
    """
    return WrittenCuts(-gradient[None], gradient.new_tensor([loss - initial_loss - slack]), step)


class RestrictedCuts:
    """Another block with all but some coordinates of the step held fixed (Algorithm 2)."""

    def __init__(self, block: CutBlock, free: Tensor, fixed_step: Tensor) -> None:
        """``free`` are the indices of the free coordinates; ``fixed_step`` is zero on them."""
        self._block, self._free, self._length = block, free, len(fixed_step)
        self._right_hand_side = block.right_hand_side
        if fixed_step.any():
            self._right_hand_side = self._right_hand_side - block.slopes(fixed_step)

    @property
    def right_hand_side(self) -> Tensor:
        """What is left of c after the part of the fixed coordinates, shape (m,)."""
        return self._right_hand_side

    def slopes(self, step: Tensor) -> Tensor:
        """``A_free d_free``, shape (m,)."""
        whole = step.new_zeros(self._length)
        whole[self._free] = step
        return self._block.slopes(whole)

    def gradients(self, rows: Tensor) -> Rows:
        """The rows with these indices, free coordinates only."""
        return FullRows(self._block.gradients(rows).written_out()[:, self._free])
