"""What fine-tuning that proves leaves: a network, and what is proved of each image."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from advmip.mip.verification import Verdict
from advmip.networks import Network


class Fate(StrEnum):
    """What has become of an image."""

    PROVED = "proved"  # no point of its ball has another class
    ATTACKABLE = "attackable"  # one has, which is known
    UNKNOWN = "unknown"  # neither, within the time
    IMPOSSIBLE = "impossible"  # left out: an image of another class is too near
    MISCLASSIFIED = "misclassified"  # left out: the network at the start takes it for another


@dataclass(frozen=True)
class TunedImage:
    """What is known of an image with the new weights.

    Attributes:
        label: Its true class.
        fate: What has become of it.
        verdict: What the verifier says of its ball; None for an image that was left out.
        adversarial: A point of its ball of another class, if it is attackable; else None.
        rival: Of an impossible image, the place of one that stands in its way; else None.
        predicted: Of a misclassified image, the class that the network took it for; else None.
    """

    label: int
    fate: Fate
    verdict: Verdict | None = None
    adversarial: NDArray[np.float64] | None = None
    rival: int | None = None
    predicted: int | None = None

    @property
    def margin(self) -> float:
        """A proved bound of what its class leads by, all over its ball; -inf if it was left out."""
        return -np.inf if self.verdict is None else float(self.verdict.margins.min())


@dataclass(frozen=True)
class Accuracy:
    """Accuracy in percent on clean images, and on which.

    Attributes:
        split: "test", or "train" where no test images were given.
        before: Of the network at the start.
        after: With the new weights.
    """

    split: str
    before: float
    after: float


@dataclass(frozen=True)
class Robustified:
    """A network with new weights, and what is proved of them.

    Attributes:
        network: The network.
        images: What is known of each image, in their order.
        distance: ||w - w_hat||.
        accuracy: On clean images.
        points: How many points there are cuts at; 0 where they are of certificates.
        iterations: A row for each iteration, as that of `finetune`, with `seconds_separation`.
        pool: The candidates, V in units of the usual scale.
        stopped: Why no further iterate was sought: "converged" where nothing was left to be cut,
            "time", "iterations", "infeasible" where cuts contradicted each other, or "stalled"
            where the verifier had neither a proof nor a point to cut at.
        seconds: Processor seconds by part: separation, gradient, projection, line_search, proofs;
            those of iterations that were gone on from are counted.
    """

    network: Network
    images: tuple[TunedImage, ...]
    distance: float
    accuracy: Accuracy
    points: int
    iterations: pd.DataFrame
    pool: pd.DataFrame
    stopped: str
    seconds: dict[str, float]

    @property
    def proved(self) -> int:
        """How many images are proved robust."""
        return sum(each.fate is Fate.PROVED for each in self.images)
