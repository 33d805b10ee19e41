"""Independent checks: the solver's word is never the last.

What an algorithm claims of a network is recomputed from the network itself, by plain forward
passes that share no code with the algorithm. A claim that fails is an error, and the network that
failed it is saved so that it can be looked into.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn import functional

from advmip.datasets import Dataset, augment
from advmip.errors import CheckError
from advmip.gradient_attacks import AdversarialSet
from advmip.networks import Network
from advmip.networks.files import save_weights

# Sums of float32 values in another order differ by this much relative to their size.
_RELATIVE_TOLERANCE = 1e-3
_ABSOLUTE_TOLERANCE = 1e-4
_BATCH = 500


def check_finetuned(
    network: Network,
    *,
    claimed_violation: float,
    claimed_loss: float,
    adversarial: AdversarialSet,
    train: Dataset,
    seed: int,
    folder: Path,
) -> None:
    """Recomputes V(w) of equation (10) and the training loss of a fine-tuned network.

    Args:
        network: the network that a run returned.
        claimed_violation: V as the run's pool states it.
        claimed_loss: the training loss as the run's pool states it.
        adversarial: the adversarial set of the run.
        train: the training data of the run.
        seed: the run's seed, of the augmentation.
        folder: where a network that fails is saved; of one read from ONNX, its weights.

    Raises:
        CheckError: a claim differs from what the network does; names the saved network.
    """
    device = next(network.parameters()).device
    images = augment(train.images, seed) if network.architecture.augmented else train.images
    loss = 0.0
    with torch.no_grad():
        for start in range(0, len(images), _BATCH):
            part = slice(start, start + _BATCH)
            outputs = network(torch.from_numpy(images[part]).to(device)).double()
            labels = torch.from_numpy(train.labels[part]).to(device)
            loss += float(functional.cross_entropy(outputs, labels, reduction="sum"))
        outputs = network.body(torch.from_numpy(adversarial.inputs).to(network.mean)).double().cpu()
    violated = 0.0
    for values, label in zip(outputs.tolist(), adversarial.labels.tolist(), strict=True):
        best_other = max(value for index, value in enumerate(values) if index != label)
        violated += max(best_other - values[label], 0.0)
    for what, claimed, found in (
        ("violation V", claimed_violation, violated),
        ("training loss", claimed_loss, loss / len(images)),
    ):
        allowed = _ABSOLUTE_TOLERANCE + _RELATIVE_TOLERANCE * abs(found)
        if not abs(claimed - found) <= allowed:
            saved = folder / f"failed_check_{network.digest[:16]}.safetensors"
            save_weights(network, saved, {"what": what, "claimed": claimed, "found": found})
            raise CheckError(
                f"{what} of a fine-tuned network: claimed {claimed:.6g}, found {found:.6g} "
                f"(allowed difference {allowed:.1e})",
                saved,
            )
