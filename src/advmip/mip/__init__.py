"""Trained ReLU networks as mixed-integer programs."""

from advmip.mip.attack import Attack, minimal_attack
from advmip.mip.bounds import network_bounds

__all__ = ["Attack", "minimal_attack", "network_bounds"]
