"""Algorithm 1: cutting-plane fine-tuning of a trained network on a few adversarial points.

::

    min ||w - w_hat||^2   s.t.  f_y(x; w) >= f_j(x; w) + margin   for all (x, y) in X_adv, j != y
                                loss(w) <= loss(w_hat) + loss_slack                          (6)

Each iteration projects w_hat onto the cuts gathered so far (13) and adds cuts at the projection.
Points of the segments from w_hat to the projections make up the pool, from whose Pareto front the
answer is chosen (19). No iteration depends on the pool, so it is filled after the last one, when
the most is known about which points are dominated.

Source: Zhao & Kronqvist 2024, Sections 2 to 4.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from advmip.datasets import Dataset
from advmip.errors import InputError
from advmip.finetuning.block_coordinates import project_by_blocks
from advmip.finetuning.cuts import AdversaryCuts, CutBlock, LossCut
from advmip.finetuning.gradient_rows import load_differentiation
from advmip.finetuning.parameters import ParameterVector
from advmip.finetuning.pool import POOL_COLUMNS, choose, pareto_front, smallest_dominating_loss
from advmip.finetuning.projection import Projection, ProjectionResult
from advmip.finetuning.training_loss import TrainingLoss
from advmip.gradient_attacks import AdversarialSet
from advmip.margins import USUAL, factor_to_usual, violation
from advmip.networks import Network
from advmip.progress import track


@dataclass(frozen=True)
class Finetuned:
    """What a run of Algorithm 1 leaves.

    Attributes:
        pool: One row per candidate: ``iteration``, ``alpha`` (0 and 0 for the initial network),
            ``violation`` V, ``loss``, ``complete`` (False: the loss is only a lower bound, high
            enough to prove the candidate dominated), ``pareto``.
        iterations: One row per iteration: the projection's size, distance, checks, and seconds.
        omega: The weights asked for.
        seconds: Processor time of the whole run.
    """

    network: Network
    steps: tuple[Tensor, ...]
    pool: pd.DataFrame
    iterations: pd.DataFrame
    omega: tuple[float, ...]
    seconds: float

    def choice(self, omega: float) -> dict[str, float]:
        """The pool's row chosen by equation (19) for this weight of the training loss."""
        row = self.pool.iloc[[choose(self.pool, omega)]]
        return {str(column): float(row[column].iloc[0]) for column in row}

    def model(self, omega: float) -> Network:
        """The network chosen by equation (19) for this weight of the training loss."""
        chosen = self.choice(omega)
        return self.candidate(int(chosen["iteration"]), float(chosen["alpha"]))

    def last(self) -> Network:
        """The last iterate, without the pool's selection."""
        return self.candidate(len(self.steps), 1.0)

    def candidate(self, iteration: int, alpha: float) -> Network:
        """The network with weights ``w_hat + alpha (w^iteration - w_hat)``."""
        network = copy.deepcopy(self.network)
        if iteration:
            parameters = ParameterVector(network.body)
            start = parameters.of(network.body).double()
            moved = start + alpha * self.steps[iteration - 1].to(start.device)
            tensors = parameters.unflatten(moved.to(network.mean.dtype))
            network.body.load_state_dict(tensors, strict=False)
        return network


def finetune(
    model: Network,
    train: Dataset,
    adversarial: AdversarialSet,
    *,
    iterations: int = 20,
    omega: Sequence[float] = (0.0, 0.2, 0.4),
    margin: float | None = None,
    radius: float = 0.0,
    loss_slack: float = 0.0,
    fixed_ratio: float = 0.0,
    sweeps: int = 1,
    complete_pool: bool = False,
    seed: int = 0,
    progress: bool = True,
) -> Finetuned:
    """Fine-tunes a network on adversarial points by cutting planes (Algorithm 1).

    Runs on the device of ``model``.

    Args:
        model: the trained network; it is not changed.
        train: the training data behind the loss; cropped and flipped by one fixed draw where the
            architecture is trained so.
        adversarial: misclassified points with their true labels.
        iterations: M.
        omega: weights of the training loss for which the answer will be asked, in [0, 1].
        margin: delta of (4), in units of the logits; if left out, about a millionth of how far
            those of the points are apart.
        radius: epsilon-bar of the strengthened cuts (18), in units of the body's inputs.
        loss_slack: xi, by which the training loss may rise.
        fixed_ratio: share of the weights fixed in each projection (Algorithm 2); 0 is exact.
        sweeps: T of Algorithm 2.
        complete_pool: finish the loss of candidates already proved dominated, too (Figure 1).
        seed: of the augmentation and of Algorithm 2.
        progress: show a bar.

    Raises:
        InputError: unusable arguments, an empty adversarial set, points that are not misclassified,
            or cuts that no change of the weights satisfies (``InfeasibleCutsError``).
        CheckError: a projection fails its check.
    """
    _check_arguments(iterations, omega, fixed_ratio, sweeps)
    load_differentiation()
    run = Run(model, train, adversarial, margin, radius, loss_slack, seed)
    run.check_adversarial_set()
    bar = track(range(1, iterations + 1), "fine-tuning", enabled=progress)
    for iteration in bar:
        run.iterate(fixed_ratio, sweeps, last=iteration == iterations)
        state = {"V": f"{run.violations[-1]:.3g}", "loss": f"{run.losses[-1]:.4g}"}
        bar.set_postfix(state, refresh=False)
    run.search_lines(complete_pool, progress=progress)
    return run.result(tuple(omega))


