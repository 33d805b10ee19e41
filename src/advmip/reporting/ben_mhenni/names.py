"""The paper's distances, methods and solvers by name, as tables and figures write them."""

from __future__ import annotations

DISTANCES = {"l2": "L2", "l1": "L1", "linf": "L-infinity", "l1+tv": "L1 + TV"}
METHODS = {
    "fgsm": "FGSM",
    "pgd": "PGD",
    "carlini-wagner": "C&W",
    "l2": "MIP, L2",
    "l1": "MIP, L1",
    "l1+tv": "MIP, L1 + TV",
    "l1+tv-isotropic": "MIP, L1 + isotropic TV",
    "l1+tv-image": "MIP, L1 + TV of the image",
    "l1+tv-image-isotropic": "MIP, L1 + isotropic TV of the image",
}
# In the order of tables; "MIP_Verify" is the paper's name, here for the model of that package.
SOLVERS = {
    "branch-and-bound": "branch and bound",
    "gurobi": "Gurobi",
    "mipverify": "MIP_Verify",
    "scip": "SCIP",
    "highs": "HiGHS",
}


def twin_of(network: str) -> tuple[str, str]:
    """The paper's name of a network, and "defended" or "undefended" if it is its twin.

    The paper's networks are "adversarially trained networks and undefended"; which are which, it
    does not say. A twin is what stands beside ours, trained the other way round.
    """
    name, _, kind = network.rpartition("-")
    return (name, kind) if kind in ("defended", "undefended") else (network, "")
