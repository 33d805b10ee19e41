"""Trained ReLU networks as mixed-integer programs."""

from advmip.mip.attack import minimal_attack
from advmip.mip.bounds import network_bounds
from advmip.mip.features import StrongestInput, strongest_input
from advmip.mip.hunt import Attack
from advmip.mip.verification import Verdict, VerificationIngredients, Verifier, verify

__all__ = [
    "Attack",
    "StrongestInput",
    "Verdict",
    "VerificationIngredients",
    "Verifier",
    "minimal_attack",
    "network_bounds",
    "strongest_input",
    "verify",
]
