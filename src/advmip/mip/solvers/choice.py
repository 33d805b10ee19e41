"""Which solver a model goes to: it is counted first, and what was taken is said with the reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from advmip.errors import InputError, unknown_name
from advmip.mip.model import Model, Size
from advmip.mip.solvers import gurobi, highs, scip
from advmip.mip.solvers.interface import Options, Solution

AUTO = "auto"


@dataclass(frozen=True)
class Solver:
    """A solver by name.

    Attributes:
        name: Its name in settings and rows.
        refusal: Why it does not take a model of a size; None if it does.
        solve: Solves a model.
    """

    name: str
    refusal: Callable[[Size], str | None]
    solve: Callable[[Model, Options], Solution]


SOLVERS = {
    solver.name: solver
    for solver in (
        Solver("gurobi", gurobi.refusal, gurobi.solve),
        Solver("highs", highs.refusal, highs.solve),
        Solver("scip", scip.refusal, scip.solve),
    )
}

# Open solvers first tried for a kind of model: SCIP prunes mixed-integer programs of ReLU networks
# faster than HiGHS, which is the faster one on programs without integers.
_OPEN_FOR_INTEGERS = ("scip", "highs")
_OPEN_FOR_CONTINUOUS = ("highs", "scip")


@dataclass(frozen=True)
class Choice:
    """The solver taken for a model.

    Attributes:
        solver: The solver.
        reason: Why it was taken.
    """

    solver: Solver
    reason: str


def choose(name: str, model: Model) -> Choice:
    """The solver for a model.

    Args:
        name: A solver's name, or "auto": Gurobi where its licence admits the model, else the best
            open solver for this kind of model.
        model: The model, which is counted.

    Raises:
        InputError: There is no such solver, or it does not take the model.
    """
    size = model.size
    if name == AUTO:
        reasons: list[str] = []
        order = _OPEN_FOR_INTEGERS if size.integers else _OPEN_FOR_CONTINUOUS
        for candidate in ("gurobi", *order):
            reason = SOLVERS[candidate].refusal(size)
            if reason is None:
                why = "; ".join(reasons) or "its licence admits the model"
                return Choice(SOLVERS[candidate], why)
            reasons.append(reason)
        raise InputError(
            subject="solver auto",
            found="; ".join(reasons),
            expected="one solver that takes the model",
            mend="install pyscipopt or highspy",
        )
    return Choice(_named(name, size), "as asked")


def check_solver(name: str, *, cones: bool = False) -> None:
    """Find out, before any long work, whether a solver is there and takes small models.

    Args:
        name: As for `choose`.
        cones: Whether the models have integers beside second-order cones.

    Raises:
        InputError: There is no such solver, or it does not take them.
    """
    if name != AUTO:
        _named(name, Size(1, 1, 1, 0, 0, 0, int(cones)))


def _named(name: str, size: Size) -> Solver:
    """The solver of a name, which takes models of a size.

    Raises:
        InputError: There is none, or it does not.
    """
    if name not in SOLVERS:
        raise unknown_name("solver", name, [*SOLVERS, AUTO])
    reason = SOLVERS[name].refusal(size)
    if reason is not None:
        raise InputError(
            subject=f"solver {name}",
            found=reason,
            expected="a solver that takes the model",
            mend='choose solver "auto", or another formulation',
        )
    return SOLVERS[name]
