"""Which solver takes a problem, and in which form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from advmip.mip.attack_tree import STRATEGIES, AttackTree, refusal, tree_for
from advmip.mip.encoding import Interval
from advmip.mip.formulations import Formulation
from advmip.mip.mipverify import MIPVERIFY, check_formulation, mipverify_model
from advmip.mip.model import Expression, Model, Vector
from advmip.mip.problem import Problem, encode
from advmip.mip.projection import has_coordinates, projected
from advmip.mip.solvers import AUTO, SOLVERS, Options, Solution, choose

# The tree that is taken where Gurobi's licence does not admit a model.
_TREE = "branch-and-bound"


@dataclass(frozen=True)
class Prepared:
    """A problem as some solver takes it.

    Attributes:
        solve: Solves it.
        lifted: The change (pixels,) at a point of the solution.
        solver: The solver.
        reason: Why it was taken.
    """

    solve: Callable[[Options], Solution]
    lifted: Callable[[Vector], Vector]
    solver: str
    reason: str


def prepare(
    problem: Problem, bounds: list[Interval], formulation: Formulation, solver: str
) -> Prepared:
    """The problem for a solver.

    Args:
        problem: The problem.
        bounds: Bounds of the neurons that hold over the problem's box.
        formulation: Of the unstable neurons.
        solver: A solver's name, one of `attack_tree.STRATEGIES`, or "auto": for exact L2 our
            tree where it takes the problem in coordinates, else Gurobi where its licence admits
            the model, else our tree (it is faster than the open solvers,
            `docs/branch-and-bound.md`), else the best open solver; or "mipverify": the model of
            `mip.mipverify`, for Gurobi where its licence admits that model, else the best open
            solver.

    Raises:
        InputError: There is no such solver, or it does not take the problem.
    """
    if solver in STRATEGIES:
        tree = tree_for(problem, bounds, formulation, solver)
        return _given_to_tree(tree, solver, tree.strategy.reason)
    if solver == MIPVERIFY:
        check_formulation(formulation)
        return _given_to_solver(AUTO, *mipverify_model(problem, bounds))
    ours = AttackTree(problem, bounds, STRATEGIES[_TREE])
    if (
        solver == AUTO
        and has_coordinates(problem)
        and refusal(problem, bounds, formulation) is None
    ):
        return _given_to_tree(
            ours, _TREE, "exact L2 in coordinates, where general solvers are slower"
        )
    if solver in (AUTO, "gurobi"):
        small = _in_coordinates(problem, bounds, formulation)
        if small is not None:
            return small
    encoding = encode(problem, bounds, formulation)
    if solver == AUTO and refusal(problem, bounds, formulation) is None:
        unlicensed = SOLVERS["gurobi"].refusal(encoding.model.size)
        if unlicensed is not None:
            return _given_to_tree(ours, _TREE, unlicensed)
    return _given_to_solver(solver, encoding.model, encoding.change)


def _given_to_solver(name: str, model: Model, change: Expression) -> Prepared:
    choice = choose(name, model)
    return Prepared(
        partial(choice.solver.solve, model), change.values, choice.solver.name, choice.reason
    )


def _given_to_tree(tree: AttackTree, strategy: str, reason: str) -> Prepared:
    return Prepared(tree.solve, lambda change: change, strategy, reason)


def _in_coordinates(
    problem: Problem, bounds: list[Interval], formulation: Formulation
) -> Prepared | None:
    """An exact L2 problem in the coordinates that the network sees, if Gurobi takes it."""
    projection = projected(problem)
    if projection is None:
        return None
    small = encode(projection.problem, bounds, formulation)
    if SOLVERS["gurobi"].refusal(small.model.size) is not None:
        return None
    return Prepared(
        partial(SOLVERS["gurobi"].solve, small.model),
        lambda point: projection.lifted(small.change.values(point)),
        "gurobi",
        "its licence admits the model in coordinates",
    )
