"""The paper's claims in words as small functions over the rows."""

from advmip.reporting.predicates import Predicate
from advmip.reporting.zhao_kronqvist.predicates import (
    price,
    proofs,
    repairs,
    robustness,
    times,
    violation,
)

PREDICATES: dict[str, Predicate] = {
    **robustness.PREDICATES,
    **price.PREDICATES,
    **violation.PREDICATES,
    **times.PREDICATES,
    **proofs.PREDICATES,
    **repairs.PREDICATES,
}
