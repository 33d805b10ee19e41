"""What is proved of images with a network's weights, and what withstands PGD."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from advmip.certified_finetuning.balls import Images
from advmip.errors import CheckError
from advmip.experiments.ball_attacks import attacked
from advmip.experiments.rows import Row
from advmip.experiments.solving import solved
from advmip.mip.verification import Outcome, Verifier
from advmip.mip.verification.verdict import Evidence
from advmip.networks import Network
from advmip.reuse import Reuse

# Images that are verified between two lines of the journal.
_PORTION = 50


class Found(TypedDict):
    """What is found of an image.

    Attributes:
        proved: Whether no image in the ball has another class.
        linear: Whether linear forms alone say so.
        unbroken: Whether neither PGD nor the verifier found one that has.
        withstands_pgd: Whether PGD found none.
        seconds: Processor time.
    """

    proved: bool
    linear: bool
    unbroken: bool
    withstands_pgd: bool
    seconds: float


@dataclass(frozen=True)
class ProvedShares:
    """The shares of images that a network is proved robust at.

    Attributes:
        network: The network.
        epsilon: The radius of the L-infinity balls.
        time_limit: Seconds for each image.
        threads: Of the verifier.
        pgd_iterations: Steps of the attack that every image undergoes besides.
        seed: Of the attack and the verifier.
        journal: Where verdicts are kept, so that a process that is killed goes on behind them.
        identity: What all else depends on that has a part in verdicts, as in `Journal`.
        reuse: Whether verdicts of other code are used again.
        failures: The folder for an adversarial image that fails its check.
    """

    network: Network
    epsilon: float
    time_limit: float
    threads: int
    pgd_iterations: int
    seed: int
    journal: Path
    identity: Mapping[str, Any]
    reuse: Reuse
    failures: Path

    def row(self, test: Images, training: Images) -> Row:
        """The columns of shares in percent, of test images and of training images if there are any.

        Raises:
            CheckError: PGD refutes a proof, or the network does not confirm an adversarial image.
        """
        seen = self._verified("test", test)
        chosen = self._verified("training", training)
        return {
            "proved": _percent(each["proved"] for each in seen),
            "linear": _percent(each["linear"] for each in seen),
            "unbroken": _percent(each["unbroken"] for each in seen),
            "pgd_accuracy": _percent(each["withstands_pgd"] for each in seen),
            "training_proved": _percent(each["proved"] for each in chosen),
            "seconds_evaluation": sum(each["seconds"] for each in [*seen, *chosen]),
        }

    @cached_property
    def _verifier(self) -> Verifier:
        return Verifier(
            self.network,
            self.epsilon,
            time_limit=self.time_limit,
            threads=self.threads,
            seed=self.seed,
            failures=self.failures,
        )

    def _verified(self, what: str, images: Images) -> list[Found]:
        """What is found of images, portion by portion."""
        portions = solved(
            self.journal,
            {**self.identity, "network": self.network.digest},
            self.reuse,
            range(0, len(images), _PORTION),
            lambda start: f"{what} from {start}",
            lambda start: self._portion(images[start : start + _PORTION]),
        )
        return list(chain.from_iterable(portions))

    def _portion(self, images: Images) -> list[Found]:
        """What is found of some images, all of which PGD attacks at once."""
        begun = time.process_time()
        broken = attacked(
            self.network,
            np.stack([image for image, _ in images]).astype(np.float32),
            [label for _, label in images],
            self.epsilon,
            iterations=self.pgd_iterations,
            seed=self.seed,
        )
        seconds = (time.process_time() - begun) / len(images)
        return [
            self._found(*pair, attacked=each, seconds=seconds)
            for pair, each in zip(images, broken, strict=True)
        ]

    def _found(
        self, image: NDArray[np.floating], label: int, *, attacked: bool, seconds: float
    ) -> Found:
        verdict = self._verifier.verdict(image, label)
        proved = verdict.status is Outcome.ROBUST
        if attacked and proved:
            raise CheckError(
                f"an image of class {label} is proved robust, but PGD found an image in the ball "
                "with another class"
            )
        return {
            "proved": proved,
            "linear": proved and verdict.evidence in (Evidence.INTERVAL, Evidence.LINEAR),
            "unbroken": not attacked and verdict.status in (Outcome.ROBUST, Outcome.UNKNOWN),
            "withstands_pgd": not attacked,
            "seconds": seconds + verdict.processor_seconds,
        }


def _percent(true: Iterable[bool]) -> float | None:
    """Of how many images something is true; None without any."""
    counted = list(true)
    return 100.0 * float(np.mean(counted)) if counted else None
