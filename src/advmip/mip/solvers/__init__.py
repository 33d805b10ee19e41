"""Solvers: each one file, with one function that takes a model and gives a solution."""

from advmip.mip.solvers.choice import AUTO, SOLVERS, Choice, check_solver, choose
from advmip.mip.solvers.interface import Options, Solution, Status, UnsupportedModelError

__all__ = [
    "AUTO",
    "SOLVERS",
    "Choice",
    "Options",
    "Solution",
    "Status",
    "UnsupportedModelError",
    "check_solver",
    "choose",
]
