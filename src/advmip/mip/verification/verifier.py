"""The verification of images on one network, for one kind of ball."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from advmip.errors import InputError
from advmip.mip.attack import pixels_of
from advmip.mip.solvers import Options
from advmip.mip.verification.run import Run
from advmip.mip.verification.specification import Specification
from advmip.mip.verification.verdict import Verdict, VerificationIngredients
from advmip.networks.network import Network
from advmip.networks.tracing import as_classifier
from advmip.threads import held_to


class Verifier:
    """Verifies images on one network, for one kind of ball.

    Args:
        network: The network.
        epsilon: The ball's radius, above 0 and at most the distance of two images.
        norm: "linf", "l1" or "l2".
        time_limit: Seconds for each image, above 0; what is made once for a network comes before.
        solver: "auto", "gurobi", "scip" or "highs".
        threads: Threads of the solver and of the linear algebra.
        seed: Of the gradient attack and the solver.
        ingredients: What verification consists of.
        failures: The folder for an adversarial image that fails its check.

    Raises:
        InputError: A number is out of range, there is no such norm, or the network has an
            operation that is not supported.
    """

    def __init__(
        self,
        network: Network,
        epsilon: float = 0.1,
        norm: str = "linf",
        *,
        time_limit: float = 300.0,
        solver: str = "auto",
        threads: int = 1,
        seed: int = 0,
        ingredients: VerificationIngredients | None = None,
        failures: Path = Path("failures"),
    ) -> None:
        self._asked = Specification(
            as_classifier(network),
            epsilon,
            norm,
            solver,
            Options(time_limit=time_limit, threads=threads, seed=seed),
            ingredients or VerificationIngredients(),
            failures,
        )

    def verdict(self, image: NDArray[np.floating], label: int) -> Verdict:
        """Verify an image.

        Args:
            image: In [0, 1], of the network's input shape.
            label: Its true class.

        Raises:
            InputError: The image does not fit or leaves [0, 1], or there is no such class.
            CheckError: The network itself does not confirm an adversarial image.
        """
        form = self._asked.form
        if label not in range(form.classes):
            raise InputError(
                subject="label of the image",
                found=str(label),
                expected=f"a class from 0 to {form.classes - 1}",
                mend="correct the label",
            )
        with held_to(self._asked.options.threads):
            return Run(self._asked, pixels_of(self._asked.network, image), label).verdict()


def verify(
    network: nn.Module,
    image: NDArray[np.floating],
    label: int,
    epsilon: float = 0.1,
    norm: str = "linf",
    time_limit: float = 300.0,
    solver: str = "auto",
    threads: int = 1,
    seed: int = 0,
    ingredients: VerificationIngredients | None = None,
    failures: Path = Path("failures"),
) -> Verdict:
    """Prove that a ball around an image holds no adversarial example, or find one.

    For many images on one network, a `Verifier` prepares the network once.

    Args:
        network: The network, or a module of torch (`from_torch`).
        image: In [0, 1], of the network's input shape.
        label: Its true class.
        epsilon: The ball's radius, above 0 and at most the distance of two images.
        norm: "linf", "l1" or "l2".
        time_limit: Seconds, above 0; what is made once for a network comes before.
        solver: "auto", "gurobi", "scip" or "highs".
        threads: Threads of the solver and of the linear algebra.
        seed: Of the gradient attack and the solver.
        ingredients: What verification consists of.
        failures: The folder for an adversarial image that fails its check.

    Raises:
        InputError: The image does not fit or leaves [0, 1], or a name or number is not one that is
            known.
        CheckError: The network itself does not confirm an adversarial image.
    """
    verifier = Verifier(
        as_classifier(network, np.shape(image)),
        epsilon,
        norm,
        time_limit=time_limit,
        solver=solver,
        threads=threads,
        seed=seed,
        ingredients=ingredients,
        failures=failures,
    )
    return verifier.verdict(image, label)
