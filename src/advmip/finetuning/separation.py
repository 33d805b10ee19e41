"""What the weights are to satisfy besides the loss, as Algorithm 1 asks about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from advmip.finetuning.cuts import CutBlock


class Separation(Protocol):
    """Requirements on the weights w (n,), and cuts at weights that miss them."""

    def violation(self, vector: Tensor) -> float:
        """V(w): by how much the requirements are missed; 0 where they are met."""

    def found(self, vector: Tensor) -> Mapping[str, Tensor]:
        """What cuts at w are made of, by name, where it takes a search or is dear to compute."""

    def cuts(self, vector: Tensor, step: Tensor, found: Mapping[str, Tensor]) -> Sequence[CutBlock]:
        """Cuts at w = w_hat + step, made of what was found there and before."""


@dataclass(frozen=True)
class Linearisation:
    """All that is dear to know about an iterate.

    Attributes:
        violation: V.
        image_losses: The loss of each training image, shape (N,).
        gradient: Of their mean, shape (n,).
        found: What the cuts of the separation are made of.
        seconds: Processor time of the loss and its gradient, and of the separation.
    """

    violation: float
    image_losses: Tensor
    gradient: Tensor
    found: Mapping[str, Tensor]
    seconds: tuple[float, float] = field(compare=False)


class Record(Protocol):
    """Where what is known of iterates is kept, so that a run that was stopped can go on."""

    def recall(self, iteration: int) -> Linearisation | None:
        """What was kept of an iterate; None if nothing was."""

    def keep(self, iteration: int, known: Linearisation) -> None:
        """Keep what is known of an iterate."""
