"""Questions about a network: a property holds if no point of its inputs is a counterexample."""

from advmip.properties.expressions import (
    Affine,
    Condition,
    Inequality,
    all_of,
    any_of,
    feature,
    logit,
)
from advmip.properties.files import load_property
from advmip.properties.property import Case, Property
from advmip.properties.robustness import robustness

__all__ = [
    "Affine",
    "Case",
    "Condition",
    "Inequality",
    "Property",
    "all_of",
    "any_of",
    "feature",
    "load_property",
    "logit",
    "robustness",
]
