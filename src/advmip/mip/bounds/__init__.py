"""Bounds of neurons: by intervals, linear forms, linear programs and mixed-integer programs."""

from advmip.mip.bounds.interval import interval_bounds
from advmip.mip.bounds.network_bounds import NETWORK_BOUNDS, network_bounds
from advmip.mip.bounds.propagated_bounds import PropagatedBounds
from advmip.mip.bounds.relaxation import relaxation_bounds
from advmip.mip.bounds.tightening import patience, tightened_bounds, tightened_further

__all__ = [
    "NETWORK_BOUNDS",
    "PropagatedBounds",
    "interval_bounds",
    "network_bounds",
    "patience",
    "relaxation_bounds",
    "tightened_bounds",
    "tightened_further",
]