class Run:
    """The state of one run of Algorithm 1: cuts, iterates and pool."""

    def __init__(
        self,
        network: Network,
        train: Dataset,
        adversarial: AdversarialSet,
        margin: float | None,
        radius: float,
        loss_slack: float,
        seed: int,
    ) -> None:
        self.begun = time.process_time()
        self.network = copy.deepcopy(network).frozen()
        self.device = next(network.parameters()).device
        body = self.network.body
        self.parameters = ParameterVector(body)
        self.start = self.parameters.of(body).double()
        self.precise_body = copy.deepcopy(body).double()
        self.inputs = torch.from_numpy(adversarial.inputs).to(self.network.mean)
        self.labels = torch.from_numpy(adversarial.labels).to(self.device)
        self.margin, self.radius, self.loss_slack = margin, radius, loss_slack
        self.generator = torch.Generator().manual_seed(seed)
        self.loss = TrainingLoss.of(self.network, self.parameters, train, seed)
        self.projection = Projection(self.parameters.count, self.device)
        self.blocks: list[CutBlock] = []
        self.projections: list[ProjectionResult] = []
        # The loss of each training image at w_hat and at every iterate.
        self.image_losses: list[Tensor] = []
        self.losses: list[float] = []
        self.violations: list[float] = []
        self.rows: list[dict[str, float]] = []
        self.pool = pd.DataFrame(columns=POOL_COLUMNS)
        self.step = torch.zeros_like(self.start)

    @cached_property
    @torch.no_grad()
    def factor(self) -> float:
        """What brings the points' logits to the usual scale, which tolerances are meant for."""
        outputs = self.precise_body(self.inputs.double())
        apart = (outputs - outputs.gather(1, self.labels[:, None])).abs()
        apart = apart[apart > 0]
        return factor_to_usual(float(apart.median()) if len(apart) else USUAL)

    def check_adversarial_set(self) -> None:
        """Refuses an adversarial set that the algorithm has no use for."""
        count = len(self.labels)
        if count == 0:
            raise InputError(
                subject="adversarial set",
                found="no point",
                expected="at least one misclassified point",
                mend="attack with a larger radius or from more images",
            )
        with torch.no_grad():
            outputs = self.network.body(self.inputs)
        classes = outputs.shape[1]
        if int(self.labels.min()) < 0 or int(self.labels.max()) >= classes:
            raise InputError(
                subject="labels of the adversarial set",
                found=f"{int(self.labels.min())} to {int(self.labels.max())}",
                expected=f"0 to {classes - 1}, the network's outputs",
                mend="give each point the true label of its image",
            )
        correct = int((violation(outputs, self.labels) == 0).sum())
        if correct:
            raise InputError(
                subject=f"adversarial set of {count} points",
                found=f"{correct} that the network classifies correctly",
                expected="misclassified points only (Definition 1)",
                mend="drop them, or generate the set with this very network",
            )

    def iterate(self, fixed_ratio: float, sweeps: int, *, last: bool) -> None:
        """One iteration of Algorithm 1 but for its line search: project, linearise."""
        started = time.process_time()
        if not self.projections:
            image_losses, gradient = self.loss.of_images_and_gradient(self.start)
            self.image_losses.append(image_losses)
            self.initial_loss = float(image_losses.mean())
            self._remember(0, 0.0, self._violation(self.step), self.initial_loss, True)
            self._cut(self.initial_loss, gradient)
        differentiated = time.process_time()
        result = self._project(fixed_ratio, sweeps)
        self.step = result.step
        self.projections.append(result)
        projected = time.process_time()
        if last:
            image_losses = self.loss.of_images(self.start + self.step)
        else:
            image_losses, gradient = self.loss.of_images_and_gradient(self.start + self.step)
        loss = float(image_losses.mean())
        seconds_gradient = differentiated - started + time.process_time() - projected
        cutting = time.process_time()
        if not last:
            self._cut(loss, gradient)
        seconds_projection = projected - differentiated + time.process_time() - cutting
        self.image_losses.append(image_losses)
        self.losses.append(loss)
        self.violations.append(self._violation(self.step))
        self._remember(len(self.projections), 1.0, self.violations[-1], loss, True)
        self.rows.append(
            {
                "iteration": len(self.projections),
                "violation": self.violations[-1],
                "loss": loss,
                "rows": result.rows,
                "working_rows": result.working_rows,
                "active_rows": result.active_rows,
                "distance": result.distance,
                "duality_gap": result.duality_gap,
                "infeasibility": result.infeasibility,
                "seconds_projection": seconds_projection,
                "seconds_gradient": seconds_gradient,
                "seconds_line_search": 0.0,
            }
        )

    def search_lines(self, complete_pool: bool, *, progress: bool) -> None:
        """Puts ``w_hat + alpha (w^k - w_hat)`` for alpha = 0.1, ..., 0.9 and all k into the pool.

        Candidates with the smallest violation come first: they bound the loss of the others, of
        which only those on the Pareto front are then finished.
        """
        candidates = sorted(
            (self._violation(alpha * projection.step), iteration, alpha)
            for iteration, projection in enumerate(self.projections, start=1)
            for alpha in ALPHAS
        )
        for violated, iteration, alpha in track(candidates, "line search", enabled=progress):
            started = time.process_time()
            ceiling = float("inf")
            if not complete_pool:
                ceiling = smallest_dominating_loss(self.pool, violated)
            ends = self.image_losses[0], self.image_losses[iteration]
            loss, complete = self.loss.value(
                self.start + alpha * self.projections[iteration - 1].step,
                ceiling,
                difficulty=torch.lerp(*ends, alpha),
            )
            self._remember(iteration, alpha, violated, loss, complete)
            self.rows[iteration - 1]["seconds_line_search"] += time.process_time() - started

    def result(self, omega: tuple[float, ...]) -> Finetuned:
        """What is left of the run."""
        pool = self.pool.sort_values(["iteration", "alpha"], ignore_index=True)
        pool["pareto"] = pareto_front(
            pool["violation"].to_numpy(dtype=np.float64), pool["loss"].to_numpy(dtype=np.float64)
        )
        return Finetuned(
            network=self.network,
            steps=tuple(projection.step.cpu() for projection in self.projections),
            pool=pool,
            iterations=pd.DataFrame(self.rows),
            omega=omega,
            seconds=time.process_time() - self.begun,
        )

    def _project(self, fixed_ratio: float, sweeps: int) -> ProjectionResult:
        if fixed_ratio == 0.0:
            return self.projection.solve()
        return project_by_blocks(
            self.blocks,
            self.parameters,
            fixed_ratio=fixed_ratio,
            sweeps=sweeps,
            generator=self.generator,
            device=self.device,
        )

    def _cut(self, loss: float, gradient: Tensor) -> None:
        """Adds the cuts (11) and (12) at the current iterate."""
        adversary = AdversaryCuts(
            self.precise_body,
            self.parameters,
            self.start + self.step,
            self.step,
            self.inputs.double(),
            self.labels,
            margin=_MARGIN / self.factor if self.margin is None else self.margin,
            radius=self.radius,
            factor=self.factor,
        )
        whole = LossCut(
            gradient, loss, self.step, initial_loss=self.initial_loss, slack=self.loss_slack
        )
        for block in (adversary, whole):
            self.blocks.append(block)
            self.projection.add(block)

    def _violation(self, step: Tensor) -> float:
        """V of equation (10) with the network's own precision."""
        with torch.no_grad():
            outputs = self.parameters.call(
                self.network.body, (self.start + step).to(self.inputs.dtype), self.inputs
            )
        return float(violation(outputs, self.labels).double().sum())

    def _remember(
        self, iteration: int, alpha: float, violated: float, loss: float, complete: bool
    ) -> None:
        self.pool.loc[len(self.pool)] = [iteration, alpha, violated, loss, complete, False]


# Delta of (4) where the logits of a point are of the usual scale.
_MARGIN = 1e-5

ALPHAS: NDArray[np.float64] = np.arange(1, 10) / 10.0


def _check_arguments(
    iterations: int, omega: Sequence[float], fixed_ratio: float, sweeps: int
) -> None:
    for name, value, valid, expected in (
        ("iterations", iterations, iterations >= 1, "at least 1"),
        ("omega", tuple(omega), all(0.0 <= w <= 1.0 for w in omega), "weights between 0 and 1"),
        ("fixed_ratio", fixed_ratio, 0.0 <= fixed_ratio < 1.0, "at least 0 and below 1"),
        ("sweeps", sweeps, sweeps >= 1, "at least 1"),
    ):
        if not valid:
            raise InputError(
                subject=f"argument {name!r} of finetune",
                found=str(value),
                expected=expected,
                mend="correct the argument",
            )
