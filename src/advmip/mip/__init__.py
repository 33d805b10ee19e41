"""Trained ReLU networks as mixed-integer programs."""

from advmip.mip.attack import minimal_attack
from advmip.mip.bounds import network_bounds
from advmip.mip.hunt import Attack

__all__ = ["Attack", "minimal_attack", "network_bounds"]
