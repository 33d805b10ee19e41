"""The loop of Algorithm 1 over any separation: cuts, projection, pool."""

from __future__ import annotations

import copy
import time

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from advmip.datasets import Dataset
from advmip.finetuning.block_coordinates import project_by_blocks
from advmip.finetuning.cuts import CutBlock, loss_cut
from advmip.finetuning.finetuned import Finetuned
from advmip.finetuning.parameters import ParameterVector
from advmip.finetuning.pool import POOL_COLUMNS, pareto_front, smallest_dominating_loss
from advmip.finetuning.projection import Projection, ProjectionResult
from advmip.finetuning.separation import Linearisation, Record, Separation
from advmip.finetuning.training_loss import TrainingLoss
from advmip.networks import Network
from advmip.progress import track

ALPHAS: NDArray[np.float64] = np.arange(1, 10) / 10.0


class Run:
    """The state of one run: cuts, iterates and pool.

    Args:
        network: The network that is to change as little as possible.
        train: The training data behind the loss.
        separation: What its weights are to satisfy.
        loss_slack: xi, by which the training loss may rise.
        seed: Of the augmentation and of Algorithm 2.
        record: Where to keep what is known of iterates, and to look for it.

    Attributes:
        blocks: The cuts so far, which the last projection is onto.
        projections: The iterates, as steps from w_hat, with their proofs.
    """

    def __init__(
        self,
        network: Network,
        train: Dataset,
        separation: Separation,
        *,
        loss_slack: float,
        seed: int,
        record: Record | None = None,
    ) -> None:
        self._begun = time.process_time()
        self._network = copy.deepcopy(network).frozen()
        self._device = next(network.parameters()).device
        self._parameters = ParameterVector(self._network.body)
        self._start = self._parameters.of(self._network.body).double()
        self._separation, self._record = separation, record
        self._loss_slack = loss_slack
        self._generator = torch.Generator().manual_seed(seed)
        self._loss = TrainingLoss.of(self._network, self._parameters, train, seed)
        self._projection = Projection(self._parameters.count, self._device)
        self.blocks: list[CutBlock] = []
        self.projections: list[ProjectionResult] = []
        # The loss of each training image at w_hat and at every iterate.
        self._image_losses: list[Tensor] = []
        self._known: Linearisation | None = None
        self._rows: list[dict[str, float]] = []
        self._pool = pd.DataFrame(columns=POOL_COLUMNS)
        self._step = torch.zeros_like(self._start)
        self._moved = 0.0
        self._arrive()

    @property
    def violation(self) -> float:
        """V at the present iterate, which is w_hat at first."""
        return self._violation

    @property
    def distance(self) -> float:
        """How far it is from w_hat."""
        return float(self._step.norm())

    @property
    def moved(self) -> float:
        """How far it is from the iterate before."""
        return self._moved

    @property
    def seconds(self) -> float:
        """Processor time of all iterations so far, with those that were recalled."""
        return sum(value for row in self._rows for name, value in row.items() if "seconds" in name)

    def iterate(self, fixed_ratio: float = 0.0, sweeps: int = 1) -> None:
        """One iteration of Algorithm 1 but for its line search: linearise, project."""
        known = self._known or self._linearised()
        if self._record is not None and self._known is None:
            self._record.keep(len(self.projections), known)
        self._settle(known.image_losses)
        started = time.process_time()
        self._cut(known)
        result = self._project(fixed_ratio, sweeps)
        seconds_projection = time.process_time() - started
        self._moved = float((result.step - self._step).norm())
        self._step = result.step
        self.projections.append(result)
        self._arrive()
        row = {
            "iteration": len(self.projections),
            "violation": self._violation,
            "loss": float("nan"),
            "rows": result.rows,
            "working_rows": result.working_rows,
            "active_rows": result.active_rows,
            "distance": result.distance,
            "duality_gap": result.duality_gap,
            "infeasibility": result.infeasibility,
            "seconds_projection": seconds_projection,
            "seconds_gradient": known.seconds[0],
            "seconds_separation": known.seconds[1],
            "seconds_line_search": 0.0,
        }
        self._rows.append(row)

    def finish(self) -> None:
        """Take the training loss at the last iterate, too."""
        if len(self._image_losses) > len(self.projections):
            return
        started = time.process_time()
        known = self._known
        self._settle(self._loss.of_images(self._vector) if known is None else known.image_losses)
        if self._rows:
            self._rows[-1]["seconds_gradient"] += time.process_time() - started

    def search_lines(self, complete_pool: bool, *, progress: bool) -> None:
        """Puts ``w_hat + alpha (w^k - w_hat)`` for alpha = 0.1, ..., 0.9 and all k into the pool.

        Candidates with the smallest violation come first: they bound the loss of the others, of
        which only those on the Pareto front are then finished.
        """
        candidates = sorted(
            (self._separation.violation(self._start + alpha * projection.step), iteration, alpha)
            for iteration, projection in enumerate(self.projections, start=1)
            for alpha in ALPHAS
        )
        for violated, iteration, alpha in track(candidates, "line search", enabled=progress):
            started = time.process_time()
            ceiling = float("inf")
            if not complete_pool:
                ceiling = smallest_dominating_loss(self._pool, violated)
            ends = self._image_losses[0], self._image_losses[iteration]
            loss, complete = self._loss.value(
                self._start + alpha * self.projections[iteration - 1].step,
                ceiling,
                difficulty=torch.lerp(*ends, alpha),
            )
            self._remember(iteration, alpha, violated, loss, complete)
            self._rows[iteration - 1]["seconds_line_search"] += time.process_time() - started

    def result(self, omega: tuple[float, ...]) -> Finetuned:
        """What is left of the run, which is finished."""
        pool = self._pool.sort_values(["iteration", "alpha"], ignore_index=True)
        pool["pareto"] = pareto_front(
            pool["violation"].to_numpy(dtype=np.float64), pool["loss"].to_numpy(dtype=np.float64)
        )
        return Finetuned(
            network=self._network,
            steps=tuple(projection.step.cpu() for projection in self.projections),
            pool=pool,
            iterations=pd.DataFrame(self._rows),
            omega=omega,
            seconds=time.process_time() - self._begun,
        )

    @property
    def _vector(self) -> Tensor:
        return self._start + self._step

    def _arrive(self) -> None:
        """Measure V at the present iterate, or recall all that is known of it."""
        if self._record is not None:
            self._known = self._record.recall(len(self.projections))
        started = time.process_time()
        if self._known is None:
            self._violation = self._separation.violation(self._vector)
        else:
            self._violation = self._known.violation
        self._seconds_violation = time.process_time() - started

    def _linearised(self) -> Linearisation:
        """All that is dear to know about the present iterate."""
        started = time.process_time()
        image_losses, gradient = self._loss.of_images_and_gradient(self._vector)
        differentiated = time.process_time()
        found = self._separation.found(self._vector)
        seconds = self._seconds_violation + time.process_time() - differentiated
        return Linearisation(
            self._violation, image_losses, gradient, found, (differentiated - started, seconds)
        )

    def _settle(self, image_losses: Tensor) -> None:
        """Put the present iterate into the pool, with its losses."""
        iteration, loss = len(self.projections), float(image_losses.mean())
        self._image_losses.append(image_losses)
        self._remember(iteration, float(iteration > 0), self._violation, loss, True)
        if iteration:
            self._rows[iteration - 1]["loss"] = loss

    def _cut(self, known: Linearisation) -> None:
        """Adds cuts of the separation and of the loss (12) at the present iterate."""
        whole = loss_cut(
            known.gradient,
            float(known.image_losses.mean()),
            self._step,
            initial_loss=float(self._image_losses[0].mean()),
            slack=self._loss_slack,
        )
        for block in (*self._separation.cuts(self._vector, self._step, known.found), whole):
            self.blocks.append(block)
            self._projection.add(block)

    def _project(self, fixed_ratio: float, sweeps: int) -> ProjectionResult:
        if fixed_ratio == 0.0:
            return self._projection.solve()
        return project_by_blocks(
            self.blocks,
            self._parameters,
            fixed_ratio=fixed_ratio,
            sweeps=sweeps,
            generator=self._generator,
            device=self._device,
        )

    def _remember(
        self, iteration: int, alpha: float, violated: float, loss: float, complete: bool
    ) -> None:
        self._pool.loc[len(self._pool)] = [iteration, alpha, violated, loss, complete, False]
