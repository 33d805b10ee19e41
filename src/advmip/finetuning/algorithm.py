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

from collections.abc import Sequence

from advmip.datasets import Dataset
from advmip.errors import check_arguments
from advmip.finetuning.adversarial_points import AdversarialPoints
from advmip.finetuning.finetuned import Finetuned
from advmip.finetuning.gradient_rows import load_differentiation
from advmip.finetuning.run import Run
from advmip.gradient_attacks import AdversarialSet
from advmip.networks import Network
from advmip.progress import track


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
    check_arguments(
        "finetune",
        iterations=(iterations, iterations >= 1, "at least 1"),
        omega=(tuple(omega), all(0.0 <= w <= 1.0 for w in omega), "weights between 0 and 1"),
        fixed_ratio=(fixed_ratio, 0.0 <= fixed_ratio < 1.0, "at least 0 and below 1"),
        sweeps=(sweeps, sweeps >= 1, "at least 1"),
    )
    load_differentiation()
    points = AdversarialPoints(model, adversarial, margin, radius)
    run = Run(model, train, points, loss_slack=loss_slack, seed=seed)
    bar = track(range(iterations), "fine-tuning", enabled=progress)
    for _ in bar:
        run.iterate(fixed_ratio, sweeps)
        state = {"V": f"{run.violation:.3g}", "distance": f"{run.distance:.4g}"}
        bar.set_postfix(state, refresh=False)
    run.finish()
    run.search_lines(complete_pool, progress=progress)
    return run.result(tuple(omega))
