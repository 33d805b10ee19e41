"""Trained ReLU networks as mixed-integer programs."""

from advmip.mip.activation_maximization import ActivationMaximum, maximise_activation
from advmip.mip.attack import minimal_attack
from advmip.mip.bounds import network_bounds
from advmip.mip.exact_attack import Attack
from advmip.mip.verification import Verdict, VerificationIngredients, Verifier, verify

__all__ = [
    "ActivationMaximum",
    "Attack",
    "Verdict",
    "VerificationIngredients",
    "Verifier",
    "maximise_activation",
    "minimal_attack",
    "network_bounds",
    "verify",
]
