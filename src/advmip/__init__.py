"""Adversarial robustness of ReLU networks by mathematical programming.

The names in ``__all__`` are the public interface; the rest may change. They are imported when they
are first used: the workflow asks light parts of the package only, and must not wait for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from advmip.certified_finetuning import Robustified, robustify
    from advmip.checking.proofs import ProofCheck, check_proof
    from advmip.datasets import Dataset, load_dataset
    from advmip.errors import CheckError, InputError
    from advmip.finetuning import Finetuned, InfeasibleCutsError, finetune
    from advmip.gradient_attacks import (
        PROTOCOLS,
        Accuracies,
        AdversarialSet,
        AttackSettings,
        Protocol,
        evaluate,
        generate_adversarial_set,
    )
    from advmip.mip import (
        ActivationMaximum,
        Attack,
        Verdict,
        VerificationIngredients,
        Verifier,
        maximise_activation,
        minimal_attack,
        network_bounds,
        verify,
    )
    from advmip.networks import Network, from_torch, load_network, save_network, staged
    from advmip.properties import Property, all_of, any_of, feature, load_property, logit
    from advmip.questions.accuracy import AccuracyCurve, accuracy_curve

__all__ = [
    "PROTOCOLS",
    "Accuracies",
    "AccuracyCurve",
    "ActivationMaximum",
    "AdversarialSet",
    "Attack",
    "AttackSettings",
    "CheckError",
    "Dataset",
    "Finetuned",
    "InfeasibleCutsError",
    "InputError",
    "Network",
    "ProofCheck",
    "Property",
    "Protocol",
    "Robustified",
    "Verdict",
    "VerificationIngredients",
    "Verifier",
    "accuracy_curve",
    "all_of",
    "any_of",
    "check_proof",
    "evaluate",
    "feature",
    "finetune",
    "from_torch",
    "generate_adversarial_set",
    "load_dataset",
    "load_network",
    "load_property",
    "logit",
    "maximise_activation",
    "minimal_attack",
    "network_bounds",
    "robustify",
    "save_network",
    "staged",
    "verify",
]

_HOMES = (
    *("errors", "datasets", "networks", "gradient_attacks", "finetuning", "mip", "properties"),
    *("certified_finetuning", "questions.accuracy", "checking.proofs"),
)


def __getattr__(name: str) -> Any:
    if name in __all__:
        for home in _HOMES:
            module = import_module(f"advmip.{home}")
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module 'advmip' has no attribute {name!r}")
